"""Where an answer to a complaint's reporter goes.

To the conversation in which the complaint was filed, where its account can send. Else to a later one whose sender the
channel vouches for and who shares an identity with the reporter: a form believes any phone, so what was only claimed
there leads an answer nowhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from sink.bulk import query_in
from sink.contacts import Contact, unseal_contact
from sink.vault import Vault

_MESSAGES = """
    SELECT m.complaint, m.account, m.channel, m.owner, m.proven, m.public_id, m.received_at, p.sealed,
        p.phone, p.email, p.nik, p.user_id, c.number, c.raw = m.raw AND c.item_index = m.item_index AS opened
    FROM messages m JOIN parties p ON p.raw = m.raw AND p.item_index = m.item_index
    JOIN complaints c ON c.id = m.complaint WHERE m.complaint IN (*)
"""


@dataclass(frozen=True, slots=True)
class Reporter:
    """A reporter, and the conversation in which to answer."""

    number: str
    owner: str
    account: str
    channel: str
    contact: Contact
    native: str
    """The channel's id of the message that is answered."""


def reporters_of(
    connection: Connection, vault: Vault, complaints: Iterable[str], speaks: Collection[str]
) -> dict[str, Reporter]:
    """The reporter of each of these complaints who can be answered; `speaks` are the accounts that can send."""
    rows: dict[str, list[Any]] = defaultdict(list)
    for row in query_in(connection, _MESSAGES, set(complaints)):
        rows[row.complaint].append(row)
    chosen = {complaint: _choose(of_one, speaks) for complaint, of_one in rows.items()}
    return {complaint: _reporter(vault, row) for complaint, row in chosen.items() if row is not None}


def _choose(rows: list[Any], speaks: Collection[str]) -> Any | None:
    opener = next((row for row in rows if row.opened), None)
    if opener is None:
        return None
    if opener.account in speaks:
        return opener
    same = [row for row in rows if row.account in speaks and row.proven and _identities(row) & _identities(opener)]
    return max(same, key=lambda row: row.received_at, default=None)


def _identities(row: Any) -> set[bytes]:
    return {bytes(hashed) for hashed in (row.phone, row.email, row.nik, row.user_id) if hashed is not None}


def _reporter(vault: Vault, row: Any) -> Reporter:
    contact = unseal_contact(vault, bytes(row.sealed))
    return Reporter(row.number, row.owner, row.account, row.channel, contact, contact.native or row.public_id)
