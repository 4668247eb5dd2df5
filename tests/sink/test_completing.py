"""A report that lacked its place or its words is completed by what its reporter adds, and goes to the office that can
act then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from schemas import Assignment, Attachment, Category, Forward, Message, Office, Place, Routed
from sink import Record, apply_rereading, export
from sink.additions import said_so_far
from sink.batch_items import PersistOptions
from sink.forward_progress import store_progress
from sink.persist import persist_batch
from tests.sink.made import FRONT_DESK, NOW, acted, action, message, routed, rows
from tests.sink.test_forwards import To, claim, done

DAGO = Place(code="32.73.02.1004", level="village", name="Dago", words="Dago", source="text", p=0.98)
LIGHTS = Category(id="1398", name="Penerangan Jalan")
OF_BANDUNG = Assignment(office=Office(id="dishub/32.73", name="Dinas Perhubungan Kota Bandung"), rule="r", why="Dago")
WITHOUT_PLACE = message(1, report_class="complaint", category=LIGHTS, text="LAPOR lampu mati")


def by_place(reports: Sequence[Message]) -> list[Sequence[Assignment]]:
    return [(OF_BANDUNG,) if one.place is not None else (FRONT_DESK,) for one in reports]


def persist(record: Record, *events: Routed, to: Any = (), choose: Any = by_place) -> None:
    persist_batch(record, events, NOW, PersistOptions(choose_offices=choose, destinations=to))


def opened(first: Message = WITHOUT_PLACE, *missing: str) -> Routed:
    return routed(first, missing=missing or ("place",))


def added(n: int, **more: Any) -> Routed:
    return routed(message(n, **more), "added", WITHOUT_PLACE)


def assigned(record: Record) -> list[Any]:
    return sorted(rows(record, "SELECT office_id, state FROM assignments"))


@pytest.mark.parametrize("together", [True, False])
def test_the_place_that_was_asked_for_leads_to_the_office_there(record: Record, together: bool) -> None:
    events = (opened(), added(2, text="di Dago", place=DAGO))
    for batch in [events] if together else [(one,) for one in events]:
        persist(record, *batch)
    (line,) = export(record, None)
    assert (line["place"]["name"], line["office"]["id"]) == ("Dago", "dishub/32.73")
    assert (line["category"]["id"], line["class"], line["text"]) == ("1398", "complaint", "LAPOR lampu mati")
    assert assigned(record) == [("dishub/32.73", "assigned"), ("front", "passed_on")]
    assert [step["why"] for step in line["timeline"] if step["what"] == "routed"] == [FRONT_DESK.why, "Dago"]


@pytest.mark.parametrize(("place", "known"), [(None, "32.73"), (DAGO, DAGO.code)])
def test_words_that_come_after_a_photo_say_what_it_is_about(record: Record, place: Place | None, known: str) -> None:
    photo = message(1, kind="image", text="", place=Place(code="32.73", source="owner"))
    persist(record, opened(photo, "text"))
    seen: list[Message] = []
    say = message(2, text="Lampu mati", category=LIGHTS, report_class="complaint", place=place)
    persist(record, routed(say, "added", photo), choose=lambda reports: seen.extend(reports) or by_place(reports))
    (line,) = export(record, None)
    assert (line["text"], line["category"]["id"], line["class"]) == ("Lampu mati", "1398", "complaint")
    assert [(one.text, one.place and one.place.code) for one in seen] == [("Lampu mati", known)]


@pytest.mark.parametrize("place", [Place(words="dago", source="text"), Place(code="32.73.02", source="text")])
def test_a_place_that_says_more_takes_the_place_of_the_first(record: Record, place: Place) -> None:
    persist(record, opened(), added(2, text="di sana", place=place))
    persist(record, added(3, text="di Dago", place=DAGO))
    persist(record, added(4, place=Place(code="35.78", source="owner")), added(5, place=Place(words="Melati")))
    assert rows(record, "SELECT place_code, place_words FROM complaints") == [(DAGO.code, "Dago")]


@pytest.mark.parametrize(("first", "second", "found"), [
    (Place(lat=-6.9, lon=107.6, source="shared"), DAGO, (DAGO.code, -6.9)),
    (DAGO, Place(lat=-6.9, lon=107.6, code="32.73", source="shared"), (DAGO.code, -6.9)),
    (DAGO, Place(lat=-7.2, lon=112.7, code="35.78", source="shared"), (DAGO.code, None)),
    (Place(code="32.73", source="owner"), Place(lat=-7.2, lon=112.7, source="shared"), (None, -7.2)),
    (Place(words="Jalan Melati", source="text"), Place(code="32.73", source="owner"), ("32.73", None)),
    (Place(lat=-6.9, lon=107.6, source="shared"), Place(code="35.78", source="owner"), (None, -6.9)),
])  # fmt: skip
def test_a_point_and_a_region_make_one_place(record: Record, first: Place, second: Place, found: Any) -> None:
    persist(record, opened(), added(2, place=first), added(3, place=second))
    assert rows(record, "SELECT place_code, lat FROM complaints") == [found]


def test_a_street_alone_is_completed_by_the_city_though_nobody_was_asked(record: Record) -> None:
    street = replace(WITHOUT_PLACE, place=Place(words="Jalan Melati", source="text"))
    persist(record, routed(street), added(2, text="Dago, Kota Bandung", place=DAGO))
    columns = "SELECT place_code, place_words, completed FROM complaints"
    assert rows(record, columns) == [(DAGO.code, "Jalan Melati, Dago", '["place"]')]


def test_words_that_bring_no_field_choose_the_office_too_once_there_are_some(record: Record) -> None:
    def by_words(reports: Sequence[Message]) -> list[Sequence[Assignment]]:
        asked.extend(one.clean_text for one in reports)
        return [(OF_BANDUNG,) if "pungli" in one.text else (FRONT_DESK,) for one in reports]

    asked: list[str] = []
    photo = message(1, kind="image", text="")
    persist(record, opened(photo, "text"))
    said = ("terima kasih banyak pak", "thanks"), ("ini pak", "unknown"), ("ada pungli", "unknown")
    said = (*said, ("tolong segera ditindak", "unknown"))
    for n, (text, sort) in enumerate(said, 2):
        persist(record, routed(message(n, text=text, sort=sort), "added", photo), choose=by_words)
    assert assigned(record) == [("dishub/32.73", "assigned"), ("front", "passed_on")]
    assert [text.count("\n") for text in asked] == [0, 1, 2]
    again = message(1, kind="image", text="", reader="2")
    assert apply_rereading(record, [again], now=NOW, dry_run=False) == []


@pytest.mark.parametrize("text", ["di Dago", "TL 4719360285"])
def test_what_was_recorded_before_its_report_completes_it_then(record: Record, text: str) -> None:
    early = added(2, text=text, cleaned=None if text == "di Dago" else "", place=DAGO)
    persist(record, early, added(3, text="makasih", sort="thanks", place=Place(code="35.78")))
    persist(record, opened())
    (line,) = export(record, None)
    assert (line["place"]["name"], line["office"]["id"]) == ("Dago", "dishub/32.73")
    persist(record, early)
    assert assigned(record) == [("dishub/32.73", "assigned"), ("front", "passed_on")]


def test_an_officer_who_came_before_the_report_is_the_first_to_act_on_it(record: Record) -> None:
    persist(record, added(2, text="di Dago", place=DAGO), acted(action(5, "note", text="x"), WITHOUT_PLACE))
    persist(record, opened())
    assert assigned(record) == [("front", "assigned")]


def test_the_first_place_counts_and_the_first_category(record: Record) -> None:
    persist(record, opened(), added(2, text="di Dago", place=DAGO))
    other = Place(code="35.78", name="Kota Surabaya", source="text")
    persist(record, added(3, text="seperti di Surabaya", place=other, category=Category(id="7", name="Jalan")))
    (line,) = export(record, None)
    assert (line["place"]["code"], line["category"]["id"], line["office"]["id"]) == (DAGO.code, "1398", "dishub/32.73")


@pytest.mark.parametrize("what", [
    {"first": routed(replace(WITHOUT_PLACE, place=Place(lat=-6.9, lon=107.6, source="shared")))},  # nothing was missing
    {"second": routed(message(2, place=DAGO), "added", WITHOUT_PLACE, stranger=True)},
    {"second": routed(message(2, place=DAGO), "asked", WITHOUT_PLACE)},
    {"second": added(2, place=DAGO, kind="reaction")}, {"second": added(2, place=DAGO, command="NILAI", rating=4)},
    {"second": added(2, text="tolong segera")},
])  # fmt: skip
def test_what_completes_nothing_leaves_the_report_where_it_is(record: Record, what: dict[str, Routed]) -> None:
    persist(record, what.get("first", opened()), what.get("second", added(2, place=DAGO)))
    assert assigned(record) == [("front", "assigned")]
    assert rows(record, "SELECT place_code, completed FROM complaints") == [(None, None)]


@pytest.mark.parametrize("together", [True, False])
def test_what_an_officer_has_acted_on_stays_with_its_office(record: Record, together: bool) -> None:
    persist(record, opened())
    events = (acted(action(5, "note", text="x"), WITHOUT_PLACE), added(6, place=DAGO))
    for batch in [events] if together else [(one,) for one in events]:
        persist(record, *batch)
    assert assigned(record) == [("front", "assigned")]
    assert rows(record, "SELECT place_code FROM complaints") == [(None,)]


def test_reading_the_first_message_again_keeps_what_was_added(record: Record) -> None:
    persist(record, opened(), added(2, text="di Dago", place=DAGO))
    again = message(1, reader="2", text="LAPOR lampu mati", report_class="complaint", category=Category(id="7"))
    (one,) = apply_rereading(record, [again], now=NOW, dry_run=False)
    assert set(one.changes) == {"category"}
    (line,) = export(record, None)
    assert (line["place"]["code"], line["category"]["id"]) == (DAGO.code, "7")


def test_the_systems_that_want_it_now_get_it_with_all_that_was_said(record: Record) -> None:
    class OfBandung(To):
        def wants(self, forward: Forward) -> bool:
            return any(office.id == "dishub/32.73" for office in forward.offices)

    takes = frozenset({"complaint", "disposition", "supplement"})
    dishub = OfBandung("dishub", "dishub", "webhook", takes=takes, projection="lapor")
    persist(record, opened(), to=[dishub])
    assert claim(record, account="dishub") == []
    persist(record, added(2, text="di Dago", place=DAGO), to=[dishub])
    (job,) = claim(record, account="dishub")
    forward = job.forward
    assert (forward.text, forward.place and forward.place.code) == ("LAPOR lampu mati\ndi Dago", DAGO.code)
    persist(record, added(3, text="lampu kedua dari gapura"), to=[dishub])
    assert rows(record, "SELECT count(*) FROM jobs WHERE kind = 'followup'") == [(1,)]


def test_offices_are_chosen_by_all_that_was_said_and_not_again_by_a_later_word(record: Record) -> None:
    def by_words(reports: Sequence[Message]) -> list[Sequence[Assignment]]:
        return [(OF_BANDUNG,) if "lampu" in one.text else (FRONT_DESK,) for one in reports]

    persist(record, opened(message(1, kind="image", text=""), "text", "place"))
    first = message(1, kind="image", text="")
    say = {"text": "lampu mati", "category": LIGHTS, "report_class": "complaint"}
    persist(record, routed(message(2, **say), "added", first), choose=by_words)
    persist(record, routed(message(3, text="di Dago", place=DAGO), "added", first), choose=by_words)
    persist(record, routed(message(4, text="tolong segera"), "added", first), choose=by_words)
    assert assigned(record) == [("dishub/32.73", "assigned"), ("front", "passed_on")]


def test_a_system_that_had_it_is_told_once_which_office_has_it_now(record: Record) -> None:
    takes = frozenset({"complaint", "disposition", "supplement"})
    front, sms = To("front", "front", "webhook", takes=takes), To("sms", "sms", "portal", takes=takes)
    persist(record, opened(), to=[front, sms])
    (first,) = claim(record, account="front")
    store_progress(record, [done(first.job, "f1", create={"id": "f1"})], NOW)
    for n in (2, 3):
        persist(record, added(n, text="di Dago", place=DAGO), to=[front, sms])
    told = []
    while jobs := claim(record, account="front"):
        store_progress(record, [done(one.job) for one in jobs if one.waits is None], NOW)
        told += [(one.forward.what, *(office.id for office in one.forward.offices)) for one in jobs if not one.waits]
    assert told == [("supplement",), ("disposition", "dishub/32.73"), ("supplement",)]
    assert claim(record, account="sms") == []


@pytest.mark.parametrize("by", ["officer", "place"])
def test_who_is_told_of_a_report_later_gets_all_its_words_and_files_once(record: Record, by: str) -> None:
    class OfBandung(To):
        def wants(self, forward: Forward) -> bool:
            return any(office.id == "dishub/32.73" for office in forward.offices)

    takes = frozenset({"complaint", "disposition", "supplement"})
    dishub = OfBandung("dishub", "dishub", "webhook", takes=takes, projection="lapor")
    photo = added(2, kind="image", text="", attachments=(Attachment(native_id="p", media_type="image/jpeg"),))
    asked = routed(message(4, text="CEK"), "asked", WITHOUT_PLACE)
    again = added(5, text=WITHOUT_PLACE.text)
    persist(record, opened(), photo, added(3, text="ini fotonya"), asked, again, to=[dishub])
    moves = acted(action(6, "disposition", office=OF_BANDUNG.office), WITHOUT_PLACE)
    persist(record, moves if by == "officer" else added(6, text="di Dago", place=DAGO), to=[dishub])
    (job,) = claim(record, account="dishub")
    words = "LAPOR lampu mati\nini fotonya" + ("" if by == "officer" else "\ndi Dago")
    assert (job.forward.text, job.forward.attachments) == (words, (f"{photo.matched.item.raw}.0.0",))


class OfRegion(To):
    def wants(self, forward: Forward) -> bool:
        return forward.place is not None and (forward.place.code or "").startswith("32")


def test_the_national_record_of_a_region_gets_a_report_whose_place_becomes_known(record: Record) -> None:
    both = [OfRegion(), OfRegion("lapor-2")]  # two accounts of one system
    persist(record, opened(), to=both)
    persist(record, added(2, text="di Dago", place=DAGO), to=both)
    assert [job.forward.text for job in claim(record)] == ["LAPOR lampu mati\ndi Dago"]
    assert claim(record, account="lapor-2") == []


@pytest.mark.parametrize(("others", "ids"), [([To("lapor-2")], {}), ([], {"sp4n": "7"})])
def test_a_report_that_stands_in_the_national_record_goes_there_by_no_other_account(
    record: Record, others: list[To], ids: dict[str, str]
) -> None:
    both = [OfRegion(), *others]
    persist(record, opened(replace(WITHOUT_PLACE, external_ids=ids)), to=both)
    persist(record, added(2, text="di Dago", place=DAGO), to=both)
    assert [job for job in claim(record) if job.forward.what == "complaint"] == []


def test_of_a_report_to_which_is_added_without_end_the_first_words_are_enough(sqlite_record: Record) -> None:
    persist(sqlite_record, opened(), *(added(n, text=f"{n} " + "a" * 400, place=None) for n in range(2, 200)))
    with sqlite_record.read() as connection:
        [said] = said_so_far(connection, [opened().matched.id or ""]).values()
    assert (len(said.items), len(said.cleaned), said.cleaned[:16]) == (100, 20_000, "LAPOR lampu mati")
