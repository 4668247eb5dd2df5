"""The reader's stage: Raw to Message, Action, Receipt or Dead. Pure but for the ids and the time of a Dead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from msgspec.structs import replace

from normalizer._port import Channel, Classifier, Item, Knowledge
from normalizer.keywords import WORDED_COMMANDS, Keywords
from normalizer.knowledge.shipped import ShippedKnowledge
from normalizer.message import (
    ItemContext,
    ItemPosition,
    classified_text,
    complete_action,
    complete_messages,
    complete_receipt,
    with_class,
)
from normalizer.requests import DecodedRequests
from normalizer.sanitize import sanitize
from schemas import Action, Body, Dead, Event, Message, Raw, Receipt, Reject, encode

CODE = "9"
"""Version of the reader's code: it changes whenever the same bytes may be read otherwise."""


class Reader:
    """Reads what accounts took in. `channel_of` gives an account's channel by name, None where the settings no longer
    know it. Without a classifier, class, sort and category are what the citizen stated. `annotates`: messages have
    `text_read` and `personal`, which people look at and no stage does."""

    def __init__(
        self,
        channel_of: Callable[[str], Channel | None],
        knowledge: Knowledge | None = None,
        classifier: Classifier | None = None,
        *,
        annotates: bool = True,
    ) -> None:
        self._channel_of = channel_of
        self._knowledge = knowledge or ShippedKnowledge()
        self._classifier = classifier
        self._annotates = annotates

    @property
    def version(self) -> str:
        """Of the code, the knowledge and the classifier."""
        classifier = (self._classifier.version,) if self._classifier else ()
        return "+".join((CODE, self._knowledge.version, *classifier))

    def read(self, raws: Iterable[Raw], *, now: Callable[[], datetime], new_id: Callable[[], str]) -> list[Event]:
        """Every item of every Raw, in order, each with its index; a Raw without any is one Receipt `empty`.

        Never raises for what a Raw holds: what cannot be read is a Dead that holds the Raw.
        """
        requests = DecodedRequests()
        contexts: dict[str, _Account] = {}
        events: list[Event] = []
        unfinished: dict[int, ItemContext] = {}
        for raw in raws:
            account = contexts.get(raw.account)
            if account is None:
                account = contexts[raw.account] = _Account(self._channel_of(raw.account))
            items = self._items(raw, account, requests)
            if not items:
                events.append(_empty(raw))
            for index, item in enumerate(items):
                position = ItemPosition(index, len(items))
                made = self._prepared(raw, item, position, account)
                if isinstance(made, Message):
                    unfinished[len(events)] = self._context(raw, position, account)
                events.append(_dead(raw, made, position, now(), new_id()) if isinstance(made, Reject) else made)
        messages = [(events[n], context) for n, context in unfinished.items()]
        completed = complete_messages(messages, annotates=self._annotates)  # type: ignore[arg-type]
        for n, message in zip(unfinished, completed, strict=True):
            events[n] = message
        return self._classified(events)

    def _classified(self, events: list[Event]) -> list[Event]:
        """The events with class, sort and category on the messages that say something; all texts at once."""
        if self._classifier is None:
            return events
        at = [
            n for n, event in enumerate(events)
            if isinstance(event, Message) and event.words_read and event.command in WORDED_COMMANDS
        ]  # fmt: skip
        found = self._classifier.classify([classified_text(events[n]) for n in at])  # type: ignore[arg-type]
        for n, classified in zip(at, found, strict=True):
            events[n] = with_class(events[n], classified)  # type: ignore[arg-type]
        return events

    def _items(self, raw: Raw, account: _Account, requests: DecodedRequests) -> list[Item]:
        if account.channel is None:
            detail = f"no account {raw.account!r} in the settings: put it back (closed, if it is over), then replay"
            return [Reject("unknown_account", detail)]
        return requests.items(raw, account.channel)

    def _context(self, raw: Raw, position: ItemPosition, account: _Account) -> ItemContext:
        channel = account.channel
        assert channel is not None
        return ItemContext(raw, position, channel, account.keywords, self._knowledge, self.version)

    def _prepared(self, raw: Raw, item: Item, position: ItemPosition, account: _Account) -> Item:
        """An action or a receipt finished; a message fit for the bus."""
        if isinstance(item, Reject):
            return item
        try:
            if isinstance(item, Message):
                return sanitize(item)
            if isinstance(item, Action):
                return complete_action(sanitize(item), self._context(raw, position, account))
            return complete_receipt(sanitize(item), position, raw)
        except Reject as reject:
            return reject


class _Account:
    """An account's channel, and its keywords ready for use."""

    def __init__(self, channel: Channel | None) -> None:
        self.channel = channel
        self.keywords = Keywords(channel.keywords if channel is not None else {})


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


def _dead(raw: Raw, reject: Reject, position: ItemPosition, at: datetime, dead_id: str) -> Dead:
    stored = raw if raw.blob is None else replace(raw, body=Body())
    return Dead(
        id=dead_id,
        stage="reader",
        of_topic=Raw.topic,
        event_key=raw.key,
        event=encode(stored),
        code=reject.code,
        detail=reject.detail,
        at=at,
        account=raw.account,
        channel=raw.channel,
        raw=raw.id,
        item_index=position.item_index,
        item_count=position.item_count,
        received_at=raw.received_at,
    )
