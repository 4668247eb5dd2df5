"""The ingress names a conversation by the least of a webhook that tells it; the reader by all that the webhook shows.
For any webhook both name the same one."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors import Request, group_parts
from schemas import Message
from tests.channels.recording import channel, raw
from tests.examples import examples

IDS = st.sampled_from(["6281", "+6281", "6282", "", "+", "ID.1", "ID.2", "²", "0x", None, 5, [], {}])
FIELDS = (
    "from", "from_user_id", "to", "to_user_id", "recipient_id", "recipient_user_id", "recipient_participant_id",
    "recipient_participant_user_id",
)  # fmt: skip


def objects(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects with some of these fields, each an id or something else."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, IDS))


def one_or_many(element: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | element | st.lists(element | st.sampled_from([None, 5, "x"]), max_size=3)


elements = one_or_many(objects(*FIELDS))
values = st.fixed_dictionaries(
    {
        "metadata": objects("phone_number_id", "display_phone_number"),
        "contacts": one_or_many(objects("wa_id", "user_id")),
    },
    optional=dict.fromkeys(("messages", "message_echoes", "calls", "statuses"), elements),
)
changes = st.fixed_dictionaries({"field": st.sampled_from(["messages", "calls", "history", 5]), "value": values})


@examples(300)
@given(sent=st.lists(changes, max_size=3))
def test_the_conversations_at_the_ingress_are_those_of_the_messages(sent: list[dict[str, Any]]):
    request = Request(body=json.dumps({"entry": [{"changes": sent}]}).encode())
    door = channel("whatsapp")
    listed = {group.conversation for group in group_parts(door, request)}
    parts = list(door.parts(request))
    assert {part.conversation for part in parts} <= listed
    read = [(part, door.read_safely(part, raw("whatsapp", request))) for part in parts]
    assert [item.conversation for _, item in read if isinstance(item, Message)] == [
        part.conversation for part, item in read if isinstance(item, Message)
    ]
