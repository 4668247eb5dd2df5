"""What the reading room is handed: channels that can parse, for `read`; a memory, for `match`. `hub/` joins them.

Memory speaks in plain values (conversations, phone numbers); it stores only keyed hashes of the personal ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from schemas import Message, Raw, Receipt, Reject
from schemas.memory import Decision, Known, Numbered, Referred, Thread

__all__ = ["Decision", "Known", "Memory", "Numbered", "Parses", "Referred", "Thread"]


class Parses(Protocol):
    """A channel, as `read` needs it. It may have `keywords` too: a mapping of region keywords to region codes."""

    def parse(self, raw: Raw) -> Iterable[Message | Receipt | Reject]:
        """The items inside, in order. Raises Reject where nothing can be read."""
        ...


class Memory(Protocol):
    """One bulk read before, one transaction after. Implementations are synchronous; `match` hears everything first."""

    def recall(self, messages: Sequence[Message], digests: Sequence[str | None]) -> Known:
        """What is known of these messages. `digests` has one entry a message: None is not looked up."""
        ...

    def remember(
        self, messages: Sequence[Message], digests: Sequence[str | None], decisions: Sequence[Decision]
    ) -> None:
        """Keep the decisions of a batch, all or none, before they are published.

        Decisions already kept are left out by the caller, and `digests` names only what a complaint is known by: the
        words that opened it. A batch may hold a message id twice: the first decision is the one that is seen.
        Raises Retry when another process was first with one of these message ids or numbers: the batch is then
        matched again and sees it.
        """
        ...
