"""What the abilities of a channel return."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
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


class AnswerTerms(NamedTuple):
    """On what terms a provider takes an answer at an address, by the time since the citizen wrote there last."""

    taken_for: timedelta | None = None
    """After it no answer is taken; None: one always is."""
    free_for: timedelta | None = None
    """After it an answer costs, or counts in a quota; None: it never does."""


ALWAYS_COSTS = AnswerTerms(free_for=timedelta(0))
NEVER_TAKEN = AnswerTerms(taken_for=timedelta(0))


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
