"""`read`: every item of every Raw becomes one event with its place, whatever stands in the Raw."""

from __future__ import annotations

import base64
from itertools import count

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer import READER, read
from schemas import EVENTS, Attachment, Dead, Event, Message, Party, Place, Raw, Receipt, Reject, decode, encode
from tests.normalizer.stage import NOON, SARI, Says, message, raw


def reading(*items: object, of: Raw | None = None) -> list[Event]:
    ids = count()
    channel = Says(*items)
    return read([of or raw()], lambda _: channel, now=lambda: NOON, new_id=lambda: f"dead-{next(ids)}")


def one(said: Message, **told: object) -> Message:
    (event,) = reading(said, of=raw(**told))
    assert isinstance(event, Message)
    return event


def test_the_words_as_said_are_kept_beside_the_words_as_read() -> None:
    event = one(message("1", "LAPOR  jalan\0 rusak\u200b parah"))
    assert (event.text, event.read) == ("LAPOR  jalan\0 rusak\u200b parah", "jalan rusak parah")
    assert (event.begins, event.reader) == (True, READER)


def test_items_are_counted_in_order() -> None:
    receipt = Receipt(account="sms", channel="sms", state="sent", at=NOON, reply="r-1")
    events = reading(message("1"), receipt, Reject("a part without text"), message("2"))
    assert [type(e) for e in events] == [Message, Receipt, Dead, Message]
    assert [(e.raw, e.index, e.of) for e in events] == [("raw-1", i, 4) for i in range(4)]
    assert {e.received_at for e in events} == {NOON}


def test_a_raw_keeps_the_items_of_its_own_conversation() -> None:
    items = (message("1", conversation="a"), message("2", conversation="b"), message("3", conversation="a"))
    events = reading(*items, of=raw(conversation="a"))
    assert [(e.native_id, e.index, e.of) for e in events] == [("1", 0, 2), ("3", 1, 2)]


def test_the_rest_keeps_what_belongs_to_no_conversation() -> None:
    loose = Receipt(account="sms", channel="sms", state="sent", at=NOON)
    events = reading(message("1", conversation="a"), loose, Reject("no text"), of=raw(rest=True))
    assert [type(e) for e in events] == [Receipt, Dead]


def test_what_is_the_rests_is_not_dead_twice() -> None:
    items = (message("1", conversation="a"), Reject("no text"))
    assert [type(e) for e in reading(*items, of=raw(conversation="a"))] == [Message]


def test_a_raw_without_items_is_an_empty_receipt() -> None:
    (event,) = reading(of=raw(conversation=SARI))
    assert isinstance(event, Receipt)
    assert (event.state, event.raw, event.index, event.of) == ("empty", "raw-1", 0, 1)


def test_a_part_that_makes_no_sense_is_dead_and_holds_its_raw() -> None:
    told = raw(b"body", conversation=SARI)
    (event,) = reading(Reject("a part without text"), of=told)
    assert isinstance(event, Dead)
    assert (event.stage, event.of_topic, event.event_key, event.reason) == (
        "reader", "raw", told.key, "a part without text",
    )  # fmt: skip
    assert decode("raw", event.event) == told


def test_a_body_with_the_blobs_stays_there_when_its_raw_is_dead() -> None:
    (event,) = reading(Reject("no sense"), of=raw(b"x" * 300_000, blob="ab" * 32))
    assert isinstance(event, Dead)
    assert len(event.event) < 1000


def test_what_was_read_before_a_fault_is_kept() -> None:
    events = reading(message("1"), KeyError("0812-0000-1234"), message("2"))
    assert [type(e) for e in events] == [Message, Dead]
    assert isinstance(events[1], Dead)
    assert "KeyError" in events[1].reason
    assert "0812" not in events[1].reason


def test_one_poisonous_raw_leaves_the_others_alone() -> None:
    channels = {"good": Says(message("1")), "bad": Says(RecursionError())}
    raws = [raw(account=name, raw_id=name) for name in ("good", "bad", "gone", "good")]
    events = read(raws, channels.get, now=lambda: NOON, new_id=lambda: "dead")
    assert [type(e) for e in events] == [Message, Dead, Dead, Message]
    assert isinstance(events[2], Dead)
    assert "'gone'" in events[2].reason


def test_a_message_without_an_id_gets_one_from_its_raw() -> None:
    said = message("1", sent_at=NOON)
    for native in ("", "null", " NULL ", "None"):
        event = one(msgspec.structs.replace(said, native_id=native))
        assert (event.id, event.native_id) == ("sms/sms/~raw-1.0", "~raw-1.0")
        assert event.fingerprint


def test_case_17_the_id_null_and_no_time_make_two_messages_of_two() -> None:
    twin = message("null", "Jalan rusak")
    events = reading(twin, twin)
    assert [e.id for e in events if isinstance(e, Message)] == ["sms/sms/~raw-1.0", "sms/sms/~raw-1.1"]
    assert {e.fingerprint for e in events if isinstance(e, Message)} == {None}


def test_equal_sender_text_and_time_have_one_fingerprint() -> None:
    twins = [message("", "Jalan rusak", sent_at=NOON, by=by) for by in (SARI, SARI, "+6281200000009")]
    first, second, other = (one(twin, raw_id=str(n)).fingerprint for n, twin in enumerate(twins))
    assert first == second != other


def test_case_17_base64_in_a_short_message_is_read() -> None:
    packed = base64.b64encode(b"LAPOR jalan rusak di depan pasar").decode()
    event = one(message("1", packed))
    assert (event.text, event.read, event.begins) == (packed, "jalan rusak di depan pasar", True)
    assert one(message("1", packed, account="wa"), channel="whatsapp").read == packed


def test_case_10_the_sender_is_known_by_one_number_and_the_written_one_is_kept() -> None:
    sender = one(message("1", sender=Party(phone="0812-0000-1234"))).sender
    assert (sender.phone, sender.phone_said) == ("+6281200001234", "0812-0000-1234")


@pytest.mark.parametrize("kind", ["web", "file", "email", "portal"])
def test_keywords_are_for_conversations_only(kind: str) -> None:
    event = one(message("1", "TANGKAB CEK 1234567897", channel=kind), channel=kind)
    assert (event.read, event.begins, event.command) == ("TANGKAB CEK 1234567897", False, None)


def test_a_row_of_a_file_is_no_conversation_whatever_channel_it_names() -> None:
    assert one(message("1", "CEK 1234567897", channel="sms"), channel="file").command is None


def test_an_edited_command_is_no_command() -> None:
    assert one(message("1", "CEK 1234567897", kind="edit")).command is None


def test_what_the_channel_found_out_itself_stays() -> None:
    event = one(message("1", "tolong", begins=True, command="TL", number="1234567897"))
    assert (event.begins, event.command, event.number) == (True, "TL", "1234567897")


KEYWORD = Place(code="36.03", source="keyword")
OWNER = Place(code="32.73", source="owner")
SHARED = Place(lat=-6.9, lon=107.6, source="shared")


@pytest.mark.parametrize(
    ("said", "text", "owner", "place"),
    [
        (None, "jalan rusak", "32.73", OWNER),
        (None, "jalan rusak", "diskominfo-bandung", None),
        (None, "jalan rusak", "134763", None),
        (None, "TANGKAB jalan rusak", "32.73", KEYWORD),
        (Place(code="32.04"), "TANGKAB jalan rusak", "32.73", Place(code="32.04")),
        (SHARED, "jalan rusak", "32.73", SHARED),
        (SHARED, "TANGKAB jalan rusak", "32.73", msgspec.structs.replace(SHARED, code="36.03")),
        (Place(words="Jl. Mawar"), "jalan rusak", "32.73", Place(words="Jl. Mawar", code="32.73", source="owner")),
    ],
)
def test_the_place_is_the_best_that_is_known(said: Place | None, text: str, owner: str, place: Place | None) -> None:
    assert one(message("1", text, place=said), owner=owner).place == place


@pytest.mark.parametrize(
    "wrong",
    [
        {"sender": Party(name=5)},
        {"kind": "0812-0000-1234"},
        {"attachments": (Attachment(size="big"),)},
        {"extra": {"x": object()}},
        {"text": None},
        {"sent_at": "yesterday 0812"},
    ],
)
def test_a_value_of_the_wrong_type_is_dead_here_and_names_no_value(wrong: dict) -> None:
    (event,) = reading(message("1", **{"read": "", **wrong}))
    assert isinstance(event, Dead)
    assert "0812" not in event.reason


ANY_TEXT = st.text(alphabet=st.characters(), max_size=40) | st.sampled_from(["\ud800", "a\0b", "null", "TL \ud83d"])


@given(text=ANY_TEXT, name=ANY_TEXT, native=ANY_TEXT, extra=ANY_TEXT)
def test_whatever_is_said_can_stand_on_the_bus(text: str, name: str, native: str, extra: str) -> None:
    said = message("1", text, sender=Party(name=name, phone=name), title=name, extra={extra: extra}, refers_to=extra)
    (event,) = reading(msgspec.structs.replace(said, native_id=native, read=""))
    wire = encode(event)
    assert decode(event.topic, wire) == event
    assert event.topic == "messages"
    shown = msgspec.structs.replace(event, text="") if isinstance(event, Message) else event
    assert b"\\u0000" not in encode(shown)


@given(st.binary(max_size=300))
def test_reading_never_fails_whatever_the_bytes(body: bytes) -> None:
    class Careless:
        def parse(self, raw: Raw) -> list[Message]:
            said = msgspec.json.decode(raw.body)
            return [message(said["id"], said["text"], sender=Party(phone=said["from"]))]

    told = raw(body)
    events = read([told], lambda _: Careless(), now=lambda: NOON, new_id=lambda: "d")
    assert len(events) == 1
    assert all(isinstance(e, tuple(EVENTS.values())) for e in events)


@given(st.text(), st.booleans())
def test_reading_twice_gives_the_same(text: str, latin: bool) -> None:
    body = text.encode("latin-1", "replace") if latin else text.encode("utf-8", "surrogatepass")
    said = message("1", body.decode("utf-8", "surrogateescape"))
    assert reading(said) == reading(said)
