"""The reports API, `/api/v1`."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request

from connectors._report import ReportChannel
from connectors.app import AppChannel
from hub.web.api.models import ReportAccepted, ReportStatus
from hub.web.api.problems import Problem, responses
from hub.web.dependencies import (
    Address,
    ApiCaller,
    Limiter,
    Proof,
    Reports,
    SecondsToWait,
    TheDevice,
    TheIdempotencyKey,
    TheSettings,
    Today,
    count_upload,
    take_device_turn,
)
from hub.web.reports import is_raw_id
from hub.web.submissions import read_submission
from hub.web.uploads_routes import Uploads
from hub.web.validation import validate_submission
from sink import TrackedReport

router = APIRouter(prefix="/api/v1", tags=["reports"])

_RECORDED: dict[str, Any] = {"model": ReportAccepted, "description": "It is on the record, and `number` is there."}
_EXAMPLE = {"text": "Trotoar di Jalan Riau ambles", "place": {"words": "Jalan Riau"}, "phone": "0812 0000 0017"}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/ReportInput"}, "example": _EXAMPLE},
            "multipart/form-data": {"schema": {"$ref": "#/components/schemas/ReportForm"}},
        },
    },
    "security": [{}, {"bearer": []}, {"key": []}],
}


_PROVEN = {"office", "title", "words", "answers", "timeline"}


class ReportQuery(BaseModel):
    """What may stand behind the question mark of a report."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    token: str | None = None
    """The token given at filing."""
    phone: str | None = None
    """The last four digits of the reporter's phone."""
    lang: str | None = None
    """id or en: the language of what goes wrong, before Accept-Language."""


@router.post(
    "/reports",
    status_code=202,
    response_model_exclude_none=True,
    responses={201: _RECORDED, **responses(400, 401, 403, 408, 413, 415, 422, 429, 500, 503)},
    openapi_extra=_BODY,
)
async def file_report(
    *,
    request: Request,
    response: Response,
    caller: ApiCaller,
    key: TheIdempotencyKey,
    wait: SecondsToWait,
    reports: Reports,
    uploads: Uploads,
    limiter: Limiter,
    address: Address,
    today: Today,
    settings: TheSettings,
) -> ReportAccepted:
    """File a report. With `Prefer: wait=N` the answer waits for its number."""
    if isinstance(caller.account, AppChannel):
        take_device_turn(caller.account, limiter, address)
    count_bytes = (
        (lambda size: None) if caller.has_key and not caller.device else partial(count_upload, limiter, address)
    )
    submission = await read_submission(request, count_bytes=count_bytes)
    own_fields = caller.account.own_fields if isinstance(caller.account, ReportChannel) else frozenset()
    fields = validate_submission(submission, today, own_fields)
    if references := fields.pop("uploads", ()):
        fields["files"] = await uploads.files(caller, references, len(submission.files))
    if caller.device:
        fields["device"] = caller.device
    filed = await reports.file(caller, fields, submission.files, key)
    number = await reports.number(filed.id, wait) if wait else None
    url = settings.public_url + request.app.url_path_for("read_report", reference=filed.id)
    response.headers.update({"Location": url, "Cache-Control": "no-store"})
    if wait:
        response.headers["Preference-Applied"] = f"wait={wait}"
    token = filed.token if caller.has_key or not filed.repeated else None
    if number is None:
        response.headers["Retry-After"] = "1"
        return ReportAccepted(id=filed.id, status_url=url, token=token)
    response.status_code = 201
    return ReportAccepted(id=filed.id, status_url=url, token=token, number=number)


@router.get("/reports/{reference}", response_model_exclude_unset=True, responses=responses(404, 422, 429, 500, 503))
async def read_report(
    *,
    response: Response,
    reference: str,
    query: Annotated[ReportQuery, Query()],
    reports: Reports,
    proof: Proof,
    address: Address,
    device: TheDevice,
    x_report_token: Annotated[str | None, Header(description="The token, where it should not stand in a URL.")] = None,
) -> ReportStatus:
    """The status of a report, by its number or id; with a proof also its words and answers."""
    token = x_report_token or query.token
    found = await proof.find_own(reference, device.conversation) if device else None
    found = found or await proof.find(address, reference, token, query.phone)
    response.headers["Cache-Control"] = "no-store"
    if found is None and is_raw_id(reference) and reports.is_pending(reference, token):
        response.headers["Retry-After"] = "1"
        return ReportStatus(id=reference, number=None, status="unverified")
    if found is None:
        raise Problem(404, "not_found")
    return _shown(found)


def _shown(found: TrackedReport) -> ReportStatus:
    values = msgspec.to_builtins(found)
    names = set(ReportStatus.model_fields) - {"id"} - (set() if found.proven else _PROVEN)
    return ReportStatus(**{name: values[name] for name in names})
