"""A message or an action with its complaint, and with the offices that shall act."""

from __future__ import annotations

from typing import ClassVar

from schemas.action import Action
from schemas.event import Event
from schemas.message import Message
from schemas.values import Assignment, Match, Outcome, Owed


class Matched(Event, frozen=True, kw_only=True):
    """A message or an action with its complaint, and what it does to it. Exactly one of `message`, `action` is set."""

    topic: ClassVar[str] = "matched"

    id: str | None = None
    """Complaint id, derived from the message that opened it. None: refused, belongs to none."""
    number: str | None = None
    """The number that the citizen gets: 10 digits."""
    outcome: Outcome
    reason: str | None = None
    """Why refused, or by which rule joined."""
    matches: tuple[Match, ...] = ()
    missing: tuple[str, ...] = ()
    """What to ask the citizen for: `text`, `place`."""
    stranger: bool = False
    """The sender is not the one who reported: tell the status, never the words."""
    message: Message | None = None
    action: Action | None = None
    matcher: str = ""
    """Version of the matcher."""

    @property
    def item(self) -> Message | Action:
        """The message or the action."""
        found = self.message if self.message is not None else self.action
        assert found is not None
        return found

    @property
    def key(self) -> str:
        """Events of one complaint keep their order; what belongs to none, as its conversation."""
        return self.id or self.item.key

    @property
    def event_id(self) -> str:
        return self.item.event_id

    @property
    def trace(self) -> str | None:
        return self.item.trace


class Routed(Event, frozen=True, kw_only=True):
    """The same with the offices that shall act, and why."""

    topic: ClassVar[str] = "routed"

    matched: Matched
    assignments: tuple[Assignment, ...] = ()
    """Empty where there is nothing to route: an addition, a question, a redelivery, a refusal."""
    rules: str = ""
    """Version of the rules."""
    owed: Owed | None = None
    """What to answer the sender, or for an action the reporter, once it is recorded and applied. None: nothing."""

    @property
    def key(self) -> str:
        """As its Matched's."""
        return self.matched.key

    @property
    def event_id(self) -> str:
        return self.matched.event_id

    @property
    def trace(self) -> str | None:
        return self.matched.trace
