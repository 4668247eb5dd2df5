"""What goes wrong at the API: RFC 9457 problems, with a sentence in the language asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hub.web.citizen.words import Said, asked, chosen

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818 - the word of the RFC
    """The request ends here. `key` names the words (`p_KEY`, `p_KEY_detail`) and the problem's type."""

    def __init__(
        self,
        status: int,
        key: str,
        *,
        errors: Mapping[str, Said] | None = None,
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> None:
        super().__init__(key)
        self.status = status
        self.key = key
        self.errors = errors or {}
        self.headers = dict(headers or {})
        self.values = values

    @property
    def title(self) -> Said:
        """In a few words."""
        return Said(f"p_{self.key}")

    @property
    def detail(self) -> Said:
        """In a sentence that says what to do."""
        return Said(f"p_{self.key}_detail", self.values)


def invalid(errors: Mapping[str, Said]) -> Problem:
    """422, naming each field and what is wrong with it."""
    return Problem(422, "invalid", errors=errors, fields=", ".join(errors))


def too_many(seconds: float) -> Problem:
    """429, saying when to come back."""
    wait = max(1, math.ceil(seconds))
    return Problem(429, "too_many", headers={"Retry-After": str(wait)}, wait=_for_people(wait))


def _for_people(seconds: int) -> Said:
    """In the unit that people would count in, never too short, and always more than one of it."""
    if seconds <= 90:
        return Said("wait_seconds", {"count": max(2, seconds)})
    if seconds <= 90 * 60:
        return Said("wait_minutes", {"count": math.ceil(seconds / 60)})
    return Said("wait_hours", {"count": math.ceil(seconds / 3600)})


def busy() -> Problem:
    """503: it is not stored, try again."""
    return Problem(503, "busy", headers={"Retry-After": "5"})


def answer(request: Request, problem: Problem) -> Response:
    """The problem as the API says it."""
    said = request.query_params.get("lang")
    language = chosen(said) if said else asked(request.headers.get("accept-language", ""))
    body: dict[str, Any] = {
        "type": f"urn:satupintu:problem:{problem.key.replace('_', '-')}",
        "title": problem.title.to(language),
        "status": problem.status,
        "detail": problem.detail.to(language),
    }
    if problem.errors:
        body["errors"] = [{"field": field, "detail": said.to(language)} for field, said in problem.errors.items()]
    headers = {"Content-Language": language, "Vary": "Accept-Language", **problem.headers}
    return Response(msgspec.json.encode(body), problem.status, headers, media_type=MEDIA_TYPE)
