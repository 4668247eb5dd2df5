"""What items are compared by: the words that open a report, and the content behind an id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

from normalizer.incidents_profile import profile_of
from normalizer.settle import likely_place
from schemas import Action, Message, Party
from schemas.memory import Profile

SHORT = 12
"""Bytes of letters and digits; two texts shorter than this are often equal by chance."""

_NOT_COMPARED = re.compile(r"[\W_]+")
_NOT_COMPARED_ASCII = bytes(c for c in range(128) if not chr(c).isalnum())


class ReportKey(NamedTuple):
    """Under which a report is found when the same words come again."""

    key: str
    joins: bool
    """The same words under this key join the report; else they are evidence for an officer."""
    evidence: str
    opens: bool = True
    """A report that this message opens is found again under it."""


class ComparedItem(NamedTuple):
    """An item, and what it is compared by: worked out once, for several steps need it."""

    item: Message | Action
    content: str
    """Digest of the sender, the words and the files: an id that comes again with other content is another item."""
    conversations: tuple[str, ...] = ()
    """The keys of a message's thread: its own, and those of the same person's other ids on the account."""
    report_keys: tuple[ReportKey, ...] = ()
    """Of a message, surest first."""
    profile: Profile | None = None
    """Of a message that is compared with the reports of others."""

    @property
    def opened_keys(self) -> tuple[str, ...]:
        """The keys under which a report that this message opened is found again."""
        return tuple(key.key for key in self.report_keys if key.opens)


def comparison_of(item: Message | Action) -> ComparedItem:
    """The item with what it is compared by."""
    if isinstance(item, Action):
        return ComparedItem(item, _action_digest(item))
    words = fold_text(item.clean_text)
    conversations = (item.key, *(f"{item.account}/{alias}" for alias in item.aliases))
    return ComparedItem(
        item,
        _message_digest(item, words),
        conversations,
        tuple(_report_keys(item, words, conversations)),
        profile_of(item, likely_place(item) or item.place),
    )


def fold_text(text: str) -> bytes:
    """The text's letters and digits in one case, as UTF-8."""
    text = text.casefold()
    if text.isascii():
        return text.encode().translate(None, _NOT_COMPARED_ASCII)
    return _NOT_COMPARED.sub("", text).encode("utf-8", "replace")


def _message_digest(message: Message, words: bytes) -> str:
    same = not message.title and message.cleaned is None
    return _digest([_sender(message.sender), words if same else fold_text(f"{message.title} {message.text}")], message)


def _action_digest(action: Action) -> str:
    office = action.office.id if action.office else ""
    done = (action.what, action.what_word, action.status, action.status_said, office, action.to)
    return _digest(["\0".join(word or "" for word in done).encode("utf-8", "replace"), fold_text(action.text)], action)


def _digest(parts: list[bytes], item: Message | Action) -> str:
    parts += sorted((a.sha256 or a.native_id or a.url or "").encode("utf-8", "replace") for a in item.attachments)
    return sha256(b"\0".join(parts)).hexdigest()[:32]


def _report_keys(message: Message, letters: bytes, conversations: Iterable[str]) -> Iterator[ReportKey]:
    """The keys of the message's words, surest first.

    The same conversation is proof, and so is an identity that a channel vouches for on both sides. An identity that was
    only claimed (a form, a row, a gateway that may forge) is evidence at most. An anonymous or secret report is found
    from its own conversation only: nothing shows a claimant, or an officer, that it is there.
    """
    if len(letters) < SHORT:
        return
    words, is_proven = sha256(letters).hexdigest(), message.proven
    for key in conversations:
        yield ReportKey(f"conversation\0{key}\0{words}", True, "the same conversation")
    if message.anonymous or message.secret:
        return
    for kind, identity in _identities(message.sender):
        proven = ReportKey(f"proven\0{identity}\0{words}", is_proven, f"the same {kind}", is_proven)
        claimed = ReportKey(f"claimed\0{identity}\0{words}", False, f"the same {kind}, not proven", not is_proven)
        yield from (proven, claimed) if is_proven else (claimed, proven)


def _identities(sender: Party) -> list[tuple[str, str]]:
    named = {"NIK": sender.nik, "phone": sender.phone, "e-mail": sender.email, "user": sender.user}
    return [(kind, identity) for kind, identity in named.items() if identity]


def _sender(sender: Party) -> bytes:
    named = (sender.phone, sender.phone_written, sender.email, sender.user, sender.nik, sender.name)
    return next((one for one in named if one), "").encode("utf-8", "replace")
