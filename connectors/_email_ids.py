"""Ids of mails: our own carry the reply and the thread, so that an answer, or a bounce, leads back to both.

A thread is the first mail of it, and who wrote: a mail that only names somebody else's thread is not in it. Our own ids
hold the thread's token, so it is found where nothing but our answer is referred to; where a server wrote our id anew,
the first reference still leads to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from connectors._email_headers import MailHead

TOKEN = 16
"""Hex digits of a thread."""
_OWN = re.compile(r"sp\.([0-9a-zA-Z-]{1,64})\.([0-9a-f]{16})@([^@\s]{1,255})")


class OwnId(NamedTuple):
    """An id of a reply of ours."""

    reply: str
    thread: str
    domain: str


def own_id(reply: str, thread: str, address: str) -> str:
    """The Message-ID of a reply, without brackets: the same whenever it is sent."""
    safe = reply if re.fullmatch(r"[0-9a-zA-Z-]{1,64}", reply) else sha256(reply.encode()).hexdigest()[:32]
    return f"sp.{safe}.{thread}@{address.rpartition('@')[2] or 'localhost'}"


def parse_own_id(id: str) -> OwnId | None:
    """None: it is no id of ours."""
    found = _OWN.fullmatch(id)
    return OwnId(*found.groups()) if found else None


def sent_by(id: str, own: frozenset[str]) -> bool:
    """Is this the id of a reply that one of these addresses sent?"""
    parsed = parse_own_id(id)
    return parsed is not None and (not own or parsed.domain.lower() in {a.rpartition("@")[2] for a in own})


def native_id_of(head: MailHead, mail: bytes) -> str:
    """The mail's own id; of one that has none, or nonsense for one, the digest of its bytes."""
    return head.message_id or f"sha256:{sha256(mail).hexdigest()}"


def references_of(head: MailHead) -> list[str]:
    """The mails that this one goes on from, the oldest first; the one it answers is the last."""
    answered = head.ids("in-reply-to")[:1]
    return list(dict.fromkeys([*(id for id in head.ids("references") if id not in answered), *answered]))


def thread_of(native: str, references: Iterable[str]) -> str:
    """The token of the thread."""
    named = list(references)
    for id in reversed(named):
        if parsed := parse_own_id(id):
            return parsed.thread
    return sha256((named[0] if named else native).encode("utf-8", "surrogatepass")).hexdigest()[:TOKEN]
