"""What everybody may list: no secret report, no reporter, no other region's report."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from schemas import Category, Message, Place, message_id
from sink import Record
from sink.public_reports import (
    PublicQuery,
    PublicScope,
    is_number_taken,
    is_public,
    mask_words,
    public_reports,
    public_updates,
)
from tests.sink.made import NOW, acted, action, decision, message, persist, recall, remember, routed

OWN, REGION = PublicScope(account="o311"), PublicScope(owner="32")
ALWAYS = PublicQuery(NOW - timedelta(days=1), NOW + timedelta(days=1))


def posted(n: int, **more: Any) -> Message:
    """The n-th report by an account of kind open311."""
    known = {
        "id": message_id("open311", "o311", f"m{n}"), "account": "o311", "channel": "open311",
        "text": "Lampu mati, hubungi 081200000001", "category": Category(id="1398"),
        "place": Place(lat=-6.9, lon=107.6, words="Jl. Contoh", source="shared"),
    }  # fmt: skip
    return message(n, **known | more)


def filed(record: Record, *of: Message) -> list[str]:
    events = [routed(one) for one in of]
    persist(record, *events)
    return [str(event.matched.number) for event in events]


def listed(record: Record, scope: PublicScope = OWN, **asked: Any) -> list[str]:
    return [one.number for one in public_reports(record, scope, ALWAYS._replace(**asked))]


def test_own_reports_or_a_regions_and_never_a_secret_one(record: Record) -> None:
    own, secret, sms, elsewhere = filed(
        record, posted(1), posted(2, secret=True), message(3), posted(4, owner="33.01", account="lain")
    )
    assert listed(record) == [own]
    assert listed(record, REGION) == [sms, own]
    assert listed(record, PublicScope()) == [elsewhere, sms, own]
    assert listed(record, REGION, numbers=(secret, elsewhere, own)) == [own]
    assert [is_public(record, OWN, number) for number in (own, secret, sms)] == [True, False, False]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"limit": 1}, [3]), ({"limit": 2, "offset": 1}, [2, 1]), ({"categories": ("928",)}, [2]),
        ({"closed": True}, [1]), ({"closed": False}, [3, 2]), ({"end": NOW + timedelta(minutes=2)}, [2, 1]),
        ({"start": NOW + timedelta(minutes=3)}, [3]),
    ],
    ids=str,
)  # fmt: skip
def test_filters(record: Record, asked: dict[str, Any], found: list[int]) -> None:
    numbers = filed(record, posted(1), posted(2, category=Category(id="928")), posted(3))
    persist(record, acted(action(9, "status", status="done", text="Selesai"), posted(1)))
    assert listed(record, **asked) == [numbers[n - 1] for n in found]


def test_personal_words_are_masked_and_an_anonymous_report_has_no_point(record: Record) -> None:
    filed(record, posted(1), posted(2, anonymous=True))
    hidden, shown = public_reports(record, OWN, ALWAYS)
    assert shown.place is not None
    assert hidden.place is not None
    assert (shown.place.lat, hidden.place.lat, hidden.place.words) == (-6.9, None, "Jl. Contoh")
    assert not [one for one in (hidden, shown) if "0812" in str(one) or "Siti" in str(one)]


def test_our_marks_stay_where_numbers_are_masked() -> None:
    words = "Lampu mati [SP 4719360285-1a2b3c4d] hubungi 081200000001"
    assert mask_words(words).startswith("Lampu mati [SP 4719360285-1a2b3c4d] hubungi ")
    assert "0812" not in mask_words(words)


def test_updates_are_one_for_each_act_and_hold_no_note(record: Record) -> None:
    [number] = filed(record, posted(1))
    filed(record, posted(2, secret=True))
    for n, (what, more) in enumerate(
        [
            ("status", {"status": "verified"}),
            ("answer", {"status": "in_progress", "text": "Petugas berangkat"}),
            ("note", {"text": "Catatan dalam"}),
            ("status", {"status": "done", "text": "Lampu diganti"}),
            ("status", {"status": "in_progress", "text": "Mati lagi", "reopens": True}),
        ],
        10,
    ):
        persist(record, acted(action(n, what, **more), posted(1)))
    persist(record, acted(action(20, "answer", text="Rahasia"), posted(2)))
    found = public_updates(record, OWN, ALWAYS.start, ALWAYS.end)
    assert [(one.number, one.status, one.reopened, one.text) for one in found] == [
        (number, "verified", False, ""), (number, "in_progress", False, "Petugas berangkat"),
        (number, "done", False, "Lampu diganti"), (number, "in_progress", True, "Mati lagi"),
    ]  # fmt: skip
    later = public_updates(record, OWN, NOW + timedelta(minutes=12), ALWAYS.end)
    assert [one.text for one in later] == ["Lampu diganti", "Mati lagi"]


def test_a_closed_report_was_updated_when_it_was_closed(record: Record) -> None:
    filed(record, posted(1))
    persist(record, acted(action(10, "status", status="done", text="Selesai"), posted(1)))
    persist(record, acted(action(30, "answer", text="Terima kasih"), posted(1)))
    [found] = public_reports(record, OWN, ALWAYS)
    assert found.updated_at == NOW + timedelta(minutes=10)
    assert (found.status, found.status_note) == ("done", "Terima kasih")


def test_a_number_is_taken_once_the_matcher_has_it(record: Record) -> None:
    first = posted(1)
    made = decision(first, recall(record, first))
    assert not is_number_taken(record, str(made.number))
    remember(record, [(first, made)])
    assert is_number_taken(record, str(made.number))
