"""One message read: ids, person, words, place. The words as said stay beside the words as read."""

from __future__ import annotations

import re
from hashlib import sha256

from msgspec.structs import replace

from normalizer.clean import clean, one_line, unwrapped
from normalizer.keywords import CONVERSATIONAL, Keywords, Said
from normalizer.phones import identified
from schemas import Message, Place, Raw, message_id, without_native

READER = "1"
"""Version of the reader: it changes whenever the same bytes may be read otherwise."""

_SHORT_MESSAGES = frozenset({"sms", "smpp"})
_WITHOUT_COMMANDS = frozenset({"reaction", "edit", "deletion", "system"})
_NO_ID = frozenset({"", "null", "none", "nil", "undefined"})
_REGION = re.compile(r"\d{2}(?:\.\d{2}(?:\.\d{2}(?:\.\d{4})?)?)?")


def as_read(raw: Raw, said: Message, place: tuple[int, int], keywords: Keywords) -> Message:
    """The message of a channel, finished. `place`: its index among the Raw's items, and how many there are."""
    index, of = place
    given = said.id != "" and said.native_id.strip().lower() not in _NO_ID
    native = said.native_id if given else without_native(raw.id, index)
    words = _words(raw, said, keywords)
    return replace(
        said,
        id=said.id if given else message_id(raw.channel, raw.account, native),
        native_id=native,
        raw=raw.id,
        index=index,
        of=of,
        fingerprint=said.fingerprint if given or said.fingerprint else _fingerprint(said),
        sender=identified(said.sender),
        read=words.text,
        title=one_line(said.title),
        place=_place(said.place, words.region, raw.owner),
        begins=said.begins or words.begins,
        command=said.command or words.command,
        number=said.number or words.number,
        reader=READER,
    )


def _words(raw: Raw, said: Message, keywords: Keywords) -> Said:
    text = clean(unwrapped(said.text) if raw.channel in _SHORT_MESSAGES else said.text)
    if raw.channel not in CONVERSATIONAL or said.kind in _WITHOUT_COMMANDS:
        return Said(text)
    return keywords.find(text)


def _fingerprint(said: Message) -> str | None:
    """Equal sender, text and gateway time; without a time two equal texts may be two messages."""
    if said.sent_at is None:
        return None
    return sha256("\0".join((said.key, said.sent_at.isoformat(), said.text)).encode()).hexdigest()


def _place(said: Place | None, keyword: str | None, owner: str) -> Place | None:
    """What the citizen said or shared; what that leaves open by the keyword; else whose door it is."""
    if said is not None and said.code is not None:
        return said
    if keyword is not None:
        return replace(said, code=keyword) if said else Place(code=keyword, source="keyword")
    if not _REGION.fullmatch(owner) or (said is not None and said.lat is not None):
        return said
    return replace(said, code=owner, source="owner") if said else Place(code=owner, source="owner")
