"""What the counter's page files, and what it shows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from connectors._report import KIND_FIELDS
from hub.web.api.problems import Problem, invalid_fields
from hub.web.citizen.dates import format_clock
from hub.web.citizen.rendering import digit_groups
from hub.web.counter_session import CounterSession
from hub.web.idempotency import IdempotencyKey, caller_of_key, draw_key
from hub.web.reports import FiledReport, WebReports
from hub.web.submissions import Submission
from hub.web.translations import Language, TranslatableText, translate
from hub.web.validation import validate_submission

SHOWN = 10
"""Reports of today that the page lists."""
LONGEST_AGENDA = 100
_FIELDS = ("came_by", "agenda", "text", "files", "place", "name", "phone", "address", "title", "incident_date", "email",
           "nik")  # fmt: skip
"""As they stand on the page."""


async def file_entry(
    reports: WebReports, session: CounterSession, submission: Submission, once: object, agenda: str, *, today: date
) -> FiledReport:
    """What is entered twice is filed once: by its number in the register of letters, else by what the page drew."""
    if len(agenda) > LONGEST_AGENDA or not (agenda.isascii() and agenda.isprintable()):
        raise invalid_fields({"agenda": TranslatableText("error_agenda")})
    fields = validate_submission(submission, today, KIND_FIELDS)
    if agenda:
        fields["extra"] = {**fields.get("extra", {}), "agenda": agenda}
    caller = caller_of_key(session.account, session.key)
    if not agenda:
        return await reports.file_form(caller, fields, submission.files, once)
    try:
        return await reports.file(caller, fields, submission.files, IdempotencyKey(agenda))
    except Problem as problem:
        if problem.key != "key_reused":
            raise
        raise invalid_fields({"agenda": TranslatableText("error_agenda_used")}) from None


async def entered_today(
    reports: WebReports, session: CounterSession, now: datetime, language: Language
) -> list[dict[str, Any]]:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    found = await reports.of_counter(session.account.account, midnight, SHOWN)
    return [
        {"at": r.received_at, "time": format_clock(r.received_at.astimezone(now.tzinfo), language), "number": r.number,
         "groups": digit_groups(r.number), "title": r.title}
        for r in found
    ]  # fmt: skip


def page_values(
    session: CounterSession, listed: list[dict[str, Any]], values: Mapping[str, Any], today: date
) -> dict[str, Any]:
    drawn = {"once": draw_key(), "came_by": "letter"}
    return {
        "counter": session.account.account, "staff": session.staff, "listed": listed, "today": today.isoformat(),
        "values": {**drawn, **values}, "problem": None, "files_again": False,
    }  # fmt: skip


def again_values(typed: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """What was typed before the session was over is not stored yet: that is said above it."""
    banner = {"title": translate("counter_again", language), "detail": translate("counter_again_detail", language)}
    return {"problem": banner, "files_again": "files_again" in typed, "switch": None}


def fault_values(problem: Problem, submission: Submission, language: Language) -> dict[str, Any]:
    ordered = sorted(problem.errors.items(), key=lambda e: _FIELDS.index(e[0]) if e[0] in _FIELDS else len(_FIELDS))
    banner = {"title": problem.title.to(language), "detail": problem.detail.to(language)}
    return {
        "errors": {name: text.to(language) for name, text in ordered},
        "problem": None if ordered else banner,
        "files_again": bool(submission.files or "files" in problem.errors),
        "switch": None,
    }
