"""`match`, the end of its table: messages that open a complaint and that go on with one; a batch that sees itself."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer import match
from normalizer.content import fold_text
from schemas import Party, Retry, complaint_id
from tests.normalizer.stage import BUDI, LAMP, NOON, ROAD, SARI, WEEK, MemoryDouble, after, match_each, message, opened

MORE = "Sudah seminggu belum ada petugas yang datang"


def test_a_later_message_adds_to_the_open_complaint() -> None:
    memory = MemoryDouble()
    first = opened(memory)
    (more,) = match([message("1", MORE, minutes=5)], memory)
    assert (more.outcome, more.id, more.number, more.missing) == ("added", first.id, first.number, ())


def test_a_message_that_opens_a_report_opens_a_new_one() -> None:
    memory = MemoryDouble()
    assert opened(memory).id != opened(memory, "1", LAMP, opens_report=True, minutes=5).id


@pytest.mark.parametrize(("pause", "outcome"), [(WEEK / 2, "added"), (WEEK, "recorded")])
def test_a_thread_is_open_for_a_week_after_its_last_message(pause, outcome: str) -> None:
    memory = MemoryDouble()
    opened(memory)
    (later,) = match([message("1", MORE, received_at=NOON + pause)], memory)
    assert later.outcome == outcome


def test_every_message_keeps_its_thread_open() -> None:
    memory = MemoryDouble()
    days = [message(str(n), f"{LAMP} hari {n}", received_at=after(days=6 * n)) for n in range(4)]
    assert [c.outcome for c in match_each(memory, *days)] == ["recorded", "added", "added", "added"]
    assert [c.outcome for c in match(days, MemoryDouble())] == ["recorded", "added", "added", "added"]


@pytest.mark.parametrize("status", ["done", "archived", "rejected"])
def test_a_closed_complaint_takes_no_more_by_thread(status: str) -> None:
    memory = MemoryDouble()
    memory.status[opened(memory).id or ""] = status
    opened(memory, "1", LAMP, minutes=5)


def test_conversations_of_two_accounts_are_two() -> None:
    memory = MemoryDouble()
    assert opened(memory).id != opened(memory, "1", account="wa-bandung", text=LAMP).id


def test_case_09_a_user_id_that_got_its_phone_stays_in_its_thread() -> None:
    memory = MemoryDouble()
    hidden = {"account": "wa", "conversation": "US.1", "sender": Party(user="whatsapp:US.1")}
    shown = {"account": "wa", "conversation": SARI, "aliases": ("US.1",), "minutes": 5}
    first = opened(memory, **hidden)
    assert match_each(memory, message("1", MORE, **shown), message("2", "masih", account="wa"))[1].id == first.id


NOTICE = {"account": "wa", "kind": "system", "refusal": "notice"}


@pytest.mark.parametrize("batch", [True, False])
def test_case_15_a_citizen_who_changes_the_number_stays_one_citizen(batch: bool) -> None:
    memory, new = MemoryDouble(), "+6281200001599"
    report = message("1", ROAD, account="wa")
    notice = message("2", "Sari changed her number", aliases=(new,), minutes=1, **NOTICE)
    words = message("3", "masih berlubang pak", by=new, account="wa", minutes=2)
    first, refused, added = (
        match([report, notice, words], memory) if batch else match_each(memory, report, notice, words)
    )
    assert (refused.outcome, refused.id, refused.number) == ("refused", None, None)
    assert (added.outcome, added.id) == ("added", first.id)
    follow_up = message("4", "sudah seminggu", by=new, account="wa", minutes=3, command="TL", number=first.number)
    assert match([follow_up], memory)[0].reason == "TL by its reporter"


@pytest.mark.parametrize(
    ("change", "words_at"),
    [
        ({}, None),
        ({"proven": False}, after(5)),
        ({"kind": "text"}, after(5)),
        ({"received_at": NOON + WEEK}, NOON + WEEK),
    ],
)
def test_case_15_only_a_proven_notice_gives_the_open_thread_to_another_number(change: dict, words_at) -> None:
    memory, new = MemoryDouble(), "+6281200001599"
    opened(memory, "1", account="wa")
    match([message("2", aliases=(new,), **NOTICE | change)], memory)
    (words,) = match([message("3", MORE, by=new, account="wa", received_at=words_at or after(5))], memory)
    assert words.outcome == ("recorded" if words_at else "added")


def test_case_08_an_album_is_one_complaint() -> None:
    album = [message("0", kind="image"), message("1", ROAD, kind="image"), message("2", kind="audio")]
    events = match(album, MemoryDouble())
    assert [c.outcome for c in events] == ["recorded", "added", "added"]
    assert len({c.id for c in events}) == 1


@pytest.mark.parametrize("batch", [True, False])
@pytest.mark.parametrize(
    ("first", "words", "minutes", "outcome", "evidence"),
    [
        ({"kind": "image"}, f"LAPOR {ROAD}", 0.1, "added", None),
        ({"kind": "location"}, f"lapor: {ROAD}", 50, "added", None),
        ({"text": "LAPOR", "cleaned": "", "opens_report": True}, f"LAPOR {ROAD}", 1, "added", None),
        ({"kind": "image", "minutes": 0.2}, f"LAPOR {ROAD}", 0.1, "added", None),
        ({"kind": "image"}, f"LAPOR {ROAD}", 70, "recorded", "same_report"),
        ({"kind": "image"}, f"BARU: {ROAD}", 0.1, "recorded", None),
        ({"kind": "audio"}, f"LAPOR {ROAD}", 0.1, "recorded", None),
        ({"text": "Banjir"}, f"LAPOR {ROAD}", 0.1, "recorded", None),
    ],
)
def test_case_08_lapor_behind_a_photo_or_a_bare_lapor_is_its_caption(
    batch: bool, first: dict, words: str, minutes: float, outcome: str, evidence: str | None
) -> None:
    memory = MemoryDouble()
    said = message("2", words, cleaned=ROAD, opens_report=True, minutes=minutes)
    opening = message("1", **first)
    one, two = match([opening, said], memory) if batch else match_each(memory, opening, said)
    assert (two.outcome, two.id == one.id) == (outcome, outcome == "added")
    assert [(m.kind, m.of) for m in two.matches] == ([(evidence, one.id)] if evidence else [])


@pytest.mark.parametrize("batch", [True, False])
def test_a_report_that_has_words_is_followed_by_another(batch: bool) -> None:
    memory = MemoryDouble()
    photo, words = message("1", kind="image"), message("2", "di Dago", minutes=0.1)
    lapor = message("3", f"LAPOR {ROAD}", cleaned=ROAD, opens_report=True, minutes=0.2)
    found = match([photo, words, lapor], memory) if batch else match_each(memory, photo, words, lapor)
    assert [one.outcome for one in found] == ["recorded", "added", "recorded"]
    assert found[2].matches == ()


def test_a_dead_message_joins_what_its_successors_opened() -> None:
    memory = MemoryDouble()
    first = opened(memory, minutes=60)
    (late,) = match([message("dead", "ini fotonya", kind="image")], memory)
    assert (late.outcome, late.id) == ("added", first.id)


def test_a_dead_report_opens_its_own_and_leaves_the_later_thread_alone() -> None:
    memory = MemoryDouble()
    second = opened(memory, minutes=60)
    opened(memory, "dead", LAMP, opens_report=True)
    assert match([message("1", "sudah sebulan", minutes=61)], memory)[0].id == second.id


@pytest.mark.parametrize(
    ("known", "missing"),
    [
        ({"text": "jalan rusak"}, ("text",)),
        ({"text": "", "kind": "image"}, ("text",)),
        ({"text": "", "kind": "audio"}, ()),
        ({"text": "jalan rusak parah"}, ()),
        ({"text": "rusak", "title": "Jalan Mawar berlubang"}, ()),
        ({"text": "halo", "opens_report": True}, ("text",)),
        ({"text": "jalan rusak parah", "place": None}, ("place",)),
    ],
)
def test_hardly_any_words_are_asked_for(known: dict, missing: tuple[str, ...]) -> None:
    assert opened(MemoryDouble(), **known).missing == missing


# the batch and the memory


def test_a_batch_sees_itself_in_order() -> None:
    batch = [
        message("0", ROAD),
        message("1", "masih rusak pak", minutes=1),
        message("2", LAMP, by=BUDI, minutes=1),
        message("3", LAMP, opens_report=True, minutes=2),
        message("4", "gelap sekali", minutes=3),
        message("1", "masih rusak pak", raw="another", minutes=4),
    ]
    events = match(batch, MemoryDouble())
    a, b, c = (complaint_id(f"sms/sms/{n}") for n in (0, 2, 3))
    assert [x.id for x in events] == [a, a, b, c, c, a]
    assert [x.message for x in events] == batch


def test_a_batch_that_cannot_be_remembered_raises_and_leaves_nothing() -> None:
    memory = MemoryDouble(busy=1)
    with pytest.raises(Retry):
        match([message("0", ROAD)], memory)
    assert memory.entries == []
    opened(memory)


TALK = st.tuples(
    st.sampled_from([SARI, BUDI]),
    st.sampled_from([ROAD, LAMP, "ya", ""]),
    st.sampled_from(["text", "sticker", "reaction", "image", "edit"]),
    st.booleans(),
    st.sampled_from([None, "0", "1"]),
    st.integers(0, 5),
)


@given(st.lists(TALK, max_size=12), st.data())
def test_one_batch_or_many_the_decisions_are_the_same(talk: list, data: st.DataObject) -> None:
    messages = [
        message(str(native), text, by=by, kind=kind, opens_report=opens_report, refers_to=to, minutes=n, raw=f"r{n}")
        for n, (by, text, kind, opens_report, to, native) in enumerate(talk)
    ]
    cut = data.draw(st.integers(0, len(messages)))
    memory = MemoryDouble()
    assert match(messages, MemoryDouble()) == match(messages[:cut], memory) + match(messages[cut:], memory)


@given(st.lists(TALK, max_size=12))
def test_case_22_nobodys_words_enter_another_citizens_case(talk: list) -> None:
    memory = MemoryDouble()
    owner = {opened(memory, "s").number: SARI, opened(memory, "b", by=BUDI).number: BUDI}
    numbers = list(owner)
    for n, (by, text, kind, opens_report, to, native) in enumerate(talk):
        named = (
            {"command": "TL" if opens_report else "CEK", "number": numbers[n % 2]}
            if native % 2
            else {"opens_report": opens_report}
        )
        written = message(f"{by}-{n}", text, by=by, kind=kind, refers_to=to and f"{by}-{to}", minutes=n, **named)
        (matched,) = match([written], memory)
        if matched.outcome == "recorded":
            owner[matched.number] = by
        if matched.outcome == "added" and not matched.stranger:
            assert owner[matched.number] == by


@given(st.text())
def test_reports_are_compared_by_letters_and_digits_only(text: str) -> None:
    assert fold_text(text) == fold_text(f"  {text.casefold()} …!")


def test_plain_and_other_letters_are_folded_alike() -> None:
    assert fold_text("Jalan Mawar no. 12 rusak") == fold_text("jalan mawar — no 12 “rusak”")


def test_a_message_is_never_changed() -> None:
    written = message("0", ROAD)
    assert match([written], MemoryDouble())[0].message is written
    assert msgspec.structs.replace(written) == written
