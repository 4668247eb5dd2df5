"""A reply that cannot reach its address for good, and the other addresses of the same citizen."""

from __future__ import annotations

from schemas.values import Instant, Value


class UndeliveredReply(Value, frozen=True, kw_only=True):
    """What the planner knows of it."""

    template: str
    account: str
    channel: str
    code: str | None = None
    """Why it was not delivered."""
    withheld: bool = False
    """Its report is anonymous or secret."""


class VerifiedAddress(Value, frozen=True, kw_only=True):
    """A conversation whose channel vouches for the citizen."""

    account: str
    channel: str
    to: str
    """The channel's own address."""
    heard_at: Instant
    """When the citizen wrote there last."""
    of_this_report: bool
    """The citizen wrote there about this very report."""
    public: bool = False
    """Everybody can read an answer there."""
    costly: bool = False
    """An answer there costs, or counts in a quota."""
    closed: bool = False
    """The provider takes no answer there any more until the citizen writes again."""
    refused: bool = False
    """A reply failed there after the citizen wrote there last."""
