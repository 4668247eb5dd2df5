"""Secrets that providers gave in the place of configured ones, sealed. Not under the lease's epoch: a provider may take
the old one no more from the moment it gives a new one, so the newest counts, whoever asked for it."""

from __future__ import annotations

from sink.account_states import account_value
from sink.bulk import insert
from sink.record import Record
from sink.tables import account_states

_SEALED = "account_states.renewed_secret"


def load_renewed_secret(record: Record, account: str) -> str | None:
    """None: none was ever given. Raises Retry."""
    sealed = account_value(record, account_states.c.renewed_secret, account)
    return None if sealed is None else record.vault.open(bytes(sealed), _SEALED)


def save_renewed_secret(record: Record, account: str, secret: str) -> None:
    """Raises Retry."""
    row = {"account": account, "epoch": 0, "renewed_secret": record.vault.seal(secret, _SEALED)}
    with record.write() as connection:
        insert(
            connection, account_states, [row],
            "ON CONFLICT (account) DO UPDATE SET renewed_secret = excluded.renewed_secret",
        )  # fmt: skip
