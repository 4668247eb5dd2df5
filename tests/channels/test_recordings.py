"""What every channel must bear, whoever wrote it: run over each recording in this folder."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import parse_qsl, quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import Forbidden, Listens, Request, channel_type, kinds
from schemas import Message
from tests.channels.recording import (
    Case,
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

ALL = [case for kind in recorded() for case in cases(kind)]
HEARD = [case for case in ALL if issubclass(channel_type(case.kind), Listens)]
LISTENING = [kind for kind in recorded() if issubclass(channel_type(kind), Listens)]
each = pytest.mark.parametrize("case", ALL, ids=str)
each_heard = pytest.mark.parametrize("case", HEARD, ids=str)
each_kind = pytest.mark.parametrize("kind", recorded())
each_listening = pytest.mark.parametrize("kind", LISTENING)


def test_every_channel_has_a_recording():
    assert recorded() == list(kinds())


def matches(found: object, wanted: object) -> bool:
    """Objects are compared in the fields that `wanted` names, rejects by the words within."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        if "reject" in wanted:
            return wanted["reject"] in found.get("reject", "")
        return all(matches(found.get(name), value) for name, value in wanted.items())
    return found == wanted


@each
def test_it_is_read_as_recorded(case: Case):
    items = [shown(item) for item in read(channel(case.kind), raw(case.kind, case.request))]
    assert len(items) == len(case.items)
    for found, wanted in zip(items, case.items, strict=True):
        assert matches(found, wanted), found


@each
def test_read_again_it_gives_the_same_ids(case: Case):
    first, again, later = (
        read(channel(case.kind), raw(case.kind, case.request, id=id)) for id in ("raw-1", "raw-1", "raw-2")
    )
    assert [shown(item) for item in first] == [shown(item) for item in again]
    assert [getattr(i, "id", None) for i in first] == [getattr(i, "id", None) for i in later]
    assert [getattr(i, "fingerprint", None) for i in first] == [getattr(i, "fingerprint", None) for i in later]


@each_heard
def test_the_door_lists_the_conversations_that_are_read(case: Case):
    door = channel(case.kind)
    listed = [spoken.conversation for spoken in door.conversations(case.request)]
    said = [getattr(item, "conversation", None) for item in read(door, raw(case.kind, case.request))]
    assert sorted(listed, key=str) == sorted(case.conversations, key=str)
    assert len(set(listed)) == len(listed)
    assert set(said) <= set(listed) or case.items == [{"reject": case.items[0]["reject"]}]


@each_heard
def test_case_12_only_what_is_proven_comes_in(case: Case):
    door = channel(case.kind)
    door.verify(proven(case.kind, case.request))
    with pytest.raises(Forbidden):
        door.verify(case.request)
    forged = proven(case.kind, case.request, **{proof_secret(case.kind): "tebakan"})
    spoofed = {"x-forwarded-for": "31.13.24.1", "user-agent": "facebookexternalua"}
    with pytest.raises(Forbidden):
        door.verify(replace(forged, headers={**forged.headers, **spoofed}))


@each_heard
def test_a_proof_is_for_these_bytes_only(case: Case):
    if "hmac-sha256" not in recording(case.kind)["proof"]:
        return
    request = proven(case.kind, case.request)
    with pytest.raises(Forbidden):
        channel(case.kind).verify(replace(request, body=request.body + b" "))


@each_listening
def test_case_12_without_a_secret_the_door_stays_closed(kind: str):
    empty = {proof_secret(kind): ""}
    for request in (case.request for case in cases(kind)):
        with pytest.raises(Forbidden):
            channel(kind, **empty).verify(proven(kind, request, **empty))


@each_listening
@settings(deadline=None)
@given(header=st.text(max_size=80), query=st.text(max_size=80), body=st.binary(max_size=80))
def test_case_12_nonsense_for_a_proof_is_refused(kind: str, header: str, query: str, body: bytes):
    proof = recording(kind)["proof"]
    headers = {"x-token": header, "authorization": header, proof.get("header", "x"): proof.get("prefix", "") + header}
    for method in ("GET", "POST"):
        with pytest.raises(Forbidden):
            channel(kind).verify(Request(method, query, headers, body))


@each
def test_cut_short_it_is_a_reject_or_less(case: Case):
    door, size = channel(case.kind), len(case.request.body)
    for end in {0, 1, size // 3, size // 2, max(size - 1, 0)}:
        cut = replace(case.request, body=case.request.body[:end])
        assert len(read(door, raw(case.kind, cut))) <= len(case.items) + 1


@each
def test_case_11_17_emoji_and_nul_bytes_come_through(case: Case):
    said = case.items[0].get("text") if case.items else None
    if not said or said not in "".join(spoken_in(case.request)):
        return
    strange = f"{said} 😡👨‍👩‍👧 \x00 \u202e\u200b نص"
    items = read(channel(case.kind), raw(case.kind, with_text(case.request, said, strange)))
    assert items[0].text == strange


def spoken_in(request: Request) -> list[str]:
    """Every text of a request."""
    return [request.body.decode(), *(value for _, value in parse_qsl(request.query))]


def with_text(request: Request, old: str, new: str) -> Request:
    """The request with other words."""
    pairs = [(n, new if v == old else v) for n, v in parse_qsl(request.query, encoding="utf-8")]
    query = "&".join(f"{n}={quote(v)}" for n, v in pairs)
    body = request.body.replace(json.dumps(old, ensure_ascii=False).encode(), json.dumps(new).encode())
    body = body.replace(old.replace(" ", "+").encode(), quote(new).encode()) if body == request.body else body
    return replace(request, query=query, body=body)


@each_kind
def test_case_07_several_messages_in_one_request_are_recorded(kind: str):
    many = [case for case in cases(kind) if sum("reject" not in item for item in case.items) > 1]
    assert bool(many) is not recording(kind).get("one_a_request", False)


@each
def test_case_07_each_message_of_a_request_has_an_id_of_its_own(case: Case):
    messages = [i for i in read(channel(case.kind), raw(case.kind, case.request)) if isinstance(i, Message)]
    natives = [message.native_id for message in messages if message.native_id]
    assert len(set(natives)) == len(natives)


@each_kind
@settings(deadline=None)
@given(body=st.binary(max_size=300), query=st.text(max_size=200))
def test_any_bytes_are_a_reject_at_worst(kind: str, body: bytes, query: str):
    request = Request("POST", query, {}, body)
    door = channel(kind)
    read(door, raw(kind, request))
    if isinstance(door, Listens):
        door.conversations(request)


leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
values = st.recursive(leaves, lambda v: st.lists(v, max_size=2) | st.dictionaries(st.text(max_size=3), v, max_size=2))


@each_kind
@settings(deadline=None)
@given(data=st.data())
def test_any_value_anywhere_is_a_reject_at_worst(kind: str, data: st.DataObject):
    case = data.draw(st.sampled_from([c for c in cases(kind) if c.request.body.startswith(b"{")] or cases(kind)))
    if not case.request.body.startswith(b"{"):
        return
    changed = json.dumps(damaged(json.loads(case.request.body), data)).encode()
    request, door = replace(case.request, body=changed), channel(kind)
    said = {getattr(item, "conversation", None) for item in read(door, raw(kind, request))}
    if isinstance(door, Listens) and (listed := door.conversations(request)):
        assert said == {spoken.conversation for spoken in listed}


def damaged(value: object, data: st.DataObject) -> object:
    """The value with something else at one place within."""
    if not isinstance(value, dict | list) or not value or data.draw(st.integers(0, 9)) == 0:
        return data.draw(values)
    keys = sorted(value) if isinstance(value, dict) else range(len(value))
    place = data.draw(st.sampled_from(list(keys)))
    within = damaged(value[place], data)
    if isinstance(value, dict):
        return {**value, place: within}
    return [within if at == place else one for at, one in enumerate(value)]


@each_kind
def test_settings_never_show_their_secrets(kind: str):
    settings = channel(kind).settings
    for secret in secrets(kind):
        assert secret not in repr(settings) + str(settings) + f"{settings!r:>9}"
