"""Cursors: up to where an account was polled, or what its session has to know again. Only the holder of the account's
lease moves one. They are sealed: a session's may hold words of citizens whose message is not whole yet."""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import datetime

from sink.account_states import account_value
from sink.bulk import insert, instant_encoder
from sink.leases import require_epoch
from sink.record import Record
from sink.tables import account_states

_SEALED = "account_states.cursor"
_MOVE = (
    "ON CONFLICT (account) DO UPDATE SET epoch = excluded.epoch, cursor = excluded.cursor, "
    "cursor_at = excluded.cursor_at"
)
_GAP = "gap_code = excluded.gap_code, gap_detail = excluded.gap_detail, gap_at = excluded.gap_at"


def load_cursor(record: Record, account: str) -> str | None:
    """Where the next poll goes on. None: the account was never polled. Raises Retry."""
    sealed = account_value(record, account_states.c.cursor, account)
    return None if sealed is None else record.vault.open(b64decode(sealed), _SEALED)


def save_cursor(
    record: Record, account: str, epoch: int, cursor: str | None, now: datetime, *, gap: tuple[str, str] | None = None
) -> None:
    """Move the cursor, once everything before it is durable. `gap`: code and detail of what is missing before it.
    Raises Retry, and StaleEpoch where another process holds the account now."""
    sealed = None if cursor is None else b64encode(record.vault.seal(cursor, _SEALED)).decode("ascii")
    at = instant_encoder(record.engine)(now)
    row = {"account": account, "epoch": epoch, "cursor": sealed, "cursor_at": at}
    missing = {} if gap is None else {"gap_code": gap[0], "gap_detail": gap[1], "gap_at": at}
    with record.write() as connection:
        require_epoch(connection, account, epoch)
        insert(connection, account_states, [row | missing], _MOVE if gap is None else f"{_MOVE}, {_GAP}")
