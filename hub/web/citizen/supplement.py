"""More words and files for a report, that it is not solved, and a rating: by the one who has its token."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connectors._report import NO_WORDS, ReportSupplement
from hub.web.access_proof import is_number
from hub.web.api.problems import Problem, invalid_fields
from hub.web.citizen.form import WAIT, refused_turn
from hub.web.citizen.rendering import carried_language
from hub.web.citizen.report_page import RefusedForm, render_report
from hub.web.dependencies import (
    Address,
    Limiter,
    PageLanguage,
    Proof,
    Reports,
    TheAccounts,
    TheSettings,
    Today,
    count_upload,
    require_same_site,
)
from hub.web.idempotency import Caller
from hub.web.submissions import Submission, read_submission
from hub.web.translations import TranslatableText, language_of
from hub.web.validation import validate_submission

router = APIRouter(include_in_schema=False)

Form = Literal["keterangan", "belum", "nilai"]
COMMANDS: Mapping[Form, Literal["TL", "BELUM", "NILAI"]] = {"keterangan": "TL", "belum": "BELUM", "nilai": "NILAI"}


@router.get("/lacak/{number}/{form}")
async def show_report_again(request: Request, number: str, form: Form, language: PageLanguage) -> Response:
    """The address that a browser shows after a form was refused."""
    query = urlencode(carried_language(request, language))
    return RedirectResponse(f"/lacak/{number}" + (f"?{query}" if query else ""), 303)


@router.post("/lacak/{number}/{form}", dependencies=[Depends(require_same_site)])
async def add_to_report(
    *,
    request: Request,
    number: str,
    form: Form,
    accounts: TheAccounts,
    settings: TheSettings,
    limiter: Limiter,
    address: Address,
    reports: Reports,
    proof: Proof,
    today: Today,
) -> Response:
    """File it in the report's own conversation, and show the report with it; else show the form again."""
    refusal = refused_turn(request, accounts, limiter, address)
    submission = await read_submission(request, count_bytes=partial(count_upload, limiter, address))
    hidden = {name: submission.values.pop(name, None) for name in ("lang", "token", "once")}
    token, language = str(hidden["token"] or ""), language_of(hidden["lang"])
    found = await proof.find(address, number, token, None) if is_number(number) else None
    if found is None or not found.proven or found.conversation is None:
        raise Problem(404, "not_found")
    account = accounts.get(found.account or "")
    try:
        if refusal:
            raise refusal
        if account is None or accounts.state(account.account) == "closed":
            raise Problem(503, "no_account", headers={"Retry-After": "3600"})
        fields = _fields(form, submission, number, found.conversation, today)
        filed = await reports.file_form(Caller("form", account), fields, submission.files, hidden["once"])
    except Problem as problem:
        values = {**submission.values, "once": hidden["once"]}
        refused = RefusedForm(form, problem, values, has_files=bool(submission.files or "files" in problem.errors))
        return render_report(request, found, language, settings, today=today, token=token, refused=refused)
    now = await reports.number(filed.id, WAIT)
    sent: str = form if now is not None else "waiting"
    if now is not None and now != number:  # too late to reopen it: a report of its own
        number, token, sent = now, filed.token, "anew"
    query = {"token": token, "sent": sent} | carried_language(request, language)
    return RedirectResponse(f"/lacak/{number}?{urlencode(query)}#terkirim", 303)


def _fields(form: Form, submission: Submission, number: str, conversation: str, today: date) -> dict[str, Any]:
    """Of the report that is filed. Raises Problem."""
    rating = _rating(submission) if form == "nilai" else None
    try:
        fields = validate_submission(_words_and_files(submission, rating), today)
    except Problem as problem:
        raise invalid_fields({name: _in_details(text) for name, text in problem.errors.items()}) from None
    fields["supplement"] = ReportSupplement(
        number=number, conversation=conversation, command=COMMANDS[form], rating=rating
    )
    return fields


def _in_details(text: TranslatableText) -> TranslatableText:
    return TranslatableText("error_details_missing") if text.key == "error_text_missing" else text


def _rating(submission: Submission) -> int:
    """Raises Problem."""
    rating = str(submission.values.get("rating", ""))
    if rating not in {"1", "2", "3", "4", "5"}:
        raise invalid_fields({"rating": TranslatableText("error_rating")})
    return int(rating)


def _words_and_files(submission: Submission, rating: int | None = None) -> Submission:
    """Whoever sends only a photo or a rating sends no words."""
    instead = NO_WORDS if rating or submission.files else ""
    values = {name: value for name, value in submission.values.items() if name != "rating"}
    return submission._replace(values={**values, "text": str(values.get("text") or instead)})
