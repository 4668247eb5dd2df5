"""What an office did about the report of a row, as recaps tell it beside the report: an answer, and a status.

The fields are `answer`, `answer_status`, `answered_at`, `answered_by`; `of_number` is the number that we gave it. The
same answer or status of a row has the same id, however often the recap comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from connectors._lapor_body import OURS
from connectors._lapor_reading import ECHO, status_word
from connectors._row_values import plain_text, text_of, time_of
from connectors._rows import Dates, Fields, wrong_field
from schemas import Actor, Office, Status, plain_digits

FIELDS = ("answer", "answer_status", "answered_at", "answered_by", "of_number")
_WORDS: dict[str, Status] = {
    "belum ditindaklanjuti": "unverified", "belum ditindak lanjuti": "unverified", "baru": "unverified",
    "proses": "in_progress", "sedang diproses": "in_progress", "on progress": "in_progress",
    "sedang ditindaklanjuti": "in_progress", "dalam penanganan": "in_progress",
    "sudah selesai": "done", "tuntas": "done", "selesai ditindaklanjuti": "done",
}  # fmt: skip
"""Words of offices beside those of LAPOR!. What only may mean the end, as `ditindaklanjuti`, is not here."""
_DIGITS = 10
"""Of a number of ours."""
_ENDS = frozenset({"done", "archived", "rejected"})


class RowAction(NamedTuple):
    """One action of a row."""

    what: Literal["answer", "status"]
    row: Fields


def is_report(row: Fields, words: Mapping[str, Status]) -> bool:
    """Not where the row names a report of ours, or tells what was done about one without its words. Raises Reject."""
    if number_in(row):
        return False
    return _has_words(row.get("text")) or not any(actions_of(row, words))


def number_in(row: Fields) -> str | None:
    """The number that we gave the report; None where a word such as "-" says that it has none. Raises Reject."""
    number = plain_digits(plain_text(row.get("of_number")).removesuffix(".0"))
    if number and len(number) != _DIGITS:
        raise wrong_field("of_number")
    return number or None


def actions_of(row: Fields, words: Mapping[str, Status]) -> Iterator[RowAction]:
    """The actions that a row tells of. A status as every report begins is no news; a word that is in no table is none:
    it stays with the report."""
    if not ("answer" in row or "answer_status" in row):
        return
    if _has_words(row.get("answer")):
        yield RowAction("answer", row)
    if status_of(row, words) not in {"unverified", "unknown"}:
        yield RowAction("status", row)


def status_of(row: Fields, words: Mapping[str, Status]) -> Status:
    """`words`: the account's own."""
    said = " ".join(plain_text(row.get("answer_status")).lower().split())
    return words.get(said) or _WORDS.get(said) or status_word(said)


def action_fields(
    found: RowAction, account: str, words: Mapping[str, Status], zone: str, dates: Dates
) -> dict[str, Any]:
    """The fields of the Action but for its id and for what it is about. Raises Reject."""
    row = dict(found.row)
    at = time_of(row, zone, dates, "answered_at")
    by = plain_text(row.get("answered_by"))
    office = Office(id=f"{account}:{by}", name=by) if by and plain_text(row.get("answer")) else None
    fields = {
        "what": found.what, "observed_at": at, "office": office,
        "actor": Actor(kind="office", name=by) if office else Actor(kind="system", id=account),
    }  # fmt: skip
    if found.what == "status":
        status = status_of(row, words)
        if at is None and status not in _ENDS:  # at the earliest; else an end that has a time would be the older one
            fields["observed_at"] = time_of(row, zone, dates)
        return fields | {"status": status, "status_said": plain_text(row.get("answer_status"))}
    said = text_of(row, "answer") or ""
    return fields | {"text": OURS.sub("", said).strip(), "refusal": ECHO if OURS.search(said) else None}


def own_id(found: RowAction, native: str, words: str) -> str:
    """The same for the same answer to the same words; of a status with its time: a report may be worked on again."""
    said = [found.row.get("answer")] if found.what == "answer" else [
        found.row.get("answer_status"), found.row.get("answered_at")
    ]  # fmt: skip
    said += [words] if words else []
    digest = sha256("\0".join(" ".join(plain_text(one).split()) for one in said).encode()).hexdigest()[:16]
    return f"{native}/{found.what}/{digest}"


def without_actions(row: Fields, words: Mapping[str, Status]) -> None:
    """Take out of the row what became actions."""
    told = {one.what for one in actions_of(row, words)}
    said, by = row.pop("answer_status", None), row.pop("answered_by", None)
    if "status" not in told and plain_text(said):
        row["status"] = row.get("status") or said
    if "answer" not in told and plain_text(by):
        row["answered_by"] = by
    for name in ("answer", "answered_at", "of_number"):
        row.pop(name, None)


def _has_words(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
