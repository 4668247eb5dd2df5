"""What goes wrong at the API: RFC 9457 problems, with a sentence in the language asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping

from fastapi.responses import JSONResponse, Response
from starlette.requests import Request

from hub.web.api.models import ApiModel
from hub.web.translations import TranslatableText, language_of, preferred_language

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 20
"""Fields that are named; a body of many unknown ones is not answered with a larger one."""


class FieldError(ApiModel):
    """What is wrong with one field."""

    field: str
    detail: str
    """A sentence for people."""


class ProblemDetails(ApiModel):
    """A problem as the API answers it (RFC 9457)."""

    type: str
    """urn:satupintu:problem: and a word that does not change."""
    title: str
    status: int
    detail: str
    """A sentence for people, in the language asked for."""
    errors: list[FieldError] | None = None
    """The fields that are wrong, 20 at most."""


class Problem(Exception):  # noqa: N818 - the word of the RFC
    """The request ends here. `key` names the sentences (`p_KEY`, `p_KEY_detail`) and the problem's type."""

    def __init__(
        self,
        status: int,
        key: str,
        *,
        errors: Mapping[str, TranslatableText] | None = None,
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> None:
        super().__init__(key)
        self.status = status
        self.key = key
        self.errors = dict(list((errors or {}).items())[:MOST_ERRORS])
        self.headers = dict(headers or {})
        self.values = values

    @property
    def title(self) -> TranslatableText:
        """In a few words."""
        return TranslatableText(f"p_{self.key}")

    @property
    def detail(self) -> TranslatableText:
        """In a sentence that says what to do."""
        return TranslatableText(f"p_{self.key}_detail", self.values)


class ProblemResponse(JSONResponse):
    """A JSON answer that says that it is a problem."""

    media_type = MEDIA_TYPE


def invalid_fields(errors: Mapping[str, TranslatableText]) -> Problem:
    """422, naming each field and what is wrong with it."""
    shown = ", ".join(list(errors)[:MOST_ERRORS])
    return Problem(422, "invalid", errors=errors, fields=shown)


def too_many(seconds: float) -> Problem:
    """429, saying when to come back."""
    wait = max(1, math.ceil(seconds))
    return Problem(429, "too_many", headers={"Retry-After": str(wait)}, wait=_for_people(wait))


def not_stored() -> Problem:
    """503: it is not stored, try again."""
    return Problem(503, "busy", headers={"Retry-After": "5"})


def too_large(limit: int | None = None) -> Problem:
    """413; the rest of the body is not read. `limit`: bytes, of a body that holds no files."""
    closing = {"Connection": "close"}
    if limit is None:
        return Problem(413, "too_large", headers=closing)
    return Problem(413, "body_too_large", headers=closing, limit=limit // 1024)


def respond(request: Request, problem: Problem) -> Response:
    """The problem as the API answers it."""
    asked = request.query_params.get("lang")
    language = language_of(asked) if asked else preferred_language(request.headers.get("accept-language", ""))
    details = ProblemDetails(
        type=f"urn:satupintu:problem:{problem.key.replace('_', '-')}",
        title=problem.title.to(language),
        status=problem.status,
        detail=problem.detail.to(language),
        errors=[FieldError(field=name, detail=text.to(language)) for name, text in problem.errors.items()] or None,
    )
    headers = {
        "Content-Language": language,
        "Vary": "Accept-Language",
        "Cache-Control": "no-store",
        **problem.headers,
    }
    return ProblemResponse(details.model_dump(exclude_none=True), problem.status, headers)


def responses(*statuses: int) -> dict[int | str, dict[str, object]]:
    """What a route may answer beside its result, for its description."""
    return {status: _response(status) for status in statuses}


def _response(status: int) -> dict[str, object]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    described: dict[str, object] = {"description": _DESCRIPTIONS[status], "content": content}
    return described | ({"headers": {"Retry-After": _SECONDS}} if status in _TEMPORARY else {})


_TEMPORARY = frozenset({423, 429, 503})
_SECONDS = {"description": "Seconds until it is worth another try.", "schema": {"type": "integer"}}
_DESCRIPTIONS = {
    400: "The body cannot be read.",
    401: "The API key is not known.",
    403: "The request comes from another site.",
    404: "There is no such report.",
    408: "The body did not arrive in time.",
    409: "Upload-Offset is not the upload's own.",
    410: "The upload has expired, or was ended.",
    412: "Tus-Resumable is missing, or names another version.",
    413: "The body is too large.",
    415: "The body is neither JSON nor multipart.",
    422: "A field is unknown or wrong, or the Idempotency-Key was used with another body.",
    423: "Another request writes to the upload.",
    429: "Too many requests: see Retry-After.",
    460: "The body has another checksum.",
    500: "A fault of the hub.",
    503: "It is not stored, or cannot be read, for the moment: see Retry-After.",
}


def _for_people(seconds: int) -> TranslatableText:
    """In the unit that people would count in, never too short, and always more than one of it."""
    if seconds <= 90:
        return TranslatableText("wait_seconds", {"count": max(2, seconds)})
    if seconds <= 90 * 60:
        return TranslatableText("wait_minutes", {"count": math.ceil(seconds / 60)})
    return TranslatableText("wait_hours", {"count": math.ceil(seconds / 3600)})
