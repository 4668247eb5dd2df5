"""The planner: which answer is owed, and when none is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors._meta import LATER
from router import plan_answer
from schemas import Action, Actor, Attachment, Match, Matched, Message, Office, Owed

NOW = datetime(2025, 8, 4, tzinfo=UTC)
PHOTO = (Attachment(native_id="901"),)
JOINED = (Match(kind="same_report", of="c-1", score=1.0, evidence="the same words"),)


def message(text: str = "", **known) -> Message:
    given = {"id": "sms/sms/1", "raw": "r", "account": "sms", "channel": "sms", "owner": "32", "conversation": "c"}
    return Message(**given | {"received_at": NOW, "text": text} | known)


def owed(outcome: str, item: Message, **known) -> Owed | None:
    return plan_answer(Matched(id="c-1", number="1234567897", outcome=outcome, message=item, **known))


def on_action(outcome: str = "added", **known) -> Owed | None:
    given = {"id": "p/p/1", "raw": "r", "account": "p", "channel": "portal", "owner": "32", "received_at": NOW}
    return plan_answer(Matched(id="c-1", number="1234567897", outcome=outcome, action=Action(**given | known)))


@pytest.mark.parametrize(
    ("outcome", "item", "known", "template"),
    [
        ("recorded", message("jalan rusak"), {}, "number_given"),
        ("recorded", message("masih rusak", command="TL", number="1234567897"), {}, "number_given"),
        (
            "recorded",
            message("masih rusak", command="BELUM", number="1234567897"),
            {"matches": JOINED},
            "reopened_late",
        ),
        ("recorded", message("masih rusak", command="BELUM", number="1234567897"), {}, "number_given"),
        ("recorded", message("jalan rusak"), {"matches": JOINED}, "number_given"),
        ("recorded", message("ada kebakaran", emergency=True), {}, "emergency"),
        ("recorded", message("ada kebakaran", emergency=True), {"missing": ("place",)}, "emergency"),
        ("added", message("api makin besar", emergency=True), {}, "emergency"),
        ("added", message("masih rusak"), {}, "added"),
        ("added", message("masih rusak", kind="image", attachments=PHOTO), {}, "added"),
        ("added", message("jalan rusak"), {"matches": JOINED}, "joined"),
        ("added", message("", command="TL"), {}, "awaiting_words"),
        ("asked", message("", command="CEK"), {}, "status"),
        ("asked", message("", command="CEK"), {"stranger": True}, "status"),
        ("refused", message("", command="CEK", number="1"), {}, "unknown_number"),
        ("refused", message("masih", command="TL", number="1"), {}, "unknown_number"),
        ("refused", message("", command="CEK"), {}, "number_needed"),
        ("refused", message("", command="BANTUAN"), {}, "help"),
        ("refused", message("P", sort="greeting"), {}, "help"),
    ],
)
def test_an_answer_is_owed(outcome: str, item: Message, known: dict, template: str) -> None:
    answer = owed(outcome, item, **known)
    assert answer
    assert answer.template == template


@pytest.mark.parametrize(
    ("outcome", "item"),
    [
        ("added", message("", kind="image", attachments=PHOTO)),
        ("added", message("", command="TL", attachments=PHOTO)),
        ("recorded", message("jalan rusak", answerable=False)),
        ("refused", message("", command="CEK", answerable=False)),
        ("added", message("", kind="location")),
        ("added", message("👍", kind="reaction")),
        ("added", message("jalan", kind="edit")),
        ("added", message("", kind="deletion")),
        ("added", message("terima kasih", sort="thanks")),
        ("added", message("P", sort="greeting")),
        ("refused", message("terima kasih", sort="thanks")),
        ("refused", message("", command="STOP")),
        ("refused", message("CEK 1", command="CEK", number="1", refusal="an automatic reply")),
        ("refused", message("nomor berubah", kind="system", refusal="notice")),
        ("refused", message("", kind="sticker")),
        ("redelivered", message("jalan rusak")),
        ("redelivered", message("", command="CEK")),
    ],
)
def test_no_answer_is_owed(outcome: str, item: Message) -> None:
    assert owed(outcome, item) is None


def test_missing_facts_are_asked_for() -> None:
    answer = owed("recorded", message("rusak"), missing=("text", "place"))
    assert answer == Owed(template="number_given", params={"missing": ("text", "place")})


PUPR = Office(id="pupr", name="Dinas PUPR")


@pytest.mark.parametrize(
    ("known", "answer"),
    [
        (
            {"what": "answer", "text": "Sudah.", "office": PUPR},
            Owed(template="officer_answer", params={"text": "Sudah.", "office": "Dinas PUPR"}),
        ),
        (
            {"what": "question", "text": "Di mana?", "actor": Actor(kind="office", name="BPBD")},
            Owed(template="question", params={"text": "Di mana?", "office": "BPBD"}),
        ),
        ({"what": "status", "status": "verified"}, Owed(template="status_changed", params={"status": "verified"})),
        (
            {"what": "status", "status": "done", "office": Office(id="pu", name="Dinas PU"), "text": "Sudah diganti."},
            Owed(template="finished", params={"text": "Sudah diganti.", "office": "Dinas PU"}),
        ),
        (
            {"what": "status", "status": "rejected", "text": "Bukan wewenang kami."},
            Owed(template="status_changed", params={"status": "rejected", "text": "Bukan wewenang kami."}),
        ),
    ],
)
def test_what_the_reporter_is_told_of_an_action(known: dict, answer: Owed) -> None:
    assert on_action(**known) == answer
    assert answer.template in LATER


@pytest.mark.parametrize(
    "known",
    [
        {"what": "answer"},
        {"what": "note", "text": "rahasia"},
        {"what": "disposition", "text": "tolong"},
        {"what": "status", "status": "unknown"},
        {"what": "unknown", "text": "x"},
    ],
)
def test_an_internal_action_owes_nothing(known: dict) -> None:
    assert on_action(**known) is None


def test_an_action_that_is_refused_or_repeated_owes_nothing() -> None:
    for outcome in ("refused", "redelivered"):
        assert on_action(outcome, what="answer", text="Sudah.") is None


def test_an_officers_own_name_is_not_shown() -> None:
    answer = on_action(what="answer", text="Sudah.", actor=Actor(kind="officer", name="Budi"))
    assert answer == Owed(template="officer_answer", params={"text": "Sudah."})
