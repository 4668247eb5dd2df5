"""Resumable uploads by tus 1.0, `/api/v1/uploads`: creation (with the first bytes), termination, expiration, checksum.

Every header is checked before the first byte of a body is read.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from hub.web import uploads_documents as documents
from hub.web import uploads_headers as tus
from hub.web.api.problems import Problem, responses
from hub.web.dependencies import Address, ApiCaller, ApiKey, Limiter, TheSettings, count_upload
from hub.web.idempotency import Caller
from hub.web.uploads import CallerUploads
from hub.web.uploads_writing import UploadState


class TusRoute(APIRoute):
    """A route whose answers, problems too, bear the headers of tus."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                response: Response = await handler(request)
            except Problem as problem:
                problem.headers = tus.EVERYWHERE | problem.headers
                raise
            response.headers.update(tus.EVERYWHERE)
            return response

        return answer


router = APIRouter(prefix="/api/v1/uploads", tags=["uploads"], route_class=TusRoute)


def require_key(key: ApiKey) -> None:
    """Raises Problem: a caller without a key uploads nothing, and takes no turn."""
    if key is None:
        raise Problem(401, "upload_key", headers={"WWW-Authenticate": "Bearer", "Connection": "close"})


def _uploads(request: Request) -> CallerUploads:
    found: CallerUploads = request.app.state.uploads
    return found


def checked_version(request: Request) -> None:
    """Raises Problem."""
    tus.require_version(request.headers)


Uploads = Annotated[CallerUploads, Depends(_uploads)]
_CHECKS = [Depends(checked_version), Depends(require_key)]


def file_limit(settings: TheSettings) -> int:
    """Bytes of one upload."""
    return int(settings.limits.upload_file * 2**20)


FileLimit = Annotated[int, Depends(file_limit)]


@router.options(
    "",
    status_code=204,
    response_class=Response,
    responses={204: documents.ABILITIES},
    operation_id="upload_options",
)
@router.options("/{id}", status_code=204, response_class=Response, include_in_schema=False)
async def options(limit: FileLimit) -> Response:
    """What this server can do."""
    headers = {
        "Tus-Version": tus.VERSION,
        "Tus-Extension": tus.EXTENSIONS,
        "Tus-Max-Size": str(limit),
        "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
    }
    return Response(status_code=204, headers=headers)


@router.post(
    "",
    status_code=201,
    response_class=Response,
    dependencies=_CHECKS,
    responses={201: documents.CREATED, **responses(400, 401, 403, 408, 412, 413, 415, 429, 500, 503)},
    openapi_extra=documents.CREATE,
    operation_id="create_upload",
)
async def create(
    *, request: Request, caller: ApiCaller, uploads: Uploads, limiter: Limiter, address: Address, limit: FileLimit
) -> Response:
    """Announce a file of Upload-Length bytes; Location says where the bytes go. The first may come along."""
    length = tus.length_of(request.headers, limit)
    tus.metadata_of(request.headers)
    checksum = tus.checksum_of(request.headers)
    with_body = tus.has_body(request.headers)
    tus.require_fitting(request.headers, length)
    id = await uploads.create(caller, length, request.headers.get("upload-metadata", ""))
    state = None
    if with_body:
        state = await _append(uploads, caller, id, request, 0, checksum, limiter, address)
    headers = {"Location": f"{router.prefix}/{id}"}
    return Response(status_code=201, headers=headers | tus.described(state or await uploads.state(caller, id)))


@router.head(
    "/{id}",
    response_class=Response,
    dependencies=_CHECKS,
    responses={200: documents.FOUND, **responses(401, 403, 404, 410, 412)},
    openapi_extra=documents.READ,
    operation_id="read_upload",
)
async def read_state(id: str, caller: ApiCaller, uploads: Uploads) -> Response:
    """How many bytes are safe with us."""
    state = await uploads.state(caller, id)
    headers = {"Upload-Length": str(state.length), **tus.described(state)}
    if state.metadata:
        headers["Upload-Metadata"] = state.metadata
    return Response(headers=headers)


@router.patch(
    "/{id}",
    status_code=204,
    response_class=Response,
    dependencies=_CHECKS,
    responses={
        204: documents.APPENDED,
        **responses(400, 401, 403, 404, 408, 409, 410, 412, 413, 415, 423, 429, 460, 500, 503),
    },
    openapi_extra=documents.APPEND,
    operation_id="append_to_upload",
)
async def append(
    *, request: Request, id: str, caller: ApiCaller, uploads: Uploads, limiter: Limiter, address: Address
) -> Response:
    """The next bytes, at Upload-Offset. The answer's Upload-Offset says how many would survive a power cut."""
    tus.require_body_type(request.headers)
    offset = tus.offset_of(request.headers)
    checksum = tus.checksum_of(request.headers)
    state = await _append(uploads, caller, id, request, offset, checksum, limiter, address)
    return Response(status_code=204, headers=tus.described(state))


@router.delete(
    "/{id}",
    status_code=204,
    response_class=Response,
    dependencies=_CHECKS,
    responses=responses(401, 403, 404, 410, 412, 423, 500, 503),
    openapi_extra=documents.END,
    operation_id="end_upload",
)
async def end(id: str, caller: ApiCaller, uploads: Uploads) -> Response:
    """Forget an upload."""
    await uploads.end(caller, id)
    return Response(status_code=204)


@router.post("/{id}", include_in_schema=False, dependencies=_CHECKS)
async def overridden(
    *, request: Request, id: str, caller: ApiCaller, uploads: Uploads, limiter: Limiter, address: Address
) -> Response:
    """PATCH and DELETE of clients that can only POST."""
    method = request.headers.get("x-http-method-override", "").upper()
    if method == "DELETE":
        return await end(id, caller, uploads)
    if method != "PATCH":
        raise Problem(405, "method", headers={"Allow": "HEAD, PATCH, DELETE, OPTIONS", "Connection": "close"})
    return await append(request=request, id=id, caller=caller, uploads=uploads, limiter=limiter, address=address)


async def _append(  # noqa: PLR0917 - one call for both routes that bring bytes
    uploads: CallerUploads,
    caller: Caller,
    id: str,
    request: Request,
    offset: int,
    checksum: tus.Checksum | None,
    limiter: Limiter,
    address: str,
) -> UploadState:
    unlimited = caller.has_key and not caller.device
    return await uploads.append(
        caller,
        id,
        request,
        offset=offset,
        count_bytes=(lambda size: None) if unlimited else partial(count_upload, limiter, address),
        checksum=checksum,
        require_fitting=partial(tus.require_fitting, request.headers),
    )
