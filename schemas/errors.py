"""The two errors of the road. Everything a stage may raise on purpose is one of them.

    RoadError
    ├── Retry    the fault may pass: wait, then run the same events again
    └── Reject   the event itself is at fault: bury it with its reason, go on with the next

Anything else that escapes a stage is a bug: the pump buries the event and stops loudly when bugs come in a row.
"""

from __future__ import annotations


class RoadError(Exception):
    """A fault that a stage names on purpose."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Retry(RoadError):  # noqa: N818 - it says what to do, as Reject does
    """Run the same events again, `after` seconds from now (None: the pump's own back-off).

    `limit` is how often at most; None means for ever, as for our own database or broker.
    """

    def __init__(self, reason: str, *, after: float | None = None, limit: int | None = None) -> None:
        super().__init__(reason)
        self.after = after
        self.limit = limit


class Reject(RoadError):  # noqa: N818 - it says what to do, as Retry does
    """Bury the event. The reason goes to the dead letters: it names what to mend and holds nothing personal."""
