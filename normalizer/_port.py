"""What the normalizer is handed: channels and knowledge, for the reader; a memory, for the matcher. `hub/` joins them.

The memory speaks in plain values (conversations, phone numbers); it stores only keyed hashes of the personal ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from normalizer.models.classified import Classified, Classifier
from schemas import Action, Message, Place, Raw, Receipt, Reject
from schemas.memory import Decision, Entry, Known, Query, Referred, Thread

__all__ = [
    "Channel", "Classified", "Classifier", "Decision", "Entry", "Item", "Knowledge", "Known", "Memory", "PlaceQuestion",
    "Query", "Referred", "Thread",
]  # fmt: skip

Item = Message | Action | Receipt | Reject
"""What a part of a request turned out to be; a Reject is a part that makes no sense."""


class Channel(Protocol):
    """A channel, as the reader needs it. The facts are those of its class, see `connectors/_port.py`."""

    @property
    def conversational(self) -> bool: ...
    @property
    def unwraps_base64(self) -> bool: ...
    @property
    def names_us_first(self) -> bool: ...
    @property
    def vouches_for_sender(self) -> bool: ...
    @property
    def keywords(self) -> Mapping[str, str]: ...

    def parts(self, payload: Raw) -> Iterable[Any]:
        """The items inside, in order. Raises Reject where nothing more can be read; what was yielded before stands."""
        ...

    def read_safely(self, part: Any, raw: Raw) -> Item:
        """The item of a part; a Reject where it makes no sense."""
        ...


class PlaceQuestion(NamedTuple):
    """Where did it happen?"""

    text: str
    owner: str
    """The region that the citizen stated, else the region or office that the account belongs to."""
    address: str = ""
    """As the citizen gave it beside the text."""


class Knowledge(Protocol):
    """What the reader knows beside its code: a gazetteer, word lists, models."""

    @property
    def version(self) -> str:
        """Changes whenever the same words may be read otherwise."""
        ...

    def places(self, questions: Sequence[PlaceQuestion]) -> list[Sequence[Place]]:
        """Candidates for where it happened, likeliest first, for each question, in order; equally likely ones have
        equal names. What is found for one does not depend on the others."""
        ...


class Memory(Protocol):
    """What the matcher decided before. Synchronous: bulk reads before a batch, one transaction after it."""

    def recall(self, queries: Sequence[Query]) -> Known:
        """What is known of these items. `match` asks once for a batch, and again only for items whose id came before
        with other content."""
        ...

    def remember(self, entries: Sequence[Entry]) -> None:
        """Store the decisions of a batch, all or none, before they are published.

        Decisions that are stored already are left out by the caller. A batch may hold a message id twice: `seen` gives
        the first decision. Raises Retry when another process was first with one of these message ids or numbers: the
        batch is then matched again and sees that decision.
        """
        ...
