"""An id that comes again with other content is another item; with the same content it is a redelivery."""

from __future__ import annotations

from msgspec.structs import replace

from normalizer import ID_USED_BEFORE, match
from schemas import Matched, Party, complaint_id
from tests.normalizer.stage import BUDI, LAMP, ROAD, MemoryDouble, action, match_each, message, opened

FLOOD, WASTE = "Banjir setinggi lutut di Gedebage", "Sampah menumpuk di Pasar Baru"


def row(native: str, text: str, file: str, **known) -> object:
    given = {"account": "file", "channel": "file", "conversation": native, "opens_report": True}
    return message(native, text, raw=f"{file}-{native}-{text}", **given | known)


def outcomes(events: list[Matched]) -> list[tuple[str, str]]:
    return [(e.outcome, e.item.native_id) for e in events]


def test_case_04_a_second_file_that_numbers_from_one_again() -> None:
    memory = MemoryDouble()
    august = [row("1", ROAD, "august", by="+62812000401"), row("2", LAMP, "august")]
    september = [row("1", FLOOD, "september", by="+62812000403"), row("2", WASTE, "september"), row("3", LAMP, "s")]
    match(august, memory)
    events = match(september, memory)
    assert outcomes(events) == [("recorded", "1~2"), ("recorded", "2~2"), ("recorded", "3")]
    assert ID_USED_BEFORE in (events[0].reason or "")
    assert events[0].id == complaint_id("file/file/1~2")


def test_case_04_the_same_file_twice_is_redelivered() -> None:
    memory = MemoryDouble()
    match([row("1", ROAD, "a"), row("1", FLOOD, "a")], memory)
    again = match([row("1", ROAD, "b"), row("1", FLOOD, "b")], memory)
    assert outcomes(again) == [("redelivered", "1"), ("redelivered", "1~2")]


def test_case_04_one_id_for_several_rows_of_one_file() -> None:
    rows = [row("7", ROAD, "a"), row("7", FLOOD, "a"), row("7", WASTE, "a"), row("7", FLOOD.upper(), "again")]
    events = match(rows, MemoryDouble())
    assert outcomes(events) == [("recorded", "7"), ("recorded", "7~2"), ("recorded", "7~3"), ("redelivered", "7~2")]


def test_case_04_a_gateway_that_restarts_its_counting_takes_no_citizen_for_another() -> None:
    memory = MemoryDouble()
    first = opened(memory, "17", "Jalan berlubang di Cihampelas", conversation="a")
    other = opened(memory, "17", "Jalan berlubang di Cihampelas", by=BUDI, raw="later")
    assert other.number != first.number


def test_case_04_the_same_words_by_another_sender_under_that_id_are_a_report_of_their_own() -> None:
    memory = MemoryDouble()
    first, second = match_each(memory, row("7", ROAD, "august"), row("7", ROAD, "september", by=BUDI))
    assert (second.outcome, second.item.native_id) == ("recorded", "7~2")
    assert [m.kind for m in second.matches] == ["same_incident"]
    assert second.item.key != first.item.key


def test_the_same_words_in_another_form_are_a_redelivery() -> None:
    memory = MemoryDouble()
    opened(memory, "17", ROAD)
    (again,) = match([message("17", f" {ROAD.upper()}!", raw="later")], memory)
    assert again.outcome == "redelivered"


def test_an_item_that_was_decided_keeps_its_own_id_when_its_batch_runs_again() -> None:
    memory = MemoryDouble()
    batch = [row("1", ROAD, "a"), row("1", FLOOD, "b")]
    first = match(batch, memory)
    assert match(batch, memory) == first
    assert match(list(reversed(batch)), memory) == list(reversed(first))


def test_a_column_of_equal_ids_costs_a_bounded_number_of_questions() -> None:
    memory = MemoryDouble()
    for n in range(3):
        events = match([row("0", f"{ROAD} nomor {n} {k}", f"{n}") for k in range(40)], memory)
        assert {e.outcome for e in events} == {"recorded"}
    assert memory.recalls <= 3 * 12
    assert len({e.decision.message for e in memory.entries}) == 120


def test_a_poll_that_repeats_an_action_changes_nothing() -> None:
    memory = MemoryDouble()
    number = opened(memory).number
    done = action("1", number=number, status="done")
    events = match_each(memory, done, replace(done, raw="again"), replace(done, raw="other", status="in_progress"))
    assert outcomes(events) == [("added", "1"), ("redelivered", "1"), ("added", "1~2")]


def test_a_name_alone_is_compared_where_nothing_else_is_known() -> None:
    memory = MemoryDouble()
    one, other = (
        opened(memory, "1", raw=name, sender=Party(name=name), conversation=name) for name in ("Yuli", "Asep")
    )
    assert one.id != other.id
