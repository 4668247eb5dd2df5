"""The counter's page, `/loket`: staff enter a letter, a visit or a call on somebody's behalf, and hand over its number.
It works without JavaScript."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.web.api.problems import Problem, too_many
from hub.web.citizen.dates import format_time
from hub.web.citizen.form import WAIT
from hub.web.citizen.number import number_or_pause
from hub.web.citizen.rendering import carried_language, render
from hub.web.counter_entry import again_values, entered_today, fault_values, file_entry, page_values
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
    Now,
    PageLanguage,
    Reports,
    TheAccounts,
    TheSettings,
    count_upload,
    require_same_site,
)
from hub.web.reports import is_raw_id
from hub.web.submissions import JSON_LIMIT, read_submission
from hub.web.translations import Language, TranslatableText
from schemas import Retry

PAGE = "/loket"
router = APIRouter(include_in_schema=False, prefix=PAGE)


def _session(request: Request, accounts: TheAccounts, reports: Reports, now: Now) -> CounterSession | None:
    return session_of_cookie(accounts, request.cookies.get(COOKIE, ""), now, reports.proof_of)


Session = Annotated[CounterSession | None, Depends(_session)]
SAME_SITE = [Depends(require_same_site)]


@router.get("")
async def show_counter(
    *, request: Request, language: PageLanguage, session: Session, reports: Reports, now: Now
) -> Response:
    """The empty form, with what this counter entered today; the way in for those who have not shown a key."""
    if session is None:
        return render(request, "counter_login.html", language=language, typed={})
    listed = await entered_today(reports, session, now, language)
    return render(request, "counter.html", language=language, **page_values(session, listed, {}, now.date()))


@router.get("/masuk")
async def show_login(request: Request, language: PageLanguage) -> Response:
    """The address that a browser shows after a wrong key."""
    return _to(request, language, PAGE)


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
    now: Now,
) -> Response:
    """Show a key of the counter, and say who works there."""
    typed = (await read_submission(request, JSON_LIMIT)).values
    staff, key = (str(typed.pop(name, "")).strip() for name in ("staff", "key"))
    staff = staff[:LONGEST_NAME]
    session = session_of_key(accounts, key, staff) if staff else None
    if session is None:
        if staff and (waiting := limiter.wrong_key(address)):
            raise too_many(waiting)
        error = {"key": "error_counter_key"} if staff else {"staff": "error_missing"}
        errors = {name: TranslatableText(text).to(language) for name, text in error.items()}
        page: dict[str, Any] = {"errors": errors, "values": {"staff": staff}, "typed": typed, "switch": None}
        return render(request, "counter_login.html", language=language, status=422, **page)
    if typed:
        listed = await entered_today(reports, session, now, language)
        page = page_values(session, listed, typed, now.date()) | again_values(typed, language)
        answer = render(request, "counter.html", language=language, **page)
    else:
        answer = _to(request, language, PAGE)
    secure = settings.public_url.startswith("https:")
    cookie = cookie_of(session, now, reports.proof_of)
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
    limiter: Limiter,
    address: Address,
    now: Now,
) -> Response:
    """File what the form holds and go on to its number; else show the form again, after a session that is over once
    its staff has logged in."""
    count_bytes = partial(count_upload, limiter, address) if session is None else (lambda size: None)
    submission = await read_submission(request, count_bytes=count_bytes)
    if session is None:
        typed = submission.values | ({"files_again": "true"} if submission.files or submission.errors else {})
        return render(request, "counter_login.html", language=language, status=403, typed=typed, switch=None)
    once, agenda = submission.values.pop("once", None), submission.values.pop("agenda", "")
    submission.values["entered_by"] = session.staff
    try:
        filed = await file_entry(reports, session, submission, once, str(agenda).strip(), today=now.date())
    except Problem as problem:
        values = {**submission.values, "agenda": agenda, "once": once}
        listed = await entered_today(reports, session, now, language)
        page = page_values(session, listed, values, now.date()) | fault_values(problem, submission, language)
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
    n: str = "0",
) -> Response:
    """The number, to print or to write down; a page that waits for it."""
    if session is None or not is_raw_id(raw) or not reports.is_token_of(raw, token):
        raise Problem(404, "no_page")
    found = None
    with suppress(Retry):
        found = await reports.find(raw=raw, token=token)
    values = number_or_pause(found, n, {"token": token} | carried_language(request, language))
    if found is not None:
        link = f"{settings.public_url}/lacak/{found.number}"
        values |= {
            "when": format_time(found.received_at, settings.zone, language),
            "follow": f"{settings.public_url}/lacak",
            "private": f"{link}?token={token}" if found.proven else None,
        }
    return render(request, "counter_done.html", language=language, switch=None, counter=session.account.account,
                  staff=session.staff, **values)  # fmt: skip


def _to(request: Request, language: Language, path: str, **query: str) -> RedirectResponse:
    carried = urlencode(query | carried_language(request, language))
    return RedirectResponse(path + (f"?{carried}" if carried else ""), 303)
