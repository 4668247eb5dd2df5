"""An account, or a kind, that is named in a call: a misspelt account would look like one without anything."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from hub.settings import UsageError, did_you_mean

if TYPE_CHECKING:
    from sink.record import Record


def require_kind(kind: str) -> None:
    """Raises UsageError where there is no such kind of channel."""
    from connectors import kinds

    if kind not in kinds():
        raise UsageError(
            f"{kind} is no channel kind{did_you_mean(kind, kinds())}: it takes one of {', '.join(kinds())}"
        )


def require_account(record: Record, name: str) -> None:
    """Raises UsageError where the newest edition has no such account, and the record knows none. Raises Retry."""
    from sink.account_states import list_account_states
    from sink.editions import latest_edition

    newest = latest_edition(record, "accounts")
    known = {*(tomllib.loads(newest.body) if newest else ()), *list_account_states(record)}
    if name not in known:
        raise UsageError(f"{name} is no account of this hub{did_you_mean(name, known)}: satupintu channels shows them")
