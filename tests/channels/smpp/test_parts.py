"""Long texts whose parts come in any order, twice, late or never, from many citizens, across crashes."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from connectors import Request
from connectors._smpp_parts import LATE, REMEMBERED, PartialText, PartialTexts, parts_key
from connectors._smpp_user_data import ConcatenationInfo, UserData, parse_user_data
from schemas import Message
from tests.channels.recording import channel, raw, read
from tests.channels.smpp.bytes import BUDI, SARI, part, pdu
from tests.examples import examples

NOW = 1_755_482_400.0


class Store:
    """The memory of one account, and what it stored."""

    def __init__(self, wait: float = 60.0) -> None:
        self.wait = wait
        self.requests: list[Request] = []
        self.restart(())

    def restart(self, saved: tuple[PartialText, ...]) -> None:
        """As a process does that begins with this cursor."""
        text = msgspec.json.encode(saved)
        self.texts = PartialTexts(self.wait, msgspec.json.decode(text, type=tuple[PartialText, ...]))

    def take(self, words: str, number: int, total: int, now: float = NOW, **more: object) -> None:
        """A part comes."""
        message = part(words, number, total, **more)
        data = parse_user_data(message)
        key = parts_key(message.source, message.destination, data.segment)
        self.requests += self.texts.take(key, number, data, pdu(message), now)

    def expire(self, now: float) -> None:
        self.requests += self.texts.expired(now)

    @property
    def messages(self) -> list[Message]:
        door = channel("smpp")
        items = [item for n, r in enumerate(self.requests) for item in read(door, raw("smpp", r, id=str(n)))]
        return [item for item in items if isinstance(item, Message)]

    @property
    def read(self) -> list[tuple[str, str]]:
        return [(message.kind, message.text) for message in self.messages]


def test_case_15_the_last_part_first_and_one_twice():
    store = Store()
    for number, words in ((3, "tiga"), (1, "satu "), (3, "tiga"), (2, "dua "), (2, "dua ")):
        store.take(words, number, 3)
    assert store.read == [("text", "satu dua tiga")]


def test_case_15_a_part_five_minutes_late_is_an_edit_of_what_was_read():
    store = Store()
    store.take("satu", 1, 2)
    store.expire(NOW + 59)
    assert store.read == []
    store.expire(NOW + 60)
    store.expire(NOW + 61)
    store.take(" dua", 2, 2, NOW + 300)
    assert store.read == [("text", "satu [bagian 2 dari 2 belum diterima]"), ("edit", "satu dua")]
    assert store.messages[1].refers_to == store.messages[0].native_id


def test_case_15_each_late_part_fills_its_gap():
    store = Store()
    store.take("dua", 2, 5)
    store.expire(NOW + 60)
    store.take("lima", 5, 5, NOW + 70)
    store.take("satu", 1, 5, NOW + 80)
    assert [text for _, text in store.read] == [
        "[bagian 1 dari 5 belum diterima] dua [bagian 3 sampai 5 dari 5 belum diterima]",
        "[bagian 1 dari 5 belum diterima] dua [bagian 3 sampai 4 dari 5 belum diterima] lima",
        "satudua [bagian 3 sampai 4 dari 5 belum diterima] lima",
    ]
    assert {message.refers_to for message in store.messages[1:]} == {store.messages[0].native_id}


def test_a_part_after_an_hour_is_a_text_by_itself():
    store = Store()
    store.take("satu", 1, 2)
    store.expire(NOW + 60)
    store.expire(NOW + 60 + LATE)
    store.take("dua", 2, 2, NOW + 60 + LATE)
    store.expire(NOW + 120 + LATE)
    assert [kind for kind, _ in store.read] == ["text", "text"]


def test_a_reference_used_again_begins_another_text():
    store = Store()
    store.take("satu", 1, 2)
    store.take("lain", 1, 2)
    store.take(" dua", 2, 2)
    assert store.read == [("text", "satu [bagian 2 dari 2 belum diterima]"), ("text", "lain dua")]


def test_a_whole_text_brought_again_is_read_once_and_another_is_read():
    store = Store()
    for words in ("satu", "satu", "baru"):
        store.take(words, 1, 2)
        store.take(" dua", 2, 2)
    assert [text for _, text in store.read] == ["satu dua", "baru dua"]
    store.expire(NOW + REMEMBERED)
    store.take("baru", 1, 2)
    store.take(" dua", 2, 2)
    assert len(store.read) == 3


def test_two_citizens_two_widths_and_two_recipients_are_never_joined():
    first, second = ConcatenationInfo("udh8", 7, 2, 1), ConcatenationInfo("udh16", 7, 2, 1)
    keys = {parts_key(sender, to, s) for sender in (SARI, BUDI) for to in ("1708", "1709") for s in (first, second)}
    assert len(keys) == 8


def test_a_clock_that_was_years_ahead_keeps_no_text_back():
    store = Store()
    store.take("dari masa depan ", 1, 2, now=NOW + 1e8, reference=1)
    store.take("kini ", 1, 2, now=NOW, reference=2)
    store.expire(NOW + 60)
    assert [text.split(" [")[0].strip() for _, text in store.read] == ["dari masa depan", "kini"]
    assert store.texts.due_in(NOW + 60) is None


def test_too_many_that_wait_release_the_oldest(monkeypatch):
    monkeypatch.setattr("connectors._smpp_parts.MOST_WAITING", 2)
    store = Store()
    for reference in range(3):
        store.take(f"teks {reference}", 1, 2, reference=reference)
    assert store.read == [("text", "teks 0 [bagian 2 dari 2 belum diterima]")]


def test_what_is_saved_stays_small(monkeypatch):
    monkeypatch.setattr("connectors._smpp_parts.SAVED_COMPLETE", 3)
    store = Store()
    for reference in range(9):
        store.take("satu", 1, 2, reference=reference)
        store.take("dua", 2, 2, reference=reference)
    assert len(store.texts.saved()) == 3
    assert not any(text.frames for text in store.texts.saved())


@examples(300)
@given(st.data())
def test_case_15_every_text_is_read_once_whatever_comes_when(data: st.DataObject):
    """Parts of several citizens in any order, some twice; the process ends at any moment, before or after its cursor
    was saved, and the centre brings again what was not acknowledged."""
    texts = {(sender, ref): f"{sender[-1]}{ref}" for sender in (SARI, BUDI) for ref in (0, 1)}
    parts = [(*key, number) for key in texts for number in (1, 2, 3)]
    comes = data.draw(st.permutations(parts + data.draw(st.lists(st.sampled_from(parts), max_size=5))))
    store, saved = Store(), ()
    waiting = list(comes)
    while waiting:
        sender, reference, number = waiting[0]
        store.take(f"{texts[sender, reference]}-{number} ", number, 3, sender=sender, reference=reference)
        end = data.draw(st.sampled_from(["acknowledged", "acknowledged", "after the Raw", "after the cursor"]))
        if end != "after the Raw":
            saved = store.texts.saved()
        if end == "acknowledged":
            del waiting[0]
        else:
            store.restart(saved)
    found = {m.fingerprint: m.text for m in store.messages}
    assert sorted(found.values()) == sorted(f"{name}-1 {name}-2 {name}-3 " for name in texts.values())


def test_a_part_with_another_coding_says_something_else():
    store = Store()
    key = parts_key(SARI, "1708", ConcatenationInfo("udh8", 7, 2, 1))
    first = list(store.texts.take(key, 1, UserData(b"ab", 0), b"", NOW))
    second = list(store.texts.take(key, 1, UserData(b"ab", 8), b"", NOW))
    assert (len(first), len(second)) == (1, 2)
