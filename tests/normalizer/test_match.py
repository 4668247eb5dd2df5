"""`match`: the table of cases, row by row, on a memory in a dict."""

from __future__ import annotations

import pytest

from normalizer import MATCHER, match
from normalizer.match import digest
from schemas import Matched, Message, Party, complaint_id
from tests.normalizer.stage import BUDI, LAMP, ROAD, SARI, MemoryDouble, message, number_of, opened, match_each

NO_SUCH = number_of(complaint_id("nobody"))


def follow(complaint: Matched, command: str, native: str = "9", text: str = "", **known) -> Message:
    return message(native, text, command=command, number=complaint.number, **known)


def test_the_first_message_opens_a_complaint() -> None:
    complaint = opened(MemoryDouble())
    assert complaint.id == complaint_id("sms/sms/0")
    assert complaint.number == number_of(complaint.id)
    assert (complaint.matcher, complaint.missing, complaint.stranger) == (MATCHER, (), False)


def test_nothing_to_match_asks_nobody() -> None:
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
def test_without_ids_ten_minutes_tell_a_redelivery(minutes: float, outcome: str) -> None:
    twins = (message("~a.0", "ya", fingerprint="f"), message("~b.0", "ya", fingerprint="f", minutes=minutes))
    assert match_each(MemoryDouble(), *twins)[1].outcome == outcome
    assert match(list(twins), MemoryDouble())[1].outcome == outcome


def test_a_redelivery_moves_no_thread() -> None:
    memory = MemoryDouble()
    first, _ = match_each(memory, message("0", ROAD), message("1", LAMP, opens_report=True, minutes=1))
    again = message("0", ROAD, raw="another", minutes=2)
    assert match_each(memory, again, message("2", "sudah seminggu", minutes=3))[1].id != first.id


# 4 to 8: refusals and commands


def test_what_the_channel_refuses_is_refused_with_its_reason() -> None:
    (complaint,) = match([message("0", ROAD, refusal="an automatic reply", opens_report=True)], MemoryDouble())
    assert (complaint.outcome, complaint.id, complaint.reason) == ("refused", None, "an automatic reply")


@pytest.mark.parametrize("command", ["TL", "CEK"])
@pytest.mark.parametrize("number", [NO_SUCH, "1234567890", "42", None])
def test_a_number_that_nobody_has_is_refused(command: str, number: str | None) -> None:
    memory = MemoryDouble()
    opened(memory)
    (complaint,) = match([message("1", "masih rusak pak", command=command, number=number)], memory)
    assert (complaint.outcome, complaint.id, complaint.number) == ("refused", None, None)
    assert complaint.reason
    assert command in complaint.reason


def test_the_reporter_asks_for_the_status() -> None:
    memory = MemoryDouble()
    first = opened(memory)
    (asked,) = match([follow(first, "CEK")], memory)
    assert (asked.outcome, asked.id, asked.number, asked.stranger) == ("added", first.id, first.number, False)


def test_the_reporter_asks_from_another_door() -> None:
    memory = MemoryDouble()
    first = opened(memory, account="web", channel="web", conversation="form-1")
    assert not match([follow(first, "CEK")], memory)[0].stranger


def test_the_reporter_is_known_by_conversation_where_no_identity_is() -> None:
    memory = MemoryDouble()
    nobody = {"sender": Party(), "conversation": "chat-1", "account": "line", "channel": "line"}
    first = opened(memory, **nobody)
    assert not match([follow(first, "TL", text="masih rusak", **nobody)], memory)[0].stranger


def test_case_22_a_stranger_who_asks_is_told_the_status_only() -> None:
    memory = MemoryDouble()
    first = opened(memory)
    (asked,) = match([follow(first, "CEK", by=BUDI)], memory)
    assert (asked.outcome, asked.id, asked.stranger) == ("added", first.id, True)


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
    complaints = match([asked, *then], memory)[1:] if batch else match_each(memory, asked, *then)[1:]
    assert [c.outcome for c in complaints] == ["refused", "recorded", "redelivered"]
    assert [c.id == first.id and not c.stranger for c in complaints] == [False] * 3


def test_case_22_the_same_words_by_a_stranger_are_a_report_of_their_own() -> None:
    memory = MemoryDouble()
    first = opened(memory)
    assert opened(memory, "1", by=BUDI).id != first.id


def test_case_22_a_stranger_says_the_same_twice_and_has_one_complaint() -> None:
    memory = MemoryDouble()
    first = opened(memory)
    own, again = match_each(memory, *(follow(first, "TL", native, LAMP, by=BUDI, opens_report=True) for native in ("1", "2")))
    assert (again.outcome, again.id) == ("added", own.id)


def test_what_the_reporter_follows_up_is_what_the_talk_is_about() -> None:
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
        ("recorded", False), ("added", False), ("added", True),
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


def test_a_reaction_does_not_move_the_thread() -> None:
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


# 11: the same report


@pytest.mark.parametrize("batch", [True, False])
def test_the_same_report_by_another_door_is_joined_with_evidence(batch: bool) -> None:
    memory = MemoryDouble()
    sms = message("0", ROAD)
    web = message("f", ROAD.upper() + " !!", account="web", conversation="form-1", opens_report=True)
    first, same = match([sms, web], memory) if batch else match_each(memory, sms, web)
    assert (same.outcome, same.id, same.number) == ("added", first.id, first.number)
    (match_,) = same.matches
    assert (match_.kind, match_.of, match_.score) == ("same_report", first.id, 1.0)
    assert "phone" in match_.evidence
    assert "pasar" not in match_.evidence


def test_case_10_the_same_report_by_one_who_shares_only_an_email() -> None:
    memory = MemoryDouble()
    first = opened(memory, sender=Party(phone=SARI, email="sari@example.id"))
    by_mail = message("m", ROAD, account="web", conversation="f", opens_report=True, sender=Party(email="sari@example.id"))
    assert match([by_mail], memory)[0].id == first.id


def test_a_closed_complaint_said_again_is_a_new_one() -> None:
    memory = MemoryDouble()
    first = opened(memory)
    assert first.id
    memory.status[first.id] = "done"
    assert opened(memory, "1", minutes=5).id != first.id


def test_few_letters_are_no_report_to_recognise() -> None:
    memory = MemoryDouble()
    opened(memory, text="Jalan rusak")
    opened(memory, "1", "Jalan rusak", opens_report=True)
    assert digest("Jalan rusak") is None


def test_only_the_words_that_opened_a_complaint_tell_it() -> None:
    memory = MemoryDouble()
    please = "Mohon segera ditindaklanjuti"
    match_each(memory, message("0", ROAD), message("1", please), message("2", LAMP, opens_report=True, minutes=1))
    second = memory.entries[-1][2].complaint
    assert match([message("3", please, minutes=2)], memory)[0].id == second
