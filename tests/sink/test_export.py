from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from schemas import Category, Match, Party, Place
from sink import Record, export
from sink.masks import mask_reporter
from tests.sink.made import NAME, NOW, PHONE, execute, message, persist, routed


def test_a_complaint_leaves_in_the_form_of_the_interface(record: Record) -> None:
    place = Place(code="32.73", level="city", name="Kota Bandung", lat=-6.9, lon=107.6, words="Jalan Melati")
    report = message(1, title="Lampu mati", place=place, category=Category(id="7", name="Jalan"),
                     external_ids={"sp4n": "1234567"}, secret=True, report_class="complaint", sent_at=NOW,
                     extra={"loket": "3"})  # fmt: skip
    event = routed(report)
    persist(record, event, speaks=())
    (line,) = export(record, None, with_fields={"sms"})
    assert line == {
        "number": event.matched.number, "id": event.matched.id, "owner": "32.73", "channel": "sms",
        "account": "sms", "received_at": "2025-07-01T03:01:00+00:00", "class": "complaint",
        "category": {"id": "7", "name": "Jalan"}, "title": "Lampu mati", "text": report.text,
        "place": {"code": "32.73", "level": "city", "name": "Kota Bandung", "lat": -6.9, "lon": 107.6,
                  "words": "Jalan Melati"},
        "office": {"id": "front", "name": "Meja depan"}, "status": "unverified", "anonymous": False, "secret": True,
        "reporter": {"name": "S*** R***", "phone": "+62812****177", "email": None, "nik": None},
        "external_ids": {"sp4n": "1234567"}, "matches": [],
        "messages": [{"id": report.id, "native_id": "m1", "channel": "sms", "sent_at": "2025-07-01T03:00:00+00:00",
                      "kind": "text", "text": report.text, "direction": "in"}],
        "timeline": [{"at": "2025-07-01T03:00:00+00:00", "what": "routed", "who": "router",
                      "why": "Tidak ada yang lain"},
                     {"at": "2025-07-01T03:01:00+00:00", "what": "recorded", "who": "citizen", "why": "x"}],
        "extra": {"loket": "3"},
    }  # fmt: skip
    assert list(line) == [
        "number", "id", "owner", "channel", "account", "received_at", "class", "category", "title", "text", "place",
        "office", "status", "reporter", "anonymous", "secret", "external_ids", "matches", "messages", "timeline",
        "extra",
    ]  # fmt: skip


def test_of_an_anonymous_reporter_nothing_leaves(record: Record) -> None:
    persist(record, routed(message(1, anonymous=True, extra={"pelapor": NAME})))
    (line,) = export(record, None, with_fields={"sms"})
    assert line["reporter"] == {"name": None, "phone": None, "email": None, "nik": None}
    assert line["extra"] == {}
    assert NAME not in str(line)
    assert PHONE not in str(line)


def test_what_a_channel_keeps_for_itself_does_not_leave(record: Record) -> None:
    persist(record, routed(message(1, extra={"reply_token": "t-1"})))
    (line,) = export(record, None, with_fields={"file"})
    assert line["extra"] == {}


def test_a_report_without_words_gets_those_that_its_reporter_adds_and_no_thanks(record: Record) -> None:
    photo, thanks = message(1, text="", kind="image"), message(2, text="Terima kasih", sort="thanks")
    persist(record, routed(photo), routed(thanks, "added", photo), routed(message(3, text="CEK 1"), "asked", photo))
    assert [line["text"] for line in export(record, None)] == [""]
    persist(record, routed(message(4, text="Jalan Melati berlubang"), "added", photo))
    assert [line["text"] for line in export(record, None)] == ["Jalan Melati berlubang"]


def test_replies_that_were_not_sent_are_no_messages(record: Record) -> None:
    persist(record, routed(message(1)), routed(message(3), "added", message(1)))
    persist(record, routed(message(2), "added", message(1)))
    (line,) = export(record, None)
    assert [m["native_id"] for m in line["messages"]] == ["m1", "m2", "m3"]


def test_a_match_that_was_undone_is_left_out(record: Record) -> None:
    match = Match(kind="same_report", of="c", score=1.0, evidence="same letters and digits")
    persist(record, routed(message(1)), routed(message(2), "added", message(1), matches=(match,)))
    assert next(export(record, None))["matches"] == [
        {"kind": "same_report", "of": "c", "score": 1.0, "evidence": "same letters and digits"}
    ]
    execute(record, "UPDATE matches SET undone_at = '2025-07-01 03:00:00.000000'")
    assert next(export(record, None))["matches"] == []


def test_it_begins_with_the_time_of_receipt_in_any_zone(record: Record) -> None:
    persist(record, *(routed(message(n)) for n in range(1, 6)))
    since = datetime.fromisoformat("2025-07-01T10:03:00+07:00")
    assert [line["messages"][0]["native_id"] for line in export(record, since)] == ["m3", "m4", "m5"]


def test_many_complaints_leave_in_pages_and_none_twice(record: Record) -> None:
    same = NOW + timedelta(hours=1)
    persist(record, *(routed(message(n, received_at=same if n % 3 else NOW)) for n in range(1, 451)))
    ids = [line["id"] for line in export(record, None)]
    assert len(ids) == len(set(ids)) == 450


@pytest.mark.parametrize(
    ("party", "shown"),
    [
        (Party(name="Budi Santoso", phone="+6281212345789"), ("B*** S***", "+62812****789", None, None)),
        (Party(name="  ", phone="1708", email="budi@contoh.id"), (None, "****", "b***@contoh.id", None)),
        (Party(email="@", nik="3273010101900001"), (None, None, "***@", "32****01")),
        (Party(), (None, None, None, None)),
    ],
)
def test_masks_tell_reporters_apart_and_reach_none(party: Party, shown: tuple[str | None, ...]) -> None:
    assert tuple(mask_reporter(party).values()) == shown
