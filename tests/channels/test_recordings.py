"""Requirements on every channel, run over each recording in this folder."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Sequence
from datetime import timedelta
from urllib.parse import parse_qsl, quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from connectors import Forbidden, Listens, Part, Request, channel_type, group_parts, kinds, secret_hook
from schemas import Message, Receipt, Reject
from tests.channels.made_up.guide import BLOCKS
from tests.channels.recording import (
    FILES,
    Case,
    able,
    cases,
    channel,
    proof_secret,
    proven,
    raw,
    read,
    recorded,
    recording,
    secrets,
    shown,
)
from tests.examples import examples

ALL = [case for kind in recorded() for case in cases(kind)]
HEARD = [case for kind in able(Listens) for case in cases(kind)]
SIGNED = [case for case in HEARD if "hmac-sha256" in recording(case.kind)["proof"]]
WITH_ITEMS = [case for case in ALL if any("reject" not in item for item in case.items)]
IN_JSON = {kind: [c for c in cases(kind) if c.request.body.startswith(b"{")] for kind in recorded()}
few = examples(30)
"""For each kind."""


def over(listed: Sequence[Case]) -> Callable[[Callable[[Case], None]], Callable[[str], None]]:
    """Run over the cases of a kind, one test for each kind; a failure names its case."""
    of_kind = {kind: [case for case in listed if case.kind == kind] for kind in dict.fromkeys(c.kind for c in listed)}

    def decorate(check: Callable[[Case], None]) -> Callable[[str], None]:
        @pytest.mark.parametrize("kind", of_kind)
        def test(kind: str) -> None:
            for case in of_kind[kind]:
                try:
                    check(case)
                except BaseException as failure:
                    failure.add_note(f"in {case}")
                    raise

        return test

    return decorate


each = over(ALL)
each_heard = over(HEARD)
each_kind = pytest.mark.parametrize("kind", recorded())
each_listening = pytest.mark.parametrize("kind", able(Listens))


def texts_of(request: Request) -> list[str]:
    """Every text of a request."""
    return [request.body.decode(), *(value for _, value in parse_qsl(request.query))]


WITH_TEXT = [c for c in WITH_ITEMS if (text := c.items[0].get("text")) and text in "".join(texts_of(c.request))]


def test_every_channel_has_a_recording():
    assert sorted(FILES) == list(kinds())


def matches(found: object, wanted: object) -> bool:
    """Objects are compared in the fields that `wanted` names."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return all(matches(found.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list) and len(found) == len(wanted):
        return all(map(matches, found, wanted))
    return found == wanted


@each
def test_it_is_read_as_recorded(case: Case):
    items = [shown(item) for item in read(channel(case.kind), raw(case.kind, case.request))]
    assert len(items) == len(case.items)
    for found, wanted in zip(items, case.items, strict=True):
        assert matches(found, wanted), found


@each
def test_read_again_it_gives_the_same_items_with_the_same_ids(case: Case):
    door, first = channel(case.kind), raw(case.kind, case.request)
    assert [shown(item) for item in read(door, first)] == [shown(item) for item in read(door, first)]
    later = read(door, raw(case.kind, case.request, id="raw-2"))
    assert [getattr(i, "id", None) for i in read(door, first)] == [getattr(i, "id", None) for i in later]
    assert [getattr(i, "fingerprint", None) for i in read(door, first)] == [
        getattr(i, "fingerprint", None) for i in later
    ]


@each
def test_a_part_may_be_read_twice(case: Case):
    door, stored = channel(case.kind), raw(case.kind, case.request)
    for part in parts(door, case.request):
        assert shown(door.read_safely(part, stored)) == shown(door.read_safely(part, stored))


@each
def test_the_parts_of_one_conversation_are_one_group(case: Case):
    door = channel(case.kind)
    groups = group_parts(door, case.request)
    listed = [group.conversation for group in groups]
    assert len({(g.conversation, g.address) for g in groups}) == len(groups)
    assert sorted(listed, key=str) == sorted(case.conversations or [None], key=str)


@each
def test_the_groups_hold_every_item_once_and_in_order(case: Case):
    door, groups = channel(case.kind), group_parts(channel(case.kind), case.request)
    whole = [shown(item) for item in read(door, raw(case.kind, case.request))]
    shares = [[shown(item) for item in read(door, raw(case.kind, case.request, parts=g.positions))] for g in groups]
    assert sorted(map(json.dumps, whole)) == sorted(json.dumps(item) for share in shares for item in share)
    for share in shares:
        assert [item for item in whole if item in share] == share


def parts(door: object, request: Request) -> list[Part]:
    """The parts that can be told apart, before the request makes no more sense."""
    found: list[Part] = []
    try:
        for part in door.parts(request):
            found.append(part)
    except Reject:
        pass
    return found


def assert_parts_name_their_conversations(door: object, request: Request) -> None:
    """A message's conversation is its part's, a receipt's too where it names one; no part finds a bug."""
    stored = raw(door.kind, request)
    for part in parts(door, request):
        match door.read_safely(part, stored):
            case Message(conversation=conversation):
                assert conversation == (part.conversation or stored.id)
            case Receipt(conversation=conversation):
                assert conversation in {None, part.conversation}
            case Reject(code=code, detail=detail):
                assert code != "channel_bug", detail


@each
def test_each_part_names_the_conversation_of_its_item(case: Case):
    assert_parts_name_their_conversations(channel(case.kind), case.request)


@each_heard
def test_case_12_only_proven_requests_come_in(case: Case):
    door = channel(case.kind)
    door.verify(proven(case.kind, case.request))
    with pytest.raises(Forbidden):
        door.verify(case.request)
    forged = proven(case.kind, case.request, **{proof_secret(case.kind): "tebakan"})
    spoofed = {"x-forwarded-for": "31.13.24.1", "user-agent": "facebookexternalua"}
    with pytest.raises(Forbidden):
        door.verify(replace(forged, headers={**forged.headers, **spoofed}))


@over(SIGNED)
def test_a_signature_is_for_these_bytes_only(case: Case):
    request = proven(case.kind, case.request)
    with pytest.raises(Forbidden):
        channel(case.kind).verify(replace(request, body=request.body + b" "))


@each_listening
def test_the_header_of_the_proof_is_named(kind: str):
    header = recording(kind)["proof"].get("header")
    assert channel_type(kind).proof_header == (header if "GET" in channel_type(kind).methods or header else None)


@each_listening
def test_case_12_without_a_secret_nothing_is_proven(kind: str):
    empty = {proof_secret(kind): ""}
    for request in (case.request for case in cases(kind)):
        with pytest.raises(Forbidden):
            channel(kind, **empty).verify(proven(kind, request, **empty))


@each_listening
@few
@given(header=st.text(max_size=80), query=st.text(max_size=80), body=st.binary(max_size=80))
def test_case_12_nonsense_for_a_proof_is_refused(kind: str, header: str, query: str, body: bytes):
    proof = recording(kind)["proof"]
    headers = {"x-token": header, "authorization": header, proof.get("header", "x"): proof.get("prefix", "") + header}
    for method in ("GET", "POST"):
        with pytest.raises(Forbidden):
            channel(kind).verify(Request(method, "", query, headers, body))


@each
def test_cut_short_it_is_a_reject_or_less(case: Case):
    door, size = channel(case.kind), len(case.request.body)
    for end in {0, 1, size // 3, size // 2, max(size - 1, 0)}:
        cut = replace(case.request, body=case.request.body[:end])
        assert len(read(door, raw(case.kind, cut))) <= len(case.items) + 1


@over(WITH_TEXT)
def test_case_11_17_emoji_and_nul_bytes_come_through(case: Case):
    text = case.items[0]["text"]
    strange = f"{text} 😡👨‍👩‍👧 \x00 \u202e\u200b نص"
    items = read(channel(case.kind), raw(case.kind, with_text(case.request, text, strange)))
    assert items[0].text == strange


FIRST_WORDS = sorted({case.kind: case for case in reversed(WITH_TEXT)}.values(), key=str)
OURS = {"app", "console", "counter", "web"}
"""What they read was made by our own API, which takes whole characters and 10,000 of them."""
FOREIGN = [case for case in FIRST_WORDS if case.kind in {*FILES, "suara"} - OURS]


@pytest.mark.parametrize("case", FOREIGN, ids=str)
def test_a_megabyte_of_words_loses_none(case: Case):
    text = case.items[0]["text"]
    long = f"{text} {'lampu padam di jalan ' * 47_500}akhir"
    items = read(channel(case.kind), raw(case.kind, with_text(case.request, text, long)))
    assert (len(items), items[0].text) == (len(case.items), long)


@pytest.mark.parametrize("case", [case for case in FOREIGN if case in IN_JSON[case.kind]], ids=str)
def test_case_11_half_an_emoji_hides_no_other_word(case: Case):
    text = case.items[0]["text"]
    items = read(channel(case.kind), raw(case.kind, with_text(case.request, text, f"{text} \ud83d akhir")))
    assert (len(items), items[0].text) == (len(case.items), f"{text} \ufffd akhir")


@pytest.mark.parametrize("case", FIRST_WORDS, ids=str)
def test_case_04_the_same_request_at_two_accounts_is_two_messages(case: Case):
    door, stored = channel(case.kind), raw(case.kind, case.request)
    other = type(door)("lain", door.owner, door.settings)
    ids = [[getattr(item, "id", "") for item in read(d, replace(stored, account=d.account))] for d in (door, other)]
    assert len(ids[0]) == len(ids[1])
    assert not {*ids[0]} & {*ids[1]} - {""}


@each
def test_a_clock_that_is_a_year_off_makes_no_other_message(case: Case):
    door, stored = channel(case.kind), raw(case.kind, case.request)
    for days in (-365, 365):
        skewed = replace(stored, received_at=stored.received_at + timedelta(days=days))
        for now, then in zip(read(door, stored), read(door, skewed), strict=True):
            for name in ("id", "fingerprint", "text", "conversation", "state", "code"):
                assert getattr(now, name, None) == getattr(then, name, None)


def with_text(request: Request, old: str, new: str) -> Request:
    """The request with other words."""
    pairs = [(n, new if v == old else v) for n, v in parse_qsl(request.query, encoding="utf-8")]
    query = "&".join(f"{n}={quote(v)}" for n, v in pairs)
    body = request.body.replace(json.dumps(old, ensure_ascii=False).encode(), json.dumps(new).encode())
    body = body.replace(old.replace(" ", "+").encode(), quote(new).encode()) if body == request.body else body
    body = body.replace(old.encode(), new.encode()) if body == request.body else body
    return replace(request, query=query, body=body)


@each_kind
def test_case_07_several_messages_in_one_request_are_recorded(kind: str):
    many = [case for case in cases(kind) if sum("reject" not in item for item in case.items) > 1]
    assert bool(many) is not recording(kind).get("one_a_request", False)


@each
def test_case_07_each_message_of_a_request_has_an_id_of_its_own(case: Case):
    messages = [i for i in read(channel(case.kind), raw(case.kind, case.request)) if isinstance(i, Message)]
    natives = [message.native_id for message in messages if message.id]
    assert len(set(natives)) == len(natives)


@each_kind
@few
@given(body=st.binary(max_size=300), query=st.text(max_size=200))
def test_any_bytes_are_a_reject_at_worst(kind: str, body: bytes, query: str):
    request = Request("POST", "", query, {}, body)
    assert group_parts(channel(kind), request)
    assert_parts_name_their_conversations(channel(kind), request)


leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
values = st.recursive(leaves, lambda v: st.lists(v, max_size=2) | st.dictionaries(st.text(max_size=3), v, max_size=2))


@pytest.mark.parametrize("kind", [kind for kind in recorded() if IN_JSON[kind]])
@few
@given(data=st.data())
def test_any_value_anywhere_is_a_reject_at_worst(kind: str, data: st.DataObject):
    case = data.draw(st.sampled_from(IN_JSON[kind]))
    changed = json.dumps(damaged(json.loads(case.request.body), data)).encode()
    assert_parts_name_their_conversations(channel(kind), replace(case.request, body=changed))


def damaged(value: object, data: st.DataObject) -> object:
    """The value with something else at one place within."""
    if not isinstance(value, dict | list) or not value or data.draw(st.integers(0, 9)) == 0:
        return data.draw(values)
    keys = sorted(value) if isinstance(value, dict) else range(len(value))
    chosen = data.draw(st.sampled_from(list(keys)))
    within = damaged(value[chosen], data)
    if isinstance(value, dict):
        return {**value, chosen: within}
    return [within if at == chosen else one for at, one in enumerate(value)]


@each_kind
def test_settings_never_show_their_secrets(kind: str):
    settings = channel(kind).settings
    for secret in secrets(kind):
        assert secret not in repr(settings) + str(settings) + f"{settings!r:>9}"


@each_kind
@pytest.mark.parametrize("pattern", ["$^", r"(?m)^# (?=\w+ = )"], ids=["as it stands", "without comment signs"])
def test_the_template_gives_settings(kind: str, pattern: str):
    made = channel_type(kind)
    fields = tomllib.loads(re.sub(pattern, "", made.template.replace("{secret}", "s").partition("# [{name}")[0]))
    assert isinstance(msgspec.convert(fields, made.settings_type, dec_hook=secret_hook), made.settings_type)


@each_kind
def test_help_shows_no_secret(kind: str):
    text = channel(kind).setup_help("https://pengaduan.example.go.id/in/rekam")
    assert not [secret for secret in secrets(kind) if secret in text]


def test_the_guides_table_gives_an_account():
    ((_, table),) = tomllib.loads(BLOCKS["toml"]).items()
    made = channel_type(table.pop("kind"))
    assert table.pop("owner") == "32.73"
    assert msgspec.convert(table, made.settings_type, dec_hook=secret_hook).token
