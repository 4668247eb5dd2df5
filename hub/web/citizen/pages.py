"""The pages for people: the form, the page after it, and the progress of a report. All work without JavaScript."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.web.access_proof import is_number
from hub.web.api.problems import Problem, invalid_fields
from hub.web.citizen.number import number_or_pause
from hub.web.citizen.rendering import carried_language, render, static_file
from hub.web.citizen.report_page import SHOWN, RefusedForm, render_report
from hub.web.dependencies import Address, PageLanguage, Proof, Reports, TheSettings, Today, require_same_site
from hub.web.reports import is_raw_id
from hub.web.submissions import read_submission
from hub.web.translations import Language, TranslatableText, language_of, other_language
from schemas import Retry, plain_digits

DIGITS_LIMIT = 16 * 1024
"""Bytes of a request that holds four digits."""

router = APIRouter(include_in_schema=False)


@router.get("/diterima/{raw}")
async def accepted(
    *,
    request: Request,
    raw: str,
    language: PageLanguage,
    reports: Reports,
    proof: Proof,
    address: Address,
    token: str | None = None,
    n: str = "0",
) -> Response:
    """The page after the form: the number, or a page that waits for it."""
    if not (is_raw_id(raw) and token and reports.is_token_of(raw, token)):
        raise Problem(404, "no_page")
    found = None
    with suppress(Retry):
        found = await proof.find(address, raw, token, None)
    values = number_or_pause(found, n, {"token": token} | carried_language(request, language))
    own_token = token if found is not None and found.proven else None
    switch = f"?{urlencode({'token': token, 'lang': other_language(language)})}"
    return render(request, "accepted.html", language=language, switch=switch, token=own_token, **values)


@router.get("/lacak/")
@router.get("/lacak")
async def ask_number(request: Request, language: PageLanguage, number: str | None = None) -> Response:
    """Where a number is entered."""
    if number is None:
        return render(request, "track.html", language=language, here="track")
    digits = plain_digits(number)
    if error := _mistake(digits):
        return _ask_again(request, language, number, error, 422)
    query = urlencode(carried_language(request, language))
    return RedirectResponse(f"/lacak/{digits}" + (f"?{query}" if query else ""), 303)


@router.get("/lacak/{number}")
async def show_report(
    *,
    request: Request,
    number: str,
    language: PageLanguage,
    settings: TheSettings,
    proof: Proof,
    address: Address,
    today: Today,
    token: str | None = None,
) -> Response:
    """The progress of a report; with its token also its words."""
    digits = plain_digits(number)
    if error := _mistake(digits):
        return _ask_again(request, language, number, error, 404)
    found = await proof.find(address, digits, token, None)
    if found is None:
        return _ask_again(request, language, number, "not_found", 404)
    return render_report(request, found, language, settings, today=today, token=token if found.proven else None)


@router.get("/lacak/{number}/berkas/{sha256}")
async def show_file(
    *, number: str, sha256: str, proof: Proof, reports: Reports, address: Address, token: str = ""
) -> Response:
    """A picture of the reporter's own, to the one who has the report's token."""
    found = await proof.find(address, number, token, None) if is_number(number) else None
    mine = found.attachments if found is not None and found.proven else ()
    types = {file.shown: file.shown_type for file in mine} | {file.preview: "image/jpeg" for file in mine}
    media_type = types.get(sha256)
    if media_type not in SHOWN:
        raise Problem(404, "no_page")
    headers = {"Content-Disposition": "inline", "Cache-Control": "private, no-store"}
    return Response(await reports.file_bytes(sha256), headers=headers, media_type=media_type)


@router.post("/lacak/{number}", dependencies=[Depends(require_same_site)])
async def prove_by_phone(
    *, request: Request, number: str, settings: TheSettings, proof: Proof, address: Address, today: Today
) -> Response:
    """The words of a report, to the one who knows the last four digits of its phone."""
    proof.admit(address)
    values = (await read_submission(request, DIGITS_LIMIT)).values
    language, last4 = language_of(values.get("lang")), plain_digits(str(values.get("last4", "")))
    complete = len(last4) == 4
    found = await proof.find(address, number, None, last4 if complete else None) if is_number(number) else None
    if found is None:
        return _ask_again(request, language, number, "not_found", 404)
    if found.proven:
        return render_report(request, found, language, settings, today=today)
    wrong = invalid_fields({"last4": TranslatableText("not_proven" if complete else "error_last4")})
    return render_report(request, found, language, settings, today=today, refused=RefusedForm("last4", wrong))


@router.get("/static/{name}")
async def static(name: str) -> Response:
    """Style, script and icon."""
    file = static_file(name)
    if file is None:
        raise Problem(404, "no_page")
    return file


def _mistake(digits: str) -> str | None:
    """The key of what is wrong with a number; None: it can be one."""
    if len(digits) != 10:
        return "error_number"
    return None if is_number(digits) else "error_check_digit"


def _ask_again(request: Request, language: Language, number: str, error: str, status: int) -> Response:
    values = {"errors": {"number": TranslatableText(error).to(language)}, "values": {"number": number}}
    return render(request, "track.html", language=language, here="track", status=status, **values)
