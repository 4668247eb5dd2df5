"""The form: shown, taken, and shown again with everything that was typed where it could not be taken."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.accounts import Accounts
from hub.web.api.problems import Problem
from hub.web.citizen.rendering import carried_language, render
from hub.web.dependencies import (
    Address,
    Limiter,
    PageLanguage,
    Reports,
    TheAccounts,
    Today,
    count_upload,
    require_same_site,
    take_form_turn,
    web_account,
)
from hub.web.idempotency import Caller, draw_key, drawn_key
from hub.web.limits import RateLimiter
from hub.web.submissions import Submission, read_submission
from hub.web.translations import Language, TranslatableText, language_of
from hub.web.validation import validate_submission
from hub.web.widget_frame import WIDGET, is_embedded

WAIT = 5.0
"""Seconds that the form waits for its number."""
READ_THOUGH_REFUSED = 64 * 1024
"""Bytes of a form that is read to be shown again though its caller sent too many."""
_FIELDS = ("text", "files", "place", "phone", "name", "email", "title", "incident_date")
"""As they stand on the page."""

router = APIRouter(include_in_schema=False)


@router.get("/")
async def show_form(request: Request, accounts: TheAccounts, language: PageLanguage, today: Today) -> Response:
    """The empty form. Raises Problem where none is taken: nobody shall fill it in for nothing."""
    web_account(accounts)
    answer = render(request, "form.html", language=language, here="form", **_page_values({}, today.isoformat()))
    answer.headers["Cache-Control"] = "private, no-cache"  # whoever goes back gets this page again, with its own key
    return answer


@router.post("/", dependencies=[Depends(require_same_site)])
async def submit_form(
    *, request: Request, accounts: TheAccounts, limiter: Limiter, address: Address, reports: Reports, today: Today
) -> Response:
    """File what the form holds and go on to its number; else show the form again."""
    caller = Caller("form", web_account(accounts))
    refusal = refused_turn(request, accounts, limiter, address)
    submission = await read_submission(request, count_bytes=partial(count_upload, limiter, address))
    hidden = {name: submission.values.pop(name, None) for name in ("lang", "once", "switch")}
    language = language_of(hidden["switch"] or hidden["lang"])
    again = partial(_show_again, request, submission, language=language, once=hidden["once"], today=today.isoformat())
    if hidden["switch"]:
        if not refusal:  # else none was taken
            limiter.give_back_report(caller.account.account, address)
        return again()
    if refusal:
        return again(problem=refusal)
    try:
        fields = validate_submission(submission, today)
        filed = await reports.file_form(caller, fields, submission.files, hidden["once"])
    except Problem as problem:
        return again(problem=problem)
    await reports.number(filed.id, WAIT)
    query = {"token": filed.token} | carried_language(request, language)
    prefix = WIDGET if is_embedded(request.url.path) else ""
    return RedirectResponse(f"{prefix}/diterima/{filed.id}?{urlencode(query)}", 303)


def refused_turn(request: Request, accounts: Accounts, limiter: RateLimiter, address: str) -> Problem | None:
    """The problem of one who sent too many forms, whose form is small enough to be shown again; None: a turn was taken.
    Raises Problem where the form is too large for that."""
    try:
        take_form_turn(accounts.first("web"), limiter, address)
    except Problem as problem:
        if int(request.headers.get("content-length") or READ_THOUGH_REFUSED + 1) > READ_THOUGH_REFUSED:
            raise
        return problem
    return None


def _show_again(
    request: Request,
    submission: Submission,
    *,
    language: Language,
    once: object,
    today: str,
    problem: Problem | None = None,
) -> Response:
    values = {**submission.values, **({"once": once} if drawn_key(once) else {})}
    errors = problem.errors if problem else {}
    banner = problem and not errors and {"title": problem.title.to(language), "detail": problem.detail.to(language)}
    page = _page_values(values, today) | {
        "errors": {name: text.to(language) for name, text in sorted(errors.items(), key=_on_page)},
        "problem": banner,
        "files_again": bool(submission.files or "files" in errors),
        "switch": None,  # a link would lose what was typed: the form has a button instead
    }
    status = problem.status if problem else 200
    answer = render(request, "form.html", language=language, here="form", status=status, **page)
    answer.headers.update(problem.headers if problem else {})
    return answer


def _page_values(values: Mapping[str, Any], today: str) -> dict[str, Any]:
    return {"files_again": False, "problem": None, "today": today, "values": {"once": draw_key(), **values}}


def _on_page(error: tuple[str, TranslatableText]) -> int:
    return _FIELDS.index(error[0]) if error[0] in _FIELDS else len(_FIELDS)
