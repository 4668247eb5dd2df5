"""More words and files for a report, by the one who has its token."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connectors.web import ReportSupplement
from hub.web.access_proof import is_number
from hub.web.api.problems import Problem
from hub.web.citizen.form import WAIT
from hub.web.citizen.pages import render_report
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
from hub.web.translations import language_of
from hub.web.validation import validate_submission

router = APIRouter(include_in_schema=False)


@router.post("/lacak/{number}/keterangan", dependencies=[Depends(require_same_site)])
async def add_to_report(
    *,
    request: Request,
    number: str,
    caller: FormCaller,
    accounts: TheAccounts,
    settings: TheSettings,
    limiter: Limiter,
    address: Address,
    reports: Reports,
    proof: Proof,
    today: Today,
) -> Response:
    """File an addition in the report's own conversation, and show the report with it."""
    submission = await read_submission(request, count_bytes=partial(count_upload, limiter, address))
    hidden = {name: submission.values.pop(name, None) for name in ("lang", "token")}
    token, language = str(hidden["token"] or ""), language_of(hidden["lang"])
    found = await proof.find(address, number, token, None) if is_number(number) else None
    account = accounts.get(found.account or "") if found is not None and found.proven else None
    if found is None or account is None or found.conversation is None:
        raise Problem(404, "not_found")
    try:
        fields = validate_submission(_words_and_files(submission), today)
    except Problem as problem:
        errors = {name: text.to(language) for name, text in problem.errors.items()}
        return render_report(request, found, language, settings, errors, token=token)
    fields["supplement"] = ReportSupplement(number=number, conversation=found.conversation)
    filed = await reports.file(caller._replace(account=account), fields, submission.files, None)
    await reports.number(filed.id, WAIT)
    query = {"token": token} | ({"lang": language} if language != "id" else {})
    return RedirectResponse(f"/lacak/{number}?{urlencode(query)}#keterangan", 303)


def _words_and_files(submission: Submission) -> Submission:
    """Whoever sends only a photo sends no words."""
    text = str(submission.values.get("text") or ("-" if submission.files else ""))
    return submission._replace(values={**submission.values, "text": text})
