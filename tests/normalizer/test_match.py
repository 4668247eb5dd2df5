"""`match`: the table of cases, row by row, on a memory in a dict."""

from __future__ import annotations

import pytest

from normalizer import MATCHER, match
from schemas import Attachment, Matched, Message, Party, complaint_id
from tests.normalizer.stage import BUDI, LAMP, ROAD, SARI, MemoryDouble, match_each, message, number_of, opened

NO_SUCH = number_of(complaint_id("nobody"))


def follow(report: Matched, command: str, native: str = "9", text: str = "", **known) -> Message:
    return message(native, text, command=command, number=report.number, **known)


def test_the_first_message_opens_a_complaint() -> None:
    matched = opened(MemoryDouble())
    assert matched.id == complaint_id("sms/sms/0")
    assert matched.number == number_of(matched.id)
    assert (matched.matcher, matched.missing, matched.stranger) == (MATCHER, (), False)


def test_an_empty_batch_asks_no_memory() -> None:
    assert match([], MemoryDouble()) == []


# 1: the same raw once more


def test_case_03_a_batch_that_comes_again_is_no_duplicate_of_itself() -> None:
    memory = MemoryDouble()
    batch = [message("0", ROAD), message("1", "masih rusak pak", minutes=1), message("2", LAMP, by=BUDI)]
    first = match(batch, memory)  # and here the process dies, before anything is published
    assert match(batch, memory) == first
    assert len(memory.entries) == 3


def test_case_03_the_same_raw_twice_in_one_batch_is_decided_once() -> None:
    memory = MemoryDouble()
    first, second = match([message("0", ROAD), message("0", ROAD)], memory)
    assert first == second
    assert len(memory.entries) == 1


def test_the_stored_decision_holds_even_if_the_message_is_now_read_otherwise() -> None:
    memory = MemoryDouble()
    first = opened(memory)
    (again,) = match([message("0", ROAD, refusal="notice")], memory)
    assert (again.id, again.outcome) == (first.id, "recorded")


# 2 and 3: redeliveries


def test_case_01_the_same_message_id_minutes_later_is_a_redelivery() -> None:
    memory = MemoryDouble()
    first = opened(memory)
    (again,) = match([message("0", ROAD, raw="another", minutes=7)], memory)
    assert (again.outcome, again.id, again.number) == ("redelivered", first.id, first.number)
    assert [(m.kind, m.of, m.score) for m in again.matches] == [("redelivery", "sms/sms/0", 1.0)]


def test_case_01_a_redelivery_within_one_batch() -> None:
    batch = [message("0", ROAD), message("0", ROAD, raw="another")]
    assert [c.outcome for c in match(batch, MemoryDouble())] == ["recorded", "redelivered"]


@pytest.mark.parametrize(("minutes", "outcome"), [(9, "redelivered"), (11, "added")])
def test_without_ids_ten_minutes_decide_on_a_redelivery(minutes: float, outcome: str) -> None:
    twins = (message("~a.0", "ya", fingerprint="f"), message("~b.0", "ya", fingerprint="f", minutes=minutes))
    assert match_each(MemoryDouble(), *twins)[1].outcome == outcome
    assert match(list(twins), MemoryDouble())[1].outcome == outcome


def test_a_redelivery_switches_no_thread() -> None:
    memory = MemoryDouble()
    first, _ = match_each(memory, message("0", ROAD), message("1", LAMP, opens_report=True, minutes=1))
    again = message("0", ROAD, raw="another", minutes=2)
    assert match_each(memory, again, message("2", "sudah seminggu", minutes=3))[1].id != first.id


# 4 to 8: refusals and commands


def test_a_refusal_of_the_channel_is_kept_with_its_reason() -> None:
    (matched,) = match([message("0", ROAD, refusal="an automatic reply", opens_report=True)], MemoryDouble())
    assert (matched.outcome, matched.id, matched.reason) == ("refused", None, "an automatic reply")


@pytest.mark.parametrize("command", ["TL", "CEK"])
@pytest.mark.parametrize("number", [NO_SUCH, "1234567890", "42", None])
def test_a_number_that_nobody_has_is_refused(command: str, number: str | None) -> None:
    memory = MemoryDouble()
    opened(memory)
    (matched,) = match([message("1", "masih rusak pak", command=command, number=number, by=BUDI)], memory)
    assert (matched.outcome, matched.id, matched.number) == ("refused", None, None)
    assert matched.reason
    assert command in matched.reason


def test_the_reporter_asks_for_the_status() -> None:
    memory = MemoryDouble()
    first = opened(memory)
    (asked,) = match([follow(first, "CEK")], memory)
    assert (asked.outcome, asked.id, asked.number, asked.stranger) == ("asked", first.id, first.number, False)


def test_a_question_switches_no_thread() -> None:
    memory = MemoryDouble()
    first = opened(memory)
    second = opened(memory, "1", LAMP, opens_report=True, minutes=1)
    _, more = match_each(memory, follow(first, "CEK", "2", minutes=2), message("3", "masih mati", minutes=3))
    assert more.id == second.id


@pytest.mark.parametrize("status", ["in_progress", "done"])
def test_a_bare_question_is_about_the_latest_report_of_the_conversation(status: str) -> None:
    memory = MemoryDouble()
    first = opened(memory)
    memory.status[first.id or ""] = status
    (asked,) = match([message("1", command="CEK", minutes=60 * 24 * 30)], memory)
    assert (asked.outcome, asked.id, asked.stranger) == ("asked", first.id, False)


def test_the_reporter_is_known_by_a_proven_identity_at_another_account() -> None:
    memory = MemoryDouble()
    first = opened(memory)
    by_whatsapp = follow(first, "TL", text="masih rusak pak", account="wa-bandung")
    assert match([by_whatsapp], memory)[0].id == first.id


@pytest.mark.parametrize("command", ["TL", "CEK"])
def test_finding_m5_a_claimed_identity_at_another_account_is_not_the_reporter(command: str) -> None:
    memory = MemoryDouble()
    first = opened(memory, account="web", channel="web", conversation="form-1", anonymous=True)
    forged, other = match_each(
        memory, *(follow(first, command, native, "sudah kah ini", by=by) for native, by in (("1", SARI), ("2", BUDI)))
    )
    assert (forged.outcome, forged.stranger, forged.matches) == (other.outcome, other.stranger, other.matches)
    assert forged.stranger or forged.id != first.id


def test_the_reporter_is_known_by_conversation_where_no_identity_is() -> None:
    memory = MemoryDouble()
    nobody = {"sender": Party(), "conversation": "chat-1", "account": "line", "channel": "line"}
    first = opened(memory, **nobody)
    assert not match([follow(first, "TL", text="masih rusak", **nobody)], memory)[0].stranger


def test_case_22_a_stranger_who_asks_gets_the_status_only() -> None:
    memory = MemoryDouble()
    first = opened(memory)
    (asked,) = match([follow(first, "CEK", by=BUDI)], memory)
    assert (asked.outcome, asked.id, asked.stranger) == ("asked", first.id, True)


@pytest.mark.parametrize("command", ["BANTUAN", "STOP"])
def test_a_request_for_help_or_silence_is_no_report(command: str) -> None:
    memory = MemoryDouble()
    opened(memory)
    (matched,) = match([message("1", command=command)], memory)
    assert (matched.outcome, matched.id) == ("refused", None)


@pytest.mark.parametrize("account", ["sms", "wa-bandung"])
def test_case_22_a_stranger_with_our_number_opens_a_complaint_of_his_own(account: str) -> None:
    memory = MemoryDouble()
    first = opened(memory, account=account)
    (other,) = match([follow(first, "TL", text=LAMP, by=BUDI, account=account)], memory)
    assert (other.outcome, other.stranger) == ("recorded", False)
    assert other.id != first.id
    assert other.number != first.number


def test_case_22_a_stranger_with_our_number_and_nothing_to_say_is_refused() -> None:
    memory = MemoryDouble()
    (refused,) = match([follow(opened(memory), "TL", by=BUDI)], memory)
    assert (refused.outcome, refused.id) == ("refused", None)


@pytest.mark.parametrize("batch", [True, False])
def test_case_22_nothing_that_follows_a_strangers_question_enters_the_case(batch: bool) -> None:
    memory = MemoryDouble()
    first = opened(memory)
    asked = follow(first, "CEK", "1", by=BUDI, minutes=1)
    then = [
        message("2", "hapus", by=BUDI, kind="edit", refers_to="1", minutes=2),
        message("3", LAMP, by=BUDI, minutes=3),
        message("4", raw="another", id="sms/sms/1", by=BUDI, minutes=4),
    ]
    events = match([asked, *then], memory)[1:] if batch else match_each(memory, asked, *then)[1:]
    assert [e.outcome for e in events] == ["refused", "recorded", "redelivered"]
    assert [e.id == first.id and not e.stranger for e in events] == [False] * 3


def test_case_22_the_same_words_by_a_stranger_are_a_report_of_their_own() -> None:
    memory = MemoryDouble()
    first = opened(memory)
    assert opened(memory, "1", by=BUDI).id != first.id


def test_case_22_a_stranger_says_the_same_twice_and_has_one_complaint() -> None:
    memory = MemoryDouble()
    first = opened(memory)
    own, again = match_each(
        memory, *(follow(first, "TL", native, LAMP, by=BUDI, opens_report=True) for native in ("1", "2"))
    )
    assert (again.outcome, again.id) == ("added", own.id)


def test_the_thread_is_about_the_report_that_was_followed_up() -> None:
    memory = MemoryDouble()
    first = opened(memory)
    second = opened(memory, "1", LAMP, opens_report=True, minutes=1)
    follow_up, more = match_each(
        memory, follow(first, "TL", "2", "masih rusak", minutes=2), message("3", "tolong pak", minutes=3)
    )
    assert (follow_up.id, more.id) == (first.id, first.id) != (second.id, second.id)


def test_a_number_drawn_in_this_batch_is_known_in_it() -> None:
    first = message("0", ROAD)
    number = number_of(complaint_id(first.id))
    batch = [first, *(message(str(n), command="CEK", number=number, by=by) for n, by in enumerate((SARI, BUDI), 1))]
    assert [(c.outcome, c.stranger) for c in match(batch, MemoryDouble())] == [
        ("recorded", False), ("asked", False), ("asked", True),
    ]  # fmt: skip


# 9 and 10: what refers to a message, what says nothing


@pytest.mark.parametrize("kind", ["reaction", "edit", "deletion"])
def test_a_referring_message_joins_where_the_other_is(kind: str) -> None:
    memory = MemoryDouble()
    first = opened(memory)
    opened(memory, "1", LAMP, opens_report=True, minutes=1)
    (joined,) = match([message("2", "👍", kind=kind, refers_to="0", minutes=2)], memory)
    assert (joined.outcome, joined.id) == ("added", first.id)


@pytest.mark.parametrize("kind", ["reaction", "edit", "deletion"])
def test_a_referring_message_to_something_unknown_joins_the_open_thread_or_nothing(kind: str) -> None:
    memory = MemoryDouble()
    first = opened(memory)
    known, unknown = match_each(
        memory, *(message(str(n), kind=kind, refers_to="ours-7", by=by) for n, by in enumerate((SARI, BUDI), 1))
    )
    assert (known.outcome, known.id) == ("added", first.id)
    assert (unknown.outcome, unknown.id) == ("refused", None)


@pytest.mark.parametrize("batch", [True, False])
def test_a_deletion_that_comes_before_its_message_stands_with_the_report(batch: bool) -> None:
    memory, items = MemoryDouble(), [message("9", kind="deletion", refers_to="0"), message("0", ROAD, minutes=1)]
    deletion, report = match(items, memory) if batch else match_each(memory, *items)
    assert (deletion.outcome, report.outcome) == ("refused", "recorded")
    assert (report.reason or "").endswith("its sender deleted it before it came")


def test_a_reaction_does_not_switch_the_thread() -> None:
    memory = MemoryDouble()
    opened(memory)
    second = opened(memory, "1", LAMP, opens_report=True, minutes=1)
    thumb = message("2", "👍", kind="reaction", refers_to="0", minutes=2)
    assert match_each(memory, thumb, message("3", "masih mati", minutes=3))[1].id == second.id


def test_an_edit_in_the_batch_of_its_message() -> None:
    first, edit = match([message("0", ROAD), message("1", LAMP, kind="edit", refers_to="0")], MemoryDouble())
    assert (edit.outcome, edit.id) == ("added", first.id)


@pytest.mark.parametrize("kind", ["sticker", "system"])
def test_a_sticker_alone_is_refused_and_in_a_thread_it_joins(kind: str) -> None:
    memory = MemoryDouble()
    first = opened(memory)
    alone, joined = match([message("1", kind=kind, by=BUDI), message("2", kind=kind)], memory)
    assert (alone.outcome, joined.outcome, joined.id) == ("refused", "added", first.id)


# 10 and 11: quotes, courtesies


@pytest.mark.parametrize("kind", ["text", "image", "sticker"])
@pytest.mark.parametrize("status", ["in_progress", "done"])
def test_case_12_a_quote_goes_to_the_report_of_the_quoted_message(kind: str, status: str) -> None:
    memory = MemoryDouble()
    first = opened(memory)
    opened(memory, "1", LAMP, opens_report=True, minutes=1)
    memory.status[first.id or ""] = status
    (joined,) = match([message("2", "masih berlubang", kind=kind, refers_to="0", minutes=2)], memory)
    assert (joined.outcome, joined.id) == ("added", first.id)


def test_case_12_a_quote_of_somebody_elses_report_is_none() -> None:
    memory = MemoryDouble()
    opened(memory)
    assert opened(memory, "1", LAMP, by=BUDI, refers_to="0").outcome == "recorded"


def test_a_quote_that_opens_a_report_opens_one() -> None:
    memory = MemoryDouble()
    first = opened(memory)
    assert opened(memory, "1", LAMP, refers_to="0", opens_report=True, minutes=1).id != first.id


@pytest.mark.parametrize("sort", ["thanks", "greeting"])
def test_a_courtesy_alone_is_refused_and_in_a_thread_it_joins(sort: str) -> None:
    memory = MemoryDouble()
    first = opened(memory)
    alone, joined = match([message("1", "P", sort=sort, by=BUDI), message("2", "P", sort=sort)], memory)
    assert (alone.outcome, joined.outcome, joined.id) == ("refused", "added", first.id)


def test_a_courtesy_with_a_photo_is_a_report() -> None:
    assert opened(MemoryDouble(), text="halo", sort="greeting", attachments=(Attachment(native_id="1"),)).id


# 12: the same report


@pytest.mark.parametrize("batch", [True, False])
def test_the_same_report_by_another_proven_account_is_joined_with_evidence(batch: bool) -> None:
    memory = MemoryDouble()
    here = message("0", ROAD, account="wa-bandung")
    there = message("f", ROAD.upper() + " !!", account="wa-cimahi", opens_report=True)
    first, same = match([here, there], memory) if batch else match_each(memory, here, there)
    assert (same.outcome, same.id, same.number) == ("added", first.id, first.number)
    (match_,) = same.matches
    assert (match_.kind, match_.of, match_.score) == ("same_report", first.id, 1.0)
    assert "phone" in match_.evidence
    assert "pasar" not in match_.evidence


def test_the_same_report_in_one_conversation_is_joined() -> None:
    memory = MemoryDouble()
    first = opened(memory, opens_report=True)
    (same,) = match([message("1", ROAD, opens_report=True)], memory)
    assert (same.outcome, same.id) == ("added", first.id)


FORM = {"account": "web", "channel": "web", "opens_report": True}
CLAIMS = [
    {"account": "sms"},
    {**FORM, "conversation": "form-2"},
    {**FORM, "conversation": "form-2", "sender": Party(email="sari@example.id", phone=BUDI)},
    {"account": "wa-bandung"},
]


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("batch", [True, False])
def test_finding_h3_the_same_words_by_a_claimed_identity_are_a_report_of_their_own(claim: dict, batch: bool) -> None:
    memory = MemoryDouble()
    victim = message("f", ROAD, conversation="form-1", sender=Party(phone=SARI, email="sari@example.id"), **FORM)
    claimant = message("x", ROAD, minutes=1, **claim)
    first, own = match([victim, claimant], memory) if batch else match_each(memory, victim, claimant)
    assert (own.outcome, own.id == first.id, own.number == first.number) == ("recorded", False, False)
    assert [(m.kind, m.of, m.score) for m in own.matches] == [("same_report", first.id, 0.5)]


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("hidden", ["anonymous", "secret"])
def test_finding_h3_nothing_shows_that_a_hidden_report_is_there(claim: dict, hidden: str) -> None:
    memory = MemoryDouble()
    opened(
        memory, "f", conversation="form-1", sender=Party(phone=SARI, email="sari@example.id"), **FORM | {hidden: True}
    )
    assert opened(memory, "x", minutes=1, **claim).matches == ()


def test_a_hidden_report_is_linked_to_no_other() -> None:
    memory = MemoryDouble()
    opened(memory, "f", conversation="form-1", **FORM)
    assert opened(memory, "x", conversation="form-2", anonymous=True, **FORM).matches == ()


def test_case_05_nobody_is_a_person() -> None:
    memory = MemoryDouble()
    first, second = (opened(memory, n, conversation=n, sender=Party(name=n), **FORM) for n in ("Ratna", "Joko"))
    assert first.id != second.id
    assert [m.kind for m in second.matches] == ["same_incident"]


def test_the_words_of_a_closed_complaint_open_a_new_one() -> None:
    memory = MemoryDouble()
    first = opened(memory)
    assert first.id
    memory.status[first.id] = "done"
    assert opened(memory, "1", minutes=5).id != first.id


def test_few_letters_are_no_report_to_recognise() -> None:
    memory = MemoryDouble()
    first = opened(memory, text="Jalan rusak")
    assert opened(memory, "1", "Jalan rusak", opens_report=True).id != first.id


def test_only_the_words_that_opened_a_complaint_identify_it() -> None:
    memory = MemoryDouble()
    please = "Mohon segera ditindaklanjuti"
    match_each(memory, message("0", ROAD), message("1", please), message("2", LAMP, opens_report=True, minutes=1))
    second = memory.entries[-1].decision.complaint
    assert match([message("3", please, minutes=2)], memory)[0].id == second
