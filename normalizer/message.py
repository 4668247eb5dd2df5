"""One message finished: ids, sender, words, place. The words as written stay beside the cleaned ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from itertools import repeat
from typing import NamedTuple

from msgspec.structs import replace

from normalizer._port import Channel, Classified, Knowledge
from normalizer.clean import clean, decode_base64_body, one_line
from normalizer.courtesy import classify_courtesy
from normalizer.keywords import Keywords, ParsedText
from normalizer.knowledge.emergency import is_emergency
from normalizer.knowledge.language import language_of
from normalizer.knowledge.pieces import read_pieces
from normalizer.message_places import WITHOUT_COMMANDS, UnplacedMessage, place_candidates, stated_place
from normalizer.phones import normalize_party
from schemas import Action, Language, Message, PersonalSpan, Place, Raw, Receipt, bounded_id, message_id, without_native
from schemas.personal import personal_spans

_NAMES = re.compile(r"(?:@[\w.]{1,30}[\s:,]+)+")
"""Names of accounts at the beginning of a text."""
_NO_ID = frozenset({"", "null", "none", "nil", "undefined"})


class ItemPosition(NamedTuple):
    """Where an item stands among those of its Raw."""

    item_index: int
    item_count: int


class ItemContext(NamedTuple):
    """What finishing an item needs beside the item."""

    raw: Raw
    position: ItemPosition
    channel: Channel
    keywords: Keywords
    knowledge: Knowledge
    reader: str
    """Version of the reader."""


def complete_messages(found: Sequence[tuple[Message, ItemContext]], *, annotates: bool) -> list[Message]:
    """The messages of channels as the bus carries them; with `text_read` and `personal` where it annotates.

    Each step is taken for all of them, so that its tables stay near the processor: message by message, the same takes a
    quarter longer.
    """
    words = [_words(item, context) for item, context in found]
    read = [read_pieces(one.text, annotates=annotates) for one in words]
    stated = [stated_place(item.place, one.region, c.raw.owner) for (item, c), one in zip(found, words, strict=True)]
    unplaced = [
        UnplacedMessage(item, context.raw.owner, one, place)
        for (item, context), one, place in zip(found, words, stated, strict=True)
    ]
    readings = map(
        _Reading,
        words,
        [one.text for one in (read if annotates else words)],
        [language_of(one.text) for one in words],
        [personal_spans(one.text, one.personal) for one in read] if annotates else repeat(()),
        [one.danger and is_emergency(one.text) for one in read],
        stated,
        place_candidates(unplaced, found[0][1].knowledge) if found else (),
    )
    return [_completed(item, reading, context) for (item, context), reading in zip(found, readings, strict=True)]


class _Reading(NamedTuple):
    """What was read in the words of one message."""

    words: ParsedText
    text: str
    language: Language
    personal: tuple[PersonalSpan, ...]
    emergency: bool
    place: Place | None
    places: tuple[Place, ...]


def _completed(item: Message, reading: _Reading, context: ItemContext) -> Message:
    raw, position, words = context.raw, context.position, reading.words
    has_id = _has_id(item)
    return replace(
        item,
        id=_id(item, raw) if has_id else _derived_id(item.channel, raw, position),
        raw=raw.id,
        item_index=position.item_index,
        item_count=position.item_count,
        fingerprint=item.fingerprint if has_id or item.fingerprint else _fingerprint(item),
        sender=normalize_party(item.sender),
        proven=item.proven or context.channel.vouches_for_sender,
        cleaned=None if words.text == item.text.strip() else words.text,
        text_read=None if reading.text == words.text else reading.text,
        language=reading.language,
        personal=reading.personal,
        emergency=reading.emergency,
        sort=classify_courtesy(words.text) if item.sort == "unknown" else item.sort,
        title=one_line(item.title),
        place=reading.place,
        places=reading.places,
        opens_report=item.opens_report or words.opens_report,
        command=item.command or words.command,
        number=item.number or words.number,
        rating=item.rating or words.rating,
        reader=context.reader,
    )


def classified_text(message: Message) -> str:
    """What a classifier is given."""
    return f"{message.title}\n{message.clean_text}" if message.title else message.clean_text


def with_class(message: Message, found: Classified) -> Message:
    """The message with what the classifier found; what is known already stands. Danger is a complaint."""
    if message.emergency and (found.report_class, found.sort) == ("unknown", "unknown"):
        found = found._replace(report_class="complaint", sort="report")
    return replace(
        message,
        report_class=found.report_class if message.report_class == "unknown" else message.report_class,
        sort=found.sort if message.sort == "unknown" else message.sort,
        category=message.category or found.category,
    )


def complete_action(item: Action, context: ItemContext) -> Action:
    """The action of a channel as the bus carries it."""
    raw, position = context.raw, context.position
    return replace(
        item,
        id=_id(item, raw) if _has_id(item) else _derived_id(raw.channel, raw, position),
        raw=raw.id,
        item_index=position.item_index,
        item_count=position.item_count,
        received_at=raw.received_at,
        reader=context.reader,
    )


def complete_receipt(item: Receipt, position: ItemPosition, raw: Raw) -> Receipt:
    """The receipt of a channel as the bus carries it."""
    return replace(
        item, raw=raw.id, item_index=position.item_index, item_count=position.item_count, received_at=raw.received_at
    )


def _has_id(item: Message | Action) -> bool:
    return item.id != "" and item.native_id.strip().lower() not in _NO_ID


def _id(item: Message | Action, raw: Raw) -> str:
    native = item.native_id
    bounded = bounded_id(native)
    return item.id if bounded == native else message_id(item.channel, raw.account, bounded)


def _derived_id(channel: str, raw: Raw, position: ItemPosition) -> str:
    return message_id(channel, raw.account, without_native(raw.id, position.item_index))


def _words(item: Message, context: ItemContext) -> ParsedText:
    text = clean(decode_base64_body(item.text) if context.channel.unwraps_base64 else item.text)
    if context.channel.names_us_first and (names := _NAMES.match(text)):
        text = text[names.end() :]
    if not context.channel.conversational or item.kind in WITHOUT_COMMANDS:
        return ParsedText(text)
    return context.keywords.parse(text)


def _fingerprint(item: Message) -> str | None:
    """Equal sender, text and gateway time; without a time two equal texts may be two messages."""
    if item.sent_at is None:
        return None
    return sha256("\0".join((item.key, item.sent_at.isoformat(), item.text)).encode()).hexdigest()
