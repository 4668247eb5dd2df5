"""The counter's page, `/loket`: staff enter a letter, a visit or a call on somebody's behalf, and hand over its number.
It works without JavaScript."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connectors._report import KIND_FIELDS
from hub.web.api.problems import Problem, invalid_fields, too_many
from hub.web.citizen.dates import format_time
from hub.web.citizen.form import WAIT
from hub.web.citizen.pages import PAUSES
from hub.web.citizen.rendering import carried_language, digit_groups, render
from hub.web.counter_session import (
    COOKIE,
    LASTS,
    LONGEST_NAME,
    CounterSession,
    cookie_of,
    session_of_cookie,
    session_of_key,
)
from hub.web.dependencies import (
    Address,
    Limiter,
    PageLanguage,
    Reports,
    TheAccounts,
    TheSettings,
    Today,
    require_same_site,
)
from hub.web.idempotency import Caller, IdempotencyKey
from hub.web.reports import FiledReport, ReportService, is_raw_id
from hub.web.submissions import JSON_LIMIT, REQUEST_LIMIT, Submission, read_submission
from hub.web.translations import Language, TranslatableText
from hub.web.validation import validate_submission
from schemas import Retry

PAGE = "/loket"
SHOWN = 10
"""Reports of today that the page lists."""
LOGIN_LIMIT = 16 * 1024
"""Bytes of a request that holds a key and a name."""
LONGEST_AGENDA = 100
_FIELDS = ("came_by", "agenda", "text", "files", "name", "phone", "address", "place", "title", "incident_date", "email",
           "nik")  # fmt: skip
"""As they stand on the page."""

router = APIRouter(include_in_schema=False, prefix=PAGE)


def _session(request: Request, accounts: TheAccounts, reports: Reports, settings: TheSettings) -> CounterSession | None:
    cookie = request.cookies.get(COOKIE, "")
    return session_of_cookie(accounts, cookie, datetime.now(settings.zone), reports.proof_of)


Session = Annotated[CounterSession | None, Depends(_session)]
SAME_SITE = [Depends(require_same_site)]


@router.get("")
async def show_counter(
    *,
    request: Request,
    language: PageLanguage,
    session: Session,
    reports: Reports,
    settings: TheSettings,
    today: Today,
) -> Response:
    """The empty form, with what this counter entered today; the way in for those who have not shown a key."""
    if session is None:
        return render(request, "counter_login.html", language=language)
    listed = await _entered_today(reports, session, settings.zone, language)
    return render(request, "counter.html", language=language, **_page(session, listed, {}, today.isoformat()))


@router.post("/masuk", dependencies=SAME_SITE)
async def log_in(
    *,
    request: Request,
    language: PageLanguage,
    accounts: TheAccounts,
    limiter: Limiter,
    address: Address,
    reports: Reports,
    settings: TheSettings,
) -> Response:
    """Show a key of the counter, and say who works there."""
    values = (await read_submission(request, LOGIN_LIMIT)).values
    staff, key = str(values.get("staff", "")).strip()[:LONGEST_NAME], str(values.get("key", "")).strip()
    session = session_of_key(accounts, key, staff) if staff else None
    if session is None:
        if staff and (waiting := limiter.wrong_key(address)):
            raise too_many(waiting)
        error = {"key": "error_counter_key"} if staff else {"staff": "error_missing"}
        errors = {name: TranslatableText(text).to(language) for name, text in error.items()}
        page: dict[str, Any] = {"errors": errors, "values": {"staff": staff}, "switch": None}
        return render(request, "counter_login.html", language=language, status=422, **page)
    answer = _to(request, language, PAGE)
    secure = settings.public_url.startswith("https:")
    cookie = cookie_of(session, datetime.now(settings.zone), reports.proof_of)
    answer.set_cookie(COOKIE, cookie, LASTS, path=PAGE, secure=secure, httponly=True, samesite="strict")
    return answer


@router.post("/keluar", dependencies=SAME_SITE)
async def log_out(request: Request, language: PageLanguage) -> Response:
    """Forget the session."""
    answer = _to(request, language, PAGE)
    answer.delete_cookie(COOKIE, path=PAGE, httponly=True, samesite="strict")
    return answer


@router.post("", dependencies=SAME_SITE)
async def enter(
    *,
    request: Request,
    language: PageLanguage,
    session: Session,
    reports: Reports,
    settings: TheSettings,
    today: Today,
) -> Response:
    """File what the form holds and go on to its number; else show the form again."""
    submission = await read_submission(request, JSON_LIMIT if session is None else REQUEST_LIMIT)
    once, agenda = submission.values.pop("once", None), submission.values.pop("agenda", "")
    if session is None:
        typed = {"over": True, "typed": submission.values.get("text", ""), "switch": None}
        return render(request, "counter_login.html", language=language, status=403, **typed)
    submission.values["entered_by"] = session.staff
    try:
        filed = await _file(reports, session, submission, once, str(agenda).strip(), today=today)
    except Problem as problem:
        values = {**submission.values, "agenda": agenda, "once": once}
        listed = await _entered_today(reports, session, settings.zone, language)
        page = _page(session, listed, values, today.isoformat()) | _faults(problem, submission, language)
        answer = render(request, "counter.html", language=language, status=problem.status, **page)
        answer.headers.update(problem.headers)
        return answer
    await reports.number(filed.id, WAIT)
    return _to(request, language, f"{PAGE}/diterima/{filed.id}", token=filed.token)


@router.get("/diterima/{raw}")
async def show_number(
    *,
    request: Request,
    raw: str,
    token: str,
    language: PageLanguage,
    session: Session,
    reports: Reports,
    settings: TheSettings,
    n: Annotated[int, Query(ge=0, le=99)] = 0,
) -> Response:
    """The number, to print or to write down; a page that waits for it."""
    if session is None or not is_raw_id(raw) or not reports.is_token_of(raw, token):
        raise Problem(404, "no_page")
    found = None
    with suppress(Retry):
        found = await reports.find(raw=raw, token=token)
    carried = carried_language(request, language)
    again = f"?{urlencode({'token': token, 'n': n + 1} | carried)}"
    values: dict[str, Any] = {"pause": PAUSES[n] if n < len(PAUSES) else None, "again": again, "number": None}
    if found is not None:
        link = f"{settings.public_url}/lacak/{found.number}"
        values |= {
            "number": found.number,
            "groups": digit_groups(found.number),
            "when": format_time(found.received_at, settings.zone, language),
            "joined": found.joined,
            "follow": f"{settings.public_url}/lacak",
            "private": f"{link}?token={token}" if found.proven else None,
        }
    return render(request, "counter_done.html", language=language, switch=None, counter=session.account.account,
                  staff=session.staff, **values)  # fmt: skip


async def _file(
    reports: ReportService, session: CounterSession, submission: Submission, once: object, agenda: str, *, today: date
) -> FiledReport:
    """What is entered twice is filed once: by its number in the register of letters, else by what the page drew."""
    if len(agenda) > LONGEST_AGENDA or not (agenda.isascii() and agenda.isprintable()):
        raise invalid_fields({"agenda": TranslatableText("error_agenda")})
    fields = validate_submission(submission, today, KIND_FIELDS)
    if agenda:
        fields["extra"] = {**fields.get("extra", {}), "agenda": agenda}
    drawn = isinstance(once, str) and len(once) == 24 and once.isascii()
    key = IdempotencyKey(agenda or str(once), drawn=not agenda) if agenda or drawn else None
    caller = Caller(f"key:{session.key}", session.account, has_key=True)
    try:
        return await reports.file(caller, fields, submission.files, key)
    except Problem as problem:
        if problem.key != "key_reused":
            raise
        if agenda:
            raise invalid_fields({"agenda": TranslatableText("error_agenda_used")}) from None
        return await reports.file(caller, fields, submission.files, None)


async def _entered_today(
    reports: ReportService, session: CounterSession, zone: Any, language: Language
) -> list[dict[str, Any]]:
    midnight = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    found = await reports.of_counter(session.account.account, midnight, SHOWN)
    clock = "%H.%M" if language == "id" else "%H:%M"
    return [
        {"at": r.received_at, "time": r.received_at.astimezone(zone).strftime(clock), "number": r.number,
         "groups": digit_groups(r.number), "title": r.title}
        for r in found
    ]  # fmt: skip


def _page(
    session: CounterSession, listed: list[dict[str, Any]], values: Mapping[str, Any], today: str
) -> dict[str, Any]:
    drawn = {"once": secrets.token_urlsafe(18), "came_by": "letter"}
    return {
        "counter": session.account.account, "staff": session.staff, "listed": listed, "today": today,
        "values": {**drawn, **values}, "problem": None, "files_again": False,
    }  # fmt: skip


def _faults(problem: Problem, submission: Submission, language: Language) -> dict[str, Any]:
    ordered = sorted(problem.errors.items(), key=lambda e: _FIELDS.index(e[0]) if e[0] in _FIELDS else len(_FIELDS))
    banner = {"title": problem.title.to(language), "detail": problem.detail.to(language)}
    return {
        "errors": {name: text.to(language) for name, text in ordered},
        "problem": None if ordered else banner,
        "files_again": bool(submission.files or "files" in problem.errors),
        "switch": None,
    }


def _to(request: Request, language: Language, path: str, **query: str) -> RedirectResponse:
    carried = urlencode(query | carried_language(request, language))
    return RedirectResponse(path + (f"?{carried}" if carried else ""), 303)
