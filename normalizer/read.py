"""The first stage of the reading room: Raw to Message, Receipt or Dead. Pure but for the ids and the time of a Dead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from msgspec.structs import replace

from normalizer._port import Parses
from normalizer.keywords import Keywords
from normalizer.message import as_read
from normalizer.sanitize import sound
from schemas import Dead, Event, Message, Raw, Receipt, Reject, encode

Item = Message | Receipt | Reject


def read(
    raws: Iterable[Raw],
    channel_of: Callable[[str], Parses | None],
    *,
    now: Callable[[], datetime],
    new_id: Callable[[], str],
) -> list[Event]:
    """Every item of every Raw, in order, each with its index; a Raw without any is one Receipt `empty`.

    `channel_of` gives an account's channel by name, None where the settings no longer know it. Never raises for what
    stands in a Raw: what cannot be read is a Dead that holds the Raw.
    """
    keywords: dict[str, Keywords] = {}
    events: list[Event] = []
    for raw in raws:
        channel = channel_of(raw.account)
        if raw.account not in keywords:
            keywords[raw.account] = Keywords(getattr(channel, "keywords", None) or {})
        items = [_unknown(raw)] if channel is None else _own_items(raw, channel)
        if not items:
            events.append(_empty(raw))
        for index, item in enumerate(items):
            made = _made(raw, item, (index, len(items)), keywords[raw.account])
            events.append(_dead(raw, made, (index, len(items)), now(), new_id()) if isinstance(made, Reject) else made)
    return events


def _own_items(raw: Raw, channel: Parses) -> list[Item]:
    """What of the Raw's conversation is in the request. What was read before a fault is kept; the fault is the last.

    A part that makes no sense belongs to no conversation; but where the Raw would hold nothing else, to the Raw.
    """
    items: list[Item] = []
    nobodys: list[Item] = []
    try:
        for item in channel.parse(raw):
            if _belongs(raw, item):
                items.append(item)
            elif isinstance(item, Reject):
                nobodys.append(item)
    except Reject as reject:
        items.append(reject)
    except Exception as fault:  # one poisonous Raw must not fail its batch; the dead letter shows it
        items.append(Reject(f"the channel's parse failed with {type(fault).__name__}: mend it, then replay"))
    return items or nobodys


def _belongs(raw: Raw, item: Item) -> bool:
    conversation = None if isinstance(item, Reject) else item.conversation
    if raw.conversation is None:
        return not raw.rest or conversation is None
    return conversation == raw.conversation


def _made(raw: Raw, item: Item, place: tuple[int, int], keywords: Keywords) -> Item:
    if isinstance(item, Reject):
        return item
    try:
        if isinstance(item, Message):
            return as_read(raw, sound(item), place, keywords)
        return replace(sound(item), raw=raw.id, index=place[0], of=place[1], received_at=raw.received_at)
    except Reject as reject:
        return reject


def _unknown(raw: Raw) -> Reject:
    return Reject(f"no account {raw.account!r} in the settings: put it back (paused, if it is over), then replay")


def _empty(raw: Raw) -> Receipt:
    return Receipt(
        account=raw.account,
        channel=raw.channel,
        state="empty",
        at=raw.received_at,
        conversation=raw.conversation,
        raw=raw.id,
        received_at=raw.received_at,
    )


def _dead(raw: Raw, reject: Reject, place: tuple[int, int], at: datetime, dead_id: str) -> Dead:
    stored = raw if raw.blob is None else replace(raw, body=b"")
    return Dead(
        id=dead_id,
        stage="reader",
        of_topic=Raw.topic,
        event_key=raw.key,
        event=encode(stored),
        reason=reject.reason,
        at=at,
        account=raw.account,
        channel=raw.channel,
        raw=raw.id,
        index=place[0],
        of=place[1],
        received_at=raw.received_at,
    )
