"""A report sent twice is filed once: what Idempotency-Keys stand for."""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from connectors._report import Report
from connectors.counter import CounterChannel
from sink import remember_request

if TYPE_CHECKING:
    from connectors import Channel
    from sink import Record


_DRAWN_BYTES = 18
_DRAWN_LENGTH = 24


class Caller(NamedTuple):
    """Who files, and through which account."""

    name: str
    """The API key, the counter or the address; never shown."""
    account: Channel
    has_key: bool = False
    device: str | None = None
    """Of an app: its id. It is limited like a caller without a key."""


class IdempotencyKey(NamedTuple):
    """What makes a report sent twice one report."""

    value: str
    drawn: bool = False
    """Drawn by the hub at random, so that nobody else has it: it works also where the record cannot be asked."""


def draw_key() -> str:
    """A key for a form that is about to be shown."""
    return secrets.token_urlsafe(_DRAWN_BYTES)


def key_of_page(*parts: str) -> str:
    """As `draw_key`, but the same whenever the page is shown with these parts, of which one is a secret."""
    return urlsafe_b64encode(hashlib.sha256("\0".join(parts).encode()).digest()[:_DRAWN_BYTES]).decode()


def drawn_key(word: object) -> IdempotencyKey | None:
    """The key that a form was shown with; None: it holds none of ours."""
    ours = isinstance(word, str) and len(word) == _DRAWN_LENGTH and word.isascii()
    return IdempotencyKey(str(word), drawn=True) if ours else None


def caller_of_key(account: Channel, key: str) -> Caller:
    """Staff of a counter share its register of letters whatever its key: they are one caller."""
    name = f"account:{account.account}" if isinstance(account, CounterChannel) else f"key:{key}"
    return Caller(name, account, has_key=True)


def first_of_key(
    record: Record, caller: Caller, key: IdempotencyKey, report: Report, body: str
) -> tuple[str, Report] | None:
    """The caller's first report of that key, by its raw id; None: its body was another.

    Callers without an API key may share an address, and a form may be sent again with other words: for them the body is
    part of the key, so that no report is refused for another's key. The key is the native id for the first caller who
    uses it, and gets a suffix for others.
    """
    name = caller.name if caller.has_key and not key.drawn else f"{caller.name}\0{body}"
    digest = record.vault.digest("caller", name).hex()
    raw, same = remember_request(record, digest, key.value, body, report.native)
    if not same:
        return None
    first, _ = remember_request(record, "", key.value, "", raw)
    native = key.value if first == raw else f"{key.value}~{digest[:8]}"
    return raw, msgspec.structs.replace(report, native=native)


def report_digest(report: Report) -> str:
    """SHA-256 of all that the caller sent, in hex."""
    body = msgspec.json.encode(msgspec.structs.replace(report, native="-"), order="deterministic")
    return hashlib.sha256(body).hexdigest()
