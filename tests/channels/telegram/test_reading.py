"""Updates that a recording does not show: nested without end, made at random, of two bots."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import Request
from connectors import _telegram_content as content
from connectors._telegram_rich import DEEPEST, rich_text
from connectors._telegram_updates import ALLOWED, NOTICES, Address
from connectors.telegram import TelegramChannel, TelegramSettings
from schemas import Message, Reject
from tests.channels.recording import channel, raw, read

CHAT = {"id": 811000001, "type": "private", "first_name": "Sari"}
SARI = {"id": 811000001, "is_bot": False, "first_name": "Sari"}


def written(**fields: Any) -> dict[str, Any]:
    return {"message_id": 1, "from": SARI, "chat": CHAT, "date": 1755400000, **fields}


def items(*updates: Any) -> list[Any]:
    body = json.dumps(list(updates)).encode()
    return read(channel("telegram"), raw("telegram", Request(body=body)))


def test_case_04_the_same_message_id_with_two_bots_and_in_two_chats_is_as_many_messages() -> None:
    update = {"update_id": 1, "message": written(text="Banjir")}
    other_chat = {"update_id": 2, "message": written(text="Banjir", chat={"id": 811000002, "type": "private"})}
    request = Request(body=json.dumps([update, other_chat]).encode())
    found = set()
    for account in ("tg-dinas", "tg-kota"):
        door = TelegramChannel(account, "32.73", TelegramSettings())
        found |= {item.id for item in read(door, raw("telegram", request))}
    assert len(found) == 4


def test_case_08_the_pictures_of_an_album_stand_in_one_conversation_and_the_caption_is_kept() -> None:
    photo = [{"file_id": "f", "width": 9, "height": 9}]
    album = [written(photo=photo, media_group_id="7") | {"message_id": n} for n in (1, 2, 3)]
    album[1]["caption"] = "Sampah menumpuk"
    found = items(*({"update_id": n, "message": one} for n, one in enumerate(album)))
    assert {item.conversation for item in found} == {"811000001"}
    assert [(item.text, len(item.attachments), item.extra["album"]) for item in found] == [
        ("", 1, "7"), ("Sampah menumpuk", 1, "7"), ("", 1, "7"),
    ]  # fmt: skip


def test_a_button_on_a_business_account_is_pressed_in_the_conversation_there() -> None:
    """Telegram names the connection in the message above the button only; without it the answer has no way back."""
    ours = written(**{"from": {"id": 811000009, "is_bot": True}}, business_connection_id="Kx_9")
    asked = {"update_id": 1, "business_message": written(text="Jalan rusak", business_connection_id="Kx_9")}
    pressed = {"update_id": 2, "callback_query": {"id": "1", "from": SARI, "message": ours, "data": "CEK 4719360285"}}
    first, second = items(asked, pressed)
    assert second.conversation == first.conversation == "811000001@Kx_9"
    assert second.refers_to == "811000001:1@Kx_9"


def test_blocks_without_end_are_read_to_a_depth() -> None:
    block: dict[str, Any] = {"type": "paragraph", "text": "terdalam"}
    for level in range(3 * DEEPEST):
        block = {"type": "details", "summary": f"lapis {level}", "blocks": [block]}
    lines = rich_text({"blocks": [block]}).splitlines()
    assert (lines[0], len(lines)) == (f"lapis {3 * DEEPEST - 1}", DEEPEST + 1)


def test_an_update_with_several_contents_gives_each() -> None:
    both = {"update_id": 3, "message": written(text="Satu"), "inline_query": {"id": "1", "from": SARI, "query": "dua"}}
    assert [(item.kind, item.text) for item in items(both)] == [("text", "Satu"), ("system", "dua")]


@pytest.mark.parametrize("conversation", ["5", "-100:5", "-100.7:5", "-100.d7:5", "5@Kx:9/a b", "5.3@K"])
def test_a_conversation_is_an_address(conversation: str) -> None:
    assert Address.of(conversation).chat in {5, -100}


@pytest.mark.parametrize("to", ["", "Sari", "5:", "+62812", "5.x", "5" * 30, "5@"])
def test_no_address_is_a_reject(to: str) -> None:
    with pytest.raises(Reject):
        Address.of(to)


def test_the_kinds_that_we_ask_for_are_known() -> None:
    kinds = {word: items({"update_id": 1, word: written(text="x", id="1", message_ids=[1])})[0] for word in ALLOWED}
    assert {word for word, item in kinds.items() if isinstance(item, Message) and item.kind == "system"} <= NOTICES
    assert not [word for word, item in kinds.items() if isinstance(item, Message) and item.kind == "unknown"]


FIELDS = sorted({*content._KINDS, *content._NOTICES, *content._AROUND, *content._FILES, *ALLOWED, *NOTICES})
INNER = (
    "id type title text blocks cells items caption credit buttons summary file_id width location latitude longitude "
    "message_id message_ids emoji new_reaction data topic_id options"
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
shapes = st.recursive(
    leaves,
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.sampled_from(INNER.split() + FIELDS), v, max_size=4),
    max_leaves=12,
)
messages = st.dictionaries(st.sampled_from(FIELDS), shapes, max_size=6).map(lambda made: written(**made))
updates = st.dictionaries(st.sampled_from([*ALLOWED, *NOTICES, "nanti"]), shapes | messages, min_size=1, max_size=2)


@settings(max_examples=60)
@given(st.lists(updates, max_size=3))
def test_anything_in_the_shape_of_updates_is_a_message_or_a_reject(made: list[Any]) -> None:
    for item in items(*made):
        assert isinstance(item, Message) or (isinstance(item, Reject) and item.code != "channel_bug"), item.detail
