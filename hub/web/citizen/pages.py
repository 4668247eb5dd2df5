"""The pages for people: the form, the page after it, and the way of a report. All of them work without JavaScript."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from hub.web.api.routes import Turns
from hub.web.citizen.check import check
from hub.web.citizen.dates import when
from hub.web.desk import Caller, Desk, Filed, Key, is_id
from hub.web.citizen.look import page, parts, static, steps
from hub.web.api.problems import Problem
from hub.web.citizen.proofs import Proofs, is_number
from hub.web.citizen.receive import Upload, receive
from hub.web.citizen.words import Language, Said, chosen, say
from schemas import Retry

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from sink import Tracked

WAIT = 5.0
"""Seconds that the form waits for its number."""
PAUSES = (3, 3, 4, 6, 8, 10, 14, 18, 24, 30)
"""Seconds between the looks of a page that waits for its number: two minutes in all, then it stays as it is."""
DIGITS_LIMIT = 16 * 1024
"""Bytes of a request that holds four digits."""


class Sound(NamedTuple):
    """A report with nothing wrong in it."""

    fields: Mapping[str, Any]
    files: Sequence[Upload]


class Pages:
    """The handlers."""

    def __init__(self, desk: Desk, turns: Turns, proofs: Proofs, zone: ZoneInfo) -> None:
        self._desk = desk
        self._turns = turns
        self._proofs = proofs
        self._zone = zone

    def routes(self) -> list[Route]:
        """Where they stand."""
        return [
            Route("/", self.form),
            Route("/", self.file, methods=["POST"]),
            Route("/diterima/{raw}", self.accepted),
            Route("/lacak", self.ask),
            Route("/lacak/{number}", self.report),
            Route("/lacak/{number}", self.prove, methods=["POST"]),
            Route("/static/{name}", self.static),
        ]

    async def form(self, request: Request) -> Response:
        return self._form(request, chosen(request.query_params.get("lang")))

    def _form(self, request: Request, language: Language, **more: Any) -> Response:
        values = {"files_again": False, "today": self._desk.today().isoformat(), **more}
        values["said"] = {"once": secrets.token_urlsafe(18), **values.get("said", {})}
        return page(request, "form.html", language=language, here="form", **values)

    async def file(self, request: Request) -> Response:
        _from_here(request)
        caller = self._turns.of_address(request)
        given = await receive(request)
        said, once = given.values.pop("lang", None), given.values.pop("once", None)
        switch = given.values.pop("switch", None)
        language = chosen(switch or said)
        fields, errors = check(given, self._desk.today())
        if errors or switch:
            told = {name: said.to(language) for name, said in _in_order(errors).items()}
            said = {**given.values, "once": once}
            return self._form(
                request,
                language,
                status=422 if errors else 200,
                switch=None,  # a link would lose what was typed: the form has a button instead
                errors=told,
                said=said,
                files_again=bool(given.files or "files" in errors),
            )
        filed = await self._filed(Caller("form", caller.account), Sound(fields, given.files), once)
        await self._desk.number(filed.id, WAIT)
        query = {"token": filed.token} | ({"lang": language} if language != "id" else {})
        return RedirectResponse(f"/diterima/{filed.id}?{urlencode(query)}", 303)

    async def _filed(self, form: Caller, sound: Sound, once: object) -> Filed:
        """Sent twice by an impatient finger is filed once; the same form with other words is another report."""
        try:
            return await self._desk.file(form, *sound, Key(once, drawn=True) if _is_drawn(once) else None)
        except Problem as problem:
            if problem.key != "key_reused":
                raise
            return await self._desk.file(form, *sound, None)

    async def accepted(self, request: Request) -> Response:
        raw, token = request.path_params["raw"], request.query_params.get("token")
        language = chosen(request.query_params.get("lang"))
        if not (is_id(raw) and token and self._desk.opens(raw, token)):
            raise Problem(404, "no_page")
        found = None
        with suppress(Retry):
            found = await self._proofs.find(request, raw, token, None)
        if found is not None:
            # what was added to an earlier report has its number, and shows no words of it
            mine = token if found.proven else None
            told: dict[str, Any] = {"number": found.number, "parts": parts(found.number), "token": mine}
            return page(request, "accepted.html", language=language, switch=None, **told)
        again = "?" + urlencode({"token": token} | ({"lang": language} if language != "id" else {}))
        looks = _looks(request.query_params.get("n", "0"))
        pause = PAUSES[looks] if looks < len(PAUSES) else None
        told = {"number": None, "pause": pause, "again": again, "looks": looks + 1}
        return page(request, "accepted.html", language=language, switch=None, **told)

    async def ask(self, request: Request) -> Response:
        language, said = chosen(request.query_params.get("lang")), request.query_params.get("number")
        if said is None:
            return page(request, "track.html", language=language, here="track")
        number = "".join(filter(str.isdigit, said))
        if len(number) == 10 and number.isascii():
            return RedirectResponse(f"/lacak/{number}" + ("" if language == "id" else f"?lang={language}"), 303)
        return self._asked(request, language, said, "error_number", 422)

    def _asked(self, request: Request, language: Language, said: str, error: str, status: int) -> Response:
        told = {"errors": {"number": Said(error).to(language)}, "said": {"number": said}}
        return page(request, "track.html", language=language, here="track", status=status, **told)

    async def report(self, request: Request) -> Response:
        number, token = request.path_params["number"], request.query_params.get("token")
        language = chosen(request.query_params.get("lang"))
        found = await self._proofs.find(request, number, token, None) if is_number(number) else None
        if found is None:
            return self._asked(request, language, number, "not_found", 404)
        return self._report(request, found, language, {})

    async def prove(self, request: Request) -> Response:
        _from_here(request)
        self._proofs.admit(request)
        number, given = request.path_params["number"], await receive(request, DIGITS_LIMIT)
        language, last4 = chosen(given.values.get("lang")), str(given.values.get("last4", "")).strip()
        right = len(last4) == 4 and last4.isascii() and last4.isdigit()
        found = await self._proofs.find(request, number, None, last4 if right else None) if is_number(number) else None
        if found is None:
            return self._asked(request, language, number, "not_found", 404)
        error = None if found.proven else "not_proven" if right else "error_last4"
        return self._report(request, found, language, {"last4": Said(error).to(language)} if error else {})

    def _report(self, request: Request, found: Tracked, language: Language, errors: dict[str, str]) -> Response:
        way = steps(found.status)
        told = {"found": found, "parts": parts(found.number), "steps": way, "errors": errors}
        told["now"] = next(step for step, state in way if state == "now")
        told["when"] = partial(when, zone=self._zone, language=language)
        told["history"] = [{"at": step.at, "said": _happened(step.what, step.why, language)} for step in found.timeline]
        status = 422 if errors else 200
        # with a token in the address no switch: it would have to repeat it
        more = {"switch": None} if "token" in request.query_params else {}
        return page(request, "report.html", language=language, here="track", status=status, **told, **more)

    async def static(self, request: Request) -> Response:
        found = static(request.path_params["name"])
        if found is None:
            raise Problem(404, "no_page")
        return found


def _happened(what: str, why: str | None, language: Language) -> str:
    """A line of the history. Why an office was chosen is told in Indonesian only."""
    if what == "routed" and why and language == "id":
        return why
    known = what if what in {"recorded", "routed", "added", "status_asked"} else "other"
    return say(f"happened_{known}", language)


def _in_order(errors: dict[str, Said]) -> dict[str, Said]:
    """As the fields stand on the page."""
    page = ["text", "title", "files", "place", "incident_date", "name", "phone", "email"]
    return dict(sorted(errors.items(), key=lambda e: page.index(e[0]) if e[0] in page else len(page)))


def _looks(said: str) -> int:
    """How often a waiting page has looked; what nobody can have counted ends the waiting."""
    return int(said) if said.isascii() and said.isdigit() and len(said) <= 2 else len(PAUSES)


def _is_drawn(once: object) -> TypeGuard[str]:
    return isinstance(once, str) and len(once) == 24 and once.isascii()


def _from_here(request: Request) -> None:
    """Raises Problem where another site made the browser send this. Over plain http browsers name only the origin."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        here = site in {"same-origin", "none"}
    else:
        here = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not here:
        raise Problem(403, "forbidden")
