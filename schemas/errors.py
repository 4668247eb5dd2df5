"""The errors that a stage or a channel raises on purpose.

    PipelineError
    ├── Retry           the fault may pass: wait, then run the same work again
    │   ├── Held        this reply alone has to wait: whatever else the account sends goes on
    │   └── Unanswered  a request was sent and no whole answer came back: it may have arrived, so it is not sent again
    ├── AccountFault    the account is at fault, not the reply: what is owed waits until the account is mended
    └── Reject          the event or the reply itself is at fault: a dead letter, or a failed reply

Anything else that escapes a stage is a bug: the pump dead-letters the event and stops loudly when bugs come in a row.

A code is a short lower-case name ("not_json", "token_expired"): figures are grouped by it. A detail explains it to
people. Neither holds anything personal, and no secret.
"""

from __future__ import annotations

_DAY = 24 * 3600.0


class PipelineError(Exception):
    """A fault that was raised on purpose."""

    answer: str | None = None
    """The other side's own words, as far as there are any: they may be personal, so they are never logged."""


class Retry(PipelineError):  # noqa: N818 - it says what to do, as Reject does
    """Run the same work again, `after` seconds from now (None: the caller's own backoff).

    `limit` is how often at most; None means for ever, as for our own database or broker.
    """

    def __init__(self, reason: str, *, after: float | None = None, limit: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after
        self.limit = limit


class Held(Retry):
    """This reply alone has to wait, as for the template that it needs, a day at most: the account goes on with all
    others. `after` is the seconds between two tries."""

    def __init__(self, reason: str, *, after: float) -> None:
        super().__init__(reason, after=after, limit=max(1, round(_DAY / max(after, 1.0))))


class Unanswered(Retry):
    """A request was sent and no whole answer came back: it may have arrived."""


class _CodedError(PipelineError):
    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    @property
    def reason(self) -> str:
        """Code and detail as one line for people."""
        return f"{self.code}: {self.detail}" if self.detail else self.code

    def __str__(self) -> str:
        return self.reason


class AccountFault(_CodedError):  # noqa: N818 - it says what is wrong, as Reject does
    """Nothing can be sent for this account until somebody mends it: a lapsed token, a missing setting, a spent quota.

    The reply stays owed. `after` is how many seconds to wait before the account is tried again by itself (None: the
    caller's own backoff); a new edition of the account is tried at once.
    """

    def __init__(self, code: str, detail: str = "", *, after: float | None = None) -> None:
        super().__init__(code, detail)
        self.after = after


class Reject(_CodedError):  # noqa: N818 - it says what to do, as Retry does
    """The event or the reply itself is at fault. `code` groups dead letters, `detail` says what to mend."""
