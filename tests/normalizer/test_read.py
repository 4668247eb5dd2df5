"""The reader: every item of every Raw becomes one event with its position, whatever the Raw holds."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from itertools import count

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from normalizer import PlaceQuestion, Reader
from normalizer.message import with_class
from normalizer.models.classified import Classified
from schemas import (
    EVENTS,
    Action,
    Attachment,
    Category,
    Dead,
    Event,
    Message,
    Party,
    Place,
    Raw,
    Receipt,
    Reject,
    decode,
    encode,
)
from schemas.ids import MAX_ID
from tests.normalizer.stage import NOON, SARI, Prepared, action, message, raw


class NoPlaces:
    version = "none"

    def places(self, questions: Sequence[PlaceQuestion]) -> list[Sequence[Place]]:
        return [self.candidates(*question) for question in questions]

    def candidates(self, text: str, owner: str, address: str) -> Sequence[Place]:
        return ()


def events_of(channel: Prepared, *raws: Raw, knowledge: object = None) -> list[Event]:
    ids = count()
    reader = Reader(lambda _: channel, knowledge or NoPlaces())
    return reader.read(raws, now=lambda: NOON, new_id=lambda: f"dead-{next(ids)}")


def reading(*items: object, of: Raw | None = None) -> list[Event]:
    return events_of(Prepared(*items), of or raw())


def one(item: Message, *, facts: dict[str, bool] | None = None, **known: object) -> Message:
    (event,) = events_of(Prepared(item, **facts or {}), raw(**known))
    assert isinstance(event, Message)
    return event


def test_the_words_as_written_are_kept_beside_the_cleaned_ones() -> None:
    event = one(message("1", "LAPOR  jalan\0 rusak\u200b parah"))
    assert (event.text, event.cleaned) == ("LAPOR  jalan\0 rusak\u200b parah", "jalan rusak parah")
    assert (event.opens_report, event.clean_text) == (True, "jalan rusak parah")


def test_a_text_that_needs_no_cleaning_stands_once() -> None:
    event = one(message("1", "jalan rusak parah"))
    assert (event.cleaned, event.clean_text) == (None, "jalan rusak parah")


def test_a_reader_of_a_stage_leaves_out_only_what_no_stage_looks_at() -> None:
    words = message("1", "LAPOR jln rsk parahhh, hubungi 081234567890")
    annotated = one(words)
    assert (annotated.text_read, len(annotated.personal)) == ("jalan rusak parah, hubungi 081234567890", 1)
    reader = Reader(lambda _: Prepared(words), NoPlaces(), annotates=False)
    [plain] = reader.read([raw()], now=lambda: NOON, new_id=str)
    assert plain == msgspec.structs.replace(annotated, text_read=None, personal=())


def test_the_version_names_code_and_knowledge() -> None:
    class Gazetteer(NoPlaces):
        version = "gazetteer-7"

    assert Reader(lambda _: None, Gazetteer()).version.endswith("+gazetteer-7")
    (event,) = events_of(Prepared(message("1", "x")), raw(), knowledge=Gazetteer())
    assert isinstance(event, Message)
    assert event.reader.endswith("+gazetteer-7")


def test_candidates_for_the_place_come_from_the_knowledge() -> None:
    class Gazetteer(NoPlaces):
        def candidates(self, text: str, owner: str, address: str) -> Sequence[Place]:
            return (Place(code="32.73.01", words=text, evidence=owner),)

    found = (Place(code="32.73.01", words="jalan rusak", evidence="32.73"),)
    for item, places in (
        (message("1", "jalan rusak", place=None), found),
        (message("1", "jalan rusak", place=Place(code="36.03")), ()),
        (message("1", "CEK 1234567897", place=None), ()),
    ):
        (event,) = events_of(Prepared(item), raw(), knowledge=Gazetteer())
        assert isinstance(event, Message)
        assert event.places == places


def test_items_are_counted_in_order() -> None:
    receipt = Receipt(account="sms", channel="sms", state="sent", at=NOON, reply="r-1", raw="", received_at=NOON)
    items = (message("1"), receipt, Reject("no_text", "a part without text"), action("2"), message("3"))
    events = reading(*items)
    assert [type(e) for e in events] == [Message, Receipt, Dead, Action, Message]
    assert [(e.raw, e.item_index, e.item_count) for e in events] == [("raw-1", i, 5) for i in range(5)]
    assert {e.received_at for e in events} == {NOON}


def test_a_batch_is_read_as_its_raws_one_by_one() -> None:
    items = (
        message("1", "jln rsk parah"),
        Reject("no_text"),
        action("2"),
        message("3", "Terima kasih pak"),
        message("4", "lampu mati"),
    )
    channel, raws = Prepared(*items), [raw(raw_id="raw-1"), raw(raw_id="raw-2", owner="35.78")]

    together = events_of(channel, *raws)

    apart = [event for one in raws for event in events_of(channel, one)]
    assert [type(event) for event in together[:5]] == [Message, Dead, Action, Message, Message]
    assert [e for e in together if not isinstance(e, Dead)] == [e for e in apart if not isinstance(e, Dead)]


def test_a_raw_has_the_parts_that_are_its_own() -> None:
    items = (message("1", conversation="a"), message("2", conversation="b"), message("3", conversation="a"))
    events = reading(*items, of=raw(conversation="a", parts=(0, 2)))
    assert [(e.native_id, e.item_index, e.item_count) for e in events] == [("1", 0, 2), ("3", 1, 2)]


def test_finding_m4_one_request_of_many_raws_is_taken_apart_once_and_each_part_is_read_once() -> None:
    channel = Prepared(*(message(str(n), conversation=f"c{n}") for n in range(300)))
    raws = [raw(bytes(bytearray(b"one body")), f"raw-{n}", conversation=f"c{n}", parts=(n,)) for n in range(300)]
    events = events_of(channel, *raws)
    assert [e.native_id for e in events] == [str(n) for n in range(300)]
    assert (channel.taken_apart, channel.read) == (1, 300)


def test_two_requests_are_not_taken_for_one() -> None:
    channel = Prepared(message("1"), message("2"))
    events_of(channel, raw(b"one", "a", parts=(0,)), raw(b"two", "b", parts=(0,)), raw(b"one", "c", parts=(1,)))
    assert channel.taken_apart == 2
    events_of(channel, raw(b"", "a", parts=(0,), blob="ab" * 32), raw(b"", "b", parts=(0,), blob="cd" * 32))
    assert channel.taken_apart == 4


@pytest.mark.parametrize(
    ("raws", "kinds"),
    [
        ([(0,), (1,)], [Message, Message, Dead]),
        ([(1,), (0,)], [Message, Dead, Message]),
        ([None], [Message, Message, Dead]),
    ],
)
def test_a_fault_after_some_parts_is_dead_once(raws: list, kinds: list) -> None:
    channel = Prepared(message("1"), message("2"), KeyError("0812-0000-1234"))
    events = events_of(channel, *(raw(b"body", f"r{n}", parts=parts) for n, parts in enumerate(raws)))
    assert [type(e) for e in events] == kinds


def test_a_position_that_is_no_more_in_the_request_is_dead() -> None:
    (event,) = reading(message("1"), of=raw(parts=(3,)))
    assert isinstance(event, Dead)
    assert event.code == "part_missing"


def test_a_raw_without_items_is_an_empty_receipt() -> None:
    (event,) = reading(of=raw(conversation=SARI))
    assert isinstance(event, Receipt)
    assert (event.state, event.raw, event.item_index, event.item_count) == ("empty", "raw-1", 0, 1)


def test_a_part_that_makes_no_sense_is_dead_and_holds_its_raw() -> None:
    source = raw(b"body", conversation=SARI)
    (event,) = reading(Reject("no_text", "a part without text"), of=source)
    assert isinstance(event, Dead)
    assert (event.stage, event.of_topic, event.event_key, event.code, event.detail) == (
        "reader", "raw", source.key, "no_text", "a part without text",
    )  # fmt: skip
    assert decode("raw", event.event) == source


def test_a_body_with_the_blobs_stays_there_when_its_raw_is_dead() -> None:
    (event,) = reading(Reject("no_sense"), of=raw(b"x" * 300_000, blob="ab" * 32))
    assert isinstance(event, Dead)
    assert len(event.event) < 1000


def test_items_before_a_fault_are_kept() -> None:
    events = reading(message("1"), KeyError("0812-0000-1234"), message("2"))
    assert [type(e) for e in events] == [Message, Dead]
    assert isinstance(events[1], Dead)
    assert "KeyError" in events[1].detail
    assert "0812" not in events[1].detail


def test_one_poisonous_raw_leaves_the_others_alone() -> None:
    channels = {"good": Prepared(message("1")), "bad": Prepared(RecursionError())}
    raws = [raw(account=name, raw_id=name) for name in ("good", "bad", "gone", "good")]
    events = Reader(channels.get, NoPlaces()).read(raws, now=lambda: NOON, new_id=lambda: "dead")
    assert [type(e) for e in events] == [Message, Dead, Dead, Message]
    assert [e.code for e in events if isinstance(e, Dead)] == ["channel_bug", "unknown_account"]


@pytest.mark.parametrize("native", ["", "null", " NULL ", "None"])
def test_a_message_without_an_id_gets_one_from_its_raw(native: str) -> None:
    event = one(message(native, sent_at=NOON))
    assert (event.id, event.native_id) == ("sms/sms/~raw-1.0", "~raw-1.0")
    assert event.fingerprint


def test_an_action_without_an_id_gets_one_from_its_raw() -> None:
    (event,) = reading(msgspec.structs.replace(action("1"), id=""))
    assert isinstance(event, Action)
    assert event.id == "sms/sms/~raw-1.0"


def test_case_17_the_id_null_and_no_time_make_two_messages_of_two() -> None:
    twin = message("null", "Jalan rusak")
    events = reading(twin, twin)
    assert [e.id for e in events if isinstance(e, Message)] == ["sms/sms/~raw-1.0", "sms/sms/~raw-1.1"]
    assert {e.fingerprint for e in events if isinstance(e, Message)} == {None}


def test_equal_sender_text_and_time_have_one_fingerprint() -> None:
    twins = [message("", "Jalan rusak", sent_at=NOON, by=by) for by in (SARI, SARI, "+6281200000009")]
    first, second, other = (one(twin, raw_id=str(n)).fingerprint for n, twin in enumerate(twins))
    assert first == second != other


def test_words_come_after_the_names_of_accounts_where_people_begin_with_them() -> None:
    asked = message("1", "@dinas @kota CEK 4719360285")
    event = one(asked, facts={"names_us_first": True})
    assert (event.text, event.command, event.number) == (asked.text, "CEK", "4719360285")
    assert one(asked).command is None
    assert one(message("1", "@dinas lampu mati"), facts={"names_us_first": True}).clean_text == "lampu mati"
    assert one(message("1", "@dinas"), facts={"names_us_first": True}).clean_text == "@dinas"


def test_case_17_base64_in_a_short_message_is_read() -> None:
    packed = base64.b64encode(b"LAPOR jalan rusak di depan pasar").decode()
    event = one(message("1", packed))
    assert (event.text, event.cleaned, event.opens_report) == (packed, "jalan rusak di depan pasar", True)
    assert one(message("1", packed), facts={"unwraps_base64": False}).clean_text == packed


def test_case_10_the_sender_is_known_by_one_number_and_the_written_one_is_kept() -> None:
    sender = one(message("1", sender=Party(phone="0812-0000-1234"))).sender
    assert (sender.phone, sender.phone_written) == ("+6281200001234", "0812-0000-1234")


@pytest.mark.parametrize(
    ("channel", "item", "proven"), [(True, False, True), (False, True, True), (False, False, False)]
)
def test_a_sender_is_proven_by_the_channel_or_by_the_message(channel: bool, item: bool, proven: bool) -> None:
    assert one(message("1", proven=item), facts={"vouches_for_sender": channel}).proven is proven


def test_keywords_are_for_conversations_only() -> None:
    event = one(message("1", "TANGKAB CEK 1234567897"), facts={"conversational": False})
    assert (event.clean_text, event.opens_report, event.command) == ("TANGKAB CEK 1234567897", False, None)


@pytest.mark.parametrize(("text", "read"), [
    ("TL 1234567897 lampu mati", True), ("BELUM 1234567897 lampu mati", True), ("CEK 1234567897", False),
])  # fmt: skip
def test_words_behind_a_number_are_read_as_all_others(text: str, read: bool) -> None:
    """They may hold the place and the matter that the report lacked, or be a report of their own."""

    class Everywhere(NoPlaces):
        def candidates(self, text: str, owner: str, address: str) -> Sequence[Place]:
            return (Place(code="32.73", words=text, source="text"),)

    class Lights:
        version = "lights"

        def classify(self, texts: Sequence[str]) -> list[Classified]:
            return [Classified(report_class="complaint", category=Category(id=text)) for text in texts]

    reader = Reader(lambda _: Prepared(message("1", text)), Everywhere(), Lights())
    [event] = reader.read([raw()], now=lambda: NOON, new_id=str)
    assert isinstance(event, Message)
    words = "lampu mati" if read else None
    assert (event.places[0].words if event.places else None, event.category and event.category.id) == (words, words)


def test_an_edited_command_is_no_command() -> None:
    assert one(message("1", "CEK 1234567897", kind="edit")).command is None


def test_findings_of_the_channel_itself_stay() -> None:
    event = one(message("1", "tolong", opens_report=True, command="TL", number="1234567897"))
    assert (event.opens_report, event.command, event.number) == (True, "TL", "1234567897")


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        ("terima kasih banyak pak", "thanks"),
        ("🙏", "thanks"),
        ("P", "greeting"),
        ("Tabe pak", "greeting"),
        ("Pak min", "greeting"),
        ("nggih, matur suwun", "thanks"),
        ("makase banyak bapa", "thanks"),
        ("peteng pak", "unknown"),
        ("Selamat pagi min", "greeting"),
        ("???", "greeting"),
        ("halo, jalan rusak", "unknown"),
        ("terima kasih, lampu sudah nyala", "unknown"),
        ("", "unknown"),
        ("ok " * 60, "unknown"),
    ],
)
def test_thanks_and_greetings_are_known_by_their_words(text: str, sort: str) -> None:
    assert one(message("1", text)).sort == sort


def test_danger_is_a_complaint_though_no_list_says_so() -> None:
    burning = message("1", "klitih neng prapatan, ana sing dibacok", emergency=True)
    known = with_class(burning, Classified())
    assert (known.report_class, known.sort) == ("complaint", "report")
    assert with_class(replace(burning, emergency=False), Classified()).report_class == "unknown"


KEYWORD = Place(code="36.03", source="keyword")
OWNER = Place(code="32.73", source="owner")
SHARED = Place(lat=-6.9, lon=107.6, source="shared")


@pytest.mark.parametrize(
    ("stated", "text", "owner", "place"),
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
def test_the_place_is_the_best_that_is_known(stated: Place | None, text: str, owner: str, place: Place | None) -> None:
    assert one(message("1", text, place=stated), owner=owner).place == place


@pytest.mark.parametrize(
    ("named", "codes"),
    [((), ["32.73"]), (("32.73.02",), ["32.73.02"]), (("36.03.01", "32.73.02"), ["32.73.02"]), (("36.03",), ["32.73"])],
    ids=["point alone", "inside", "inside and elsewhere", "elsewhere"],
)
def test_a_shared_point_tells_the_regency_and_words_inside_it_more(named: tuple[str, ...], codes: list[str]) -> None:
    class Gazetteer(NoPlaces):
        def candidates(self, text: str, owner: str, address: str) -> Sequence[Place]:
            return tuple(Place(code=code, words="di sini") for code in named)

    shared = Place(lat=-6.9147, lon=107.6098, source="shared")
    (event,) = events_of(Prepared(message("1", "jalan rusak", place=shared)), raw(owner=""), knowledge=Gazetteer())
    assert isinstance(event, Message)
    assert [place.code for place in event.places] == codes
    assert event.place == shared


@pytest.mark.parametrize("words", [None, "Jalan Melati"])
def test_a_point_at_zero_is_none_whatever_channel_brings_it(words: str | None) -> None:
    (event,) = reading(message("1", place=Place(lat=0.0, lon=0.0, words=words, source="shared")))
    assert isinstance(event, Message)
    assert event.place is None or (event.place.lat, event.place.lon, event.place.words) == (None, None, words)
    (elsewhere,) = reading(message("1", place=Place(lat=0.0, lon=109.3, source="shared")))  # Pontianak
    assert isinstance(elsewhere, Message)
    assert elsewhere.place is not None
    assert (elsewhere.place.lat, elsewhere.place.lon) == (0.0, 109.3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sender": Party(name=5)},
        {"sender": "0812-0000-1234"},
        {"attachments": (Attachment(size="big"),)},
        {"extra": {"x": object()}},
        {"text": None},
        {"sent_at": "yesterday 0812"},
    ],
)
def test_a_value_of_the_wrong_type_is_dead_here_and_names_no_value(wrong: dict) -> None:
    (event,) = reading(message("1", **wrong))
    assert isinstance(event, Dead)
    assert event.code == "wrong_type"
    assert "0812" not in event.detail


def test_finding_h1_an_over_long_key_becomes_its_hash() -> None:
    long = "A" * 600_000
    item = message(long, "jalan rusak", conversation=long, aliases=(long, "b"), refers_to=long, number=long)
    event = one(msgspec.structs.replace(item, sender=Party(user=long), external_ids={long: long}, extra={long: "x"}))
    assert len(encode(event)) < 4000
    assert event.conversation.startswith("sha256:")
    assert event.aliases[1] == "b"
    assert len(event.key) <= MAX_ID + len("sms/")
    assert event.native_id.startswith("sha256:")


def test_case_16_half_an_emoji_is_a_message() -> None:
    event = one(message("1", "Lampu mati \ud83d"))
    assert (event.text, event.cleaned) == ("Lampu mati \ufffd", "Lampu mati")


ANY_TEXT = st.text(alphabet=st.characters(), max_size=40) | st.sampled_from(["\ud800", "a\0b", "null", "TL \ud83d"])


@given(text=ANY_TEXT, name=ANY_TEXT, native=ANY_TEXT, extra=ANY_TEXT)
def test_any_text_can_stand_on_the_bus(text: str, name: str, native: str, extra: str) -> None:
    sender = Party(name=name, phone=name)
    item = message("1", text, sender=sender, title=name, extra={extra: extra}, refers_to=extra)
    (event,) = reading(msgspec.structs.replace(item, id=f"sms/sms/{native}"))
    assert isinstance(event, Message)
    assert decode(event.topic, encode(event)) == event
    assert b"\\u0000" not in encode(msgspec.structs.replace(event, text=""))


@given(st.binary(max_size=300))
def test_reading_never_fails_whatever_the_bytes(body: bytes) -> None:
    class Careless(Prepared):
        def parts(self, payload: Raw) -> list:
            return [msgspec.json.decode(payload.body)]

        def read_safely(self, part: object, raw: Raw) -> Message:
            return message(str(part), str(part), sender=Party(phone=part))

    events = events_of(Careless(), raw(body))
    assert len(events) == 1
    assert all(isinstance(e, tuple(EVENTS.values())) for e in events)


@given(st.text(), st.booleans())
def test_reading_twice_gives_the_same(text: str, latin: bool) -> None:
    body = text.encode("latin-1", "replace") if latin else text.encode("utf-8", "surrogatepass")
    item = message("1", body.decode("utf-8", "surrogateescape"))
    assert reading(item) == reading(item)
