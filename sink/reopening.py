"""A citizen's word that a report is not solved, as the action that reopens it."""

from __future__ import annotations

from msgspec.structs import replace

from schemas import Action, Actor, Routed


def with_reopening(routed: Routed) -> Routed:
    """With the action beside the message where the matcher let it join: the complaint is reopened if it is closed."""
    matched, message = routed.matched, routed.matched.message
    if message is None or message.command != "BELUM" or matched.outcome != "added" or matched.stranger:
        return routed
    action = Action(
        id=message.id, raw=message.raw, item_index=message.item_index, item_count=message.item_count,
        account=message.account, channel=message.channel, owner=message.owner, received_at=message.received_at,
        actor=Actor(kind="citizen"), what="status", status="in_progress", reopens=True, number=matched.number,
        reader=message.reader,
    )  # fmt: skip
    return replace(routed, matched=replace(matched, action=action), owed=None)
