"""More words and files for a report, that it is not solved, and a rating: by the one who has its token."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connectors._report import ReportSupplement
from hub.web.access_proof import is_number
from hub.web.api.problems import Problem, invalid_fields
from hub.web.citizen.form import WAIT
from hub.web.citizen.pages import render_report
from hub.web.citizen.rendering import carried_language
from hub.web.dependencies import (
    Address,
    FormCaller,
    Limiter,
    Proof,
    Reports,
    TheAccounts,
    TheSettings,
    Today,
    count_upload,
    require_same_site,
)
from hub.web.submissions import Submission, read_submission
from hub.web.translations import TranslatableText, language_of
from hub.web.validation import validate_submission

router = APIRouter(include_in_schema=False)


COMMANDS: Mapping[str, Literal["TL", "BELUM", "NILAI"]] = {"keterangan": "TL", "belum": "BELUM", "nilai": "NILAI"}
"""By the last part of the address."""


@router.post("/lacak/{number}/{what}", dependencies=[Depends(require_same_site)])
async def add_to_report(
    *,
    request: Request,
    number: str,
    what: Literal["keterangan", "belum", "nilai"],
    caller: FormCaller,
    accounts: TheAccounts,
    settings: TheSettings,
    limiter: Limiter,
    address: Address,
    reports: Reports,
    proof: Proof,
    today: Today,
) -> Response:
    """File it in the report's own conversation, and show the report with it."""
    submission = await read_submission(request, count_bytes=partial(count_upload, limiter, address))
    hidden = {name: submission.values.pop(name, None) for name in ("lang", "token")}
    token, language = str(hidden["token"] or ""), language_of(hidden["lang"])
    found = await proof.find(address, number, token, None) if is_number(number) else None
    account = accounts.get(found.account or "") if found is not None and found.proven else None
    if found is None or account is None or found.conversation is None:
        raise Problem(404, "not_found")
    try:
        rating = _rating(submission) if what == "nilai" else None
        fields = validate_submission(_words_and_files(submission, rating), today)
    except Problem as problem:
        errors = {_field(name, what): _in_details(text).to(language) for name, text in problem.errors.items()}
        return render_report(request, found, language, settings, errors, token=token)
    fields["supplement"] = ReportSupplement(
        number=number, conversation=found.conversation, command=COMMANDS[what], rating=rating
    )
    filed = await reports.file(caller._replace(account=account), fields, submission.files, None)
    now = await reports.number(filed.id, WAIT)
    if now is not None and now != number:  # too late to reopen it: a report of its own
        number, token = now, filed.token
    query = {"token": token} | carried_language(request, language)
    return RedirectResponse(f"/lacak/{number}?{urlencode(query)}#keterangan", 303)


def _field(name: str, what: str) -> str:
    """The field on the page: two of its forms have words."""
    return "why" if name == "text" and what == "belum" else name


def _in_details(text: TranslatableText) -> TranslatableText:
    return TranslatableText("error_details_missing") if text.key == "error_text_missing" else text


def _rating(submission: Submission) -> int:
    """Raises Problem."""
    rating = str(submission.values.pop("rating", ""))
    if rating not in {"1", "2", "3", "4", "5"}:
        raise invalid_fields({"rating": TranslatableText("error_rating")})
    return int(rating)


def _words_and_files(submission: Submission, rating: int | None = None) -> Submission:
    """Whoever sends only a photo or a rating sends no words."""
    instead = f"Nilai {rating}" if rating else "-" if submission.files else ""
    text = str(submission.values.get("text") or instead)
    return submission._replace(values={**submission.values, "text": text})
