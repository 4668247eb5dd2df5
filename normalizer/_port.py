"""What `match` asks of its memory. The tables are in `sink/`; `hub/` joins them.

Memory speaks in plain values (conversations, phone numbers); it stores only keyed hashes of the personal ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from schemas import Message
from schemas.memory import Decision, Known, Numbered, Thread

__all__ = ["Decision", "Known", "Memory", "Numbered", "Thread"]


class Memory(Protocol):
    """One bulk read before, one transaction after. Implementations are synchronous; `match` hears everything first."""

    def recall(self, messages: Sequence[Message], digests: Sequence[str | None]) -> Known:
        """What is known of these messages. `digests` has one entry a message: None is not looked up."""
        ...

    def remember(
        self, messages: Sequence[Message], digests: Sequence[str | None], decisions: Sequence[Decision]
    ) -> None:
        """Keep the decisions of a batch, all or none, before they are published.

        Decisions already kept are left out by the caller. Raises Retry when another process was first with one of
        these message ids or numbers: the batch is then matched again and sees it.
        """
        ...
