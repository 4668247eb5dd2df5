"""What items are compared by: the words that open a report, and the content behind an id."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import NamedTuple

from schemas import Action, Message, Party

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


def digest(text: str) -> str | None:
    """SHA-256 of the letters and digits in one case, which two equal reports share. None where there are too few."""
    letters = folded(text)
    return sha256(letters).hexdigest() if len(letters) >= SHORT else None


def folded(text: str) -> bytes:
    """Letters and digits in one case."""
    text = text.casefold()
    if text.isascii():
        return text.encode().translate(None, _NOT_COMPARED_ASCII)
    return _NOT_COMPARED.sub("", text).encode("utf-8", "replace")


def content_of(item: Message | Action) -> str:
    """Digest of the sender, the words and the files: an id that comes again with other content is another item."""
    if isinstance(item, Message):
        parts = [_sender(item.sender), folded(f"{item.title} {item.text}")]
    else:
        office = item.office.id if item.office else ""
        done = (item.what, item.what_word, item.status, item.status_said, office, item.to)
        parts = ["\0".join(word or "" for word in done).encode("utf-8", "replace"), folded(item.text)]
    parts += sorted((a.sha256 or a.native_id or a.url or "").encode("utf-8", "replace") for a in item.attachments)
    return sha256(b"\0".join(parts)).hexdigest()[:32]


def report_keys(message: Message) -> list[ReportKey]:
    """The keys of the message's words, surest first.

    The same conversation is proof, and so is an identity that a channel vouches for on both sides. An identity that was
    only claimed (a form, a row, a gateway that may forge) is evidence at most. An anonymous or secret report is found
    from its own conversation only: nothing shows a claimant, or an officer, that it is there.
    """
    words = digest(message.clean_text)
    if words is None:
        return []
    found = [
        ReportKey(f"conversation\0{key}\0{words}", True, "the same conversation") for key in conversations_of(message)
    ]
    if message.anonymous or message.secret:
        return found
    for kind, identity in _identities(message.sender):
        proven = ReportKey(f"proven\0{identity}\0{words}", message.proven, f"the same {kind}")
        claimed = ReportKey(f"claimed\0{identity}\0{words}", False, f"the same {kind}, not proven")
        found += [proven, claimed] if message.proven else [claimed, proven]
    return found


def opened_keys(message: Message) -> tuple[str, ...]:
    """The keys under which a report that this message opened is found again."""
    basis = "proven\0" if message.proven else "claimed\0"
    return tuple(k.key for k in report_keys(message) if k.key.startswith(("conversation\0", basis)))


def conversations_of(message: Message) -> tuple[str, ...]:
    """The keys of its thread: its own, and those of the same person's other ids on the account."""
    return (message.key, *(f"{message.account}/{alias}" for alias in message.aliases))


def _identities(sender: Party) -> list[tuple[str, str]]:
    named = {"NIK": sender.nik, "phone": sender.phone, "e-mail": sender.email, "user": sender.user}
    return [(kind, identity) for kind, identity in named.items() if identity]


def _sender(sender: Party) -> bytes:
    named = (sender.phone, sender.phone_written, sender.email, sender.user, sender.nik, sender.name)
    return next((one for one in named if one), "").encode("utf-8", "replace")
