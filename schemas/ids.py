"""Identifiers that leave the program; their forms stand in the interface document."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote, unquote
from uuid import UUID, uuid5

_COMPLAINTS = UUID("7d3f1c0e-52ad-5d0b-9a39-0d3b2f4a6c11")
_REPLIES = UUID("2b8e6f34-0c1d-5e7a-8f52-6a9d4c3b1e70")
_UNRESERVED = re.compile(r"[\w.~-]*", re.ASCII)
"""What `quote` leaves as it is, found in a tenth of its time."""

MAX_ID = 255
"""Characters of a foreign id, a conversation or the name of a field; all that is longer stands as its hash."""


def bounded_id(value: str) -> str:
    """The value, or `sha256:` and the hash of one that is too long to be a key."""
    if len(value) <= MAX_ID:
        return value
    return f"sha256:{sha256(value.encode('utf-8', 'surrogatepass')).hexdigest()}"


def message_id(kind: str, account: str, native: str) -> str:
    """`kind/account/native`, each part percent-encoded."""
    return "/".join(part if _UNRESERVED.fullmatch(part) else quote(part, safe="") for part in (kind, account, native))


@lru_cache(maxsize=4096)
def native_of(message: str) -> str:
    """The native id inside a message id."""
    native = message.rpartition("/")[2]
    return unquote(native) if "%" in native else native


def without_native(raw: str, index: int) -> str:
    """The native id of a message whose channel gives none."""
    return f"~{raw}.{index}"


@lru_cache(maxsize=4096)
def complaint_id(message: str) -> str:
    """Derived from the message that opens the complaint, so every process that sees it says the same."""
    return str(uuid5(_COMPLAINTS, message))


def reply_id(source: str, template: str) -> str:
    """Derived from what it answers (an event id such as `RAW.0`) and the template: owed twice is owed once."""
    return str(uuid5(_REPLIES, f"{source}/{template}"))
