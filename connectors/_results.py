"""What the abilities of a channel return."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from connectors._request import Request


class CheckResult(NamedTuple):
    """One thing that `Channel.check` found."""

    text: str
    """What was found, and what to do about it. Nothing personal, no secret."""
    failed: bool = False


class Gap(NamedTuple):
    """Something that the provider had for us and will not give us any more, as its own ids or cursors say."""

    code: str
    detail: str
    """What is missing as far as it is known, and what to do. Nothing personal."""


class PollResult(NamedTuple):
    """The result of one poll."""

    requests: Sequence[Request] = ()
    """The provider's answers, stored as they came."""
    cursor: str | None = None
    """From where the next poll goes on; saved only after `requests` are durable."""
    more: bool = False
    """True: poll again at once."""


class SentReply(NamedTuple):
    """A reply that the provider has taken."""

    native_ids: tuple[str, ...] = ()
    """The channel's ids for it; empty where it gives none, several where it was cut into parts."""


class FetchedFile(NamedTuple):
    """The bytes of an attachment."""

    body: bytes
    media_type: str | None = None
