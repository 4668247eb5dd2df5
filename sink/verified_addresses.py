"""The other addresses of a citizen for which their channels vouch.

An address is verified by the conversation itself: its channel proves its sender, and that is the person whom the reply
was for. What somebody only claimed (a phone in a form) leads nowhere, an anonymous or secret report leads to no other,
and no region's account answers for another's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from msgspec.structs import replace
from sqlalchemy import Connection

from schemas import VerifiedAddress
from sink.account_faults import SENDING, SPENT
from sink.bulk import instant_encoder, query_in
from sink.contacts import Contact, unseal_contact
from sink.instant import parse_instant
from sink.outbox import ReplyAddress
from sink.vault import Vault

LOOK_BACK = timedelta(days=400)
"""An address at which the citizen was answered longer ago is too old."""
REPORTS = 50
"""Reports of one citizen that are looked at."""
_REPORTS = """
    SELECT recipient, complaint, max(day) AS day FROM outbox
    WHERE recipient IN (*) AND day >= ? AND complaint IS NOT NULL GROUP BY recipient, complaint ORDER BY day DESC
"""
_WRITTEN = """
    SELECT m.complaint, m.account, m.channel, m.owner, m.conversation, m.proven, m.received_at, p.sealed, p.phone,
    p.email, p.user_id, c.anonymous OR c.secret AS withheld
    FROM messages m JOIN parties p ON p.raw = m.raw AND p.item_index = m.item_index
    JOIN complaints c ON c.id = m.complaint WHERE m.complaint IN (*)
"""
_FAULTS = "SELECT account, ability, code, retry_at FROM account_faults WHERE account IN (*)"
_SPENT = "SELECT account, spent_at FROM account_states WHERE account IN (*) AND spent_at > ?"
_FAILED = """
    SELECT conversation, max(created_at) AS at FROM outbox
    WHERE recipient IN (*) AND day >= ? AND state IN ('failed', 'moved') GROUP BY conversation
"""
SPENT_FOR = timedelta(days=1)
"""So long an account without means gets nothing more to send."""
SOON = timedelta(hours=1)
"""An account that is tried again by then counts as one that sends."""


class AddressFound(NamedTuple):
    """A verified address, with the person whom it leads to."""

    shown: VerifiedAddress
    contact: Contact


def other_addresses(
    connection: Connection, vault: Vault, speaking: Collection[str], replies: Sequence[Any], now: datetime
) -> Mapping[str, Sequence[AddressFound]]:
    """Those of each reply's citizen at accounts that can send, by the reply's id. `replies` are rows of the outbox."""
    reports = _reports(connection, replies, now)
    written: dict[str, list[Any]] = defaultdict(list)
    for row in query_in(connection, _WRITTEN, set().union(*reports.values())):
        written[row.complaint].append(row)
    accounts = {row.account for rows in written.values() for row in rows} & set(speaking)
    accounts -= _mute(connection, accounts, now)
    found: dict[str, list[AddressFound]] = {}
    for reply in replies:
        theirs = [
            row for complaint in reports[reply.id] for row in written[complaint]
            if row.owner == reply.owner and (complaint == reply.complaint or not row.withheld)
        ]  # fmt: skip
        found[reply.id] = list(_verified(vault, reply, theirs, accounts))
    return _with_refusals(connection, vault, found, now)


def _mute(connection: Connection, accounts: Collection[str], now: datetime) -> set[str]:
    """Those among them that a fault, or a spent quota, keeps from sending."""
    spent_since = instant_encoder(connection)(now - SPENT_FOR)
    spent = {row.account for row in query_in(connection, _SPENT, accounts, spent_since)}
    return spent | {row.account for row in query_in(connection, _FAULTS, accounts) if _stops_sending(row, now)}


def _stops_sending(fault: Any, now: datetime) -> bool:
    if fault.ability not in SENDING and fault.code not in SPENT:
        return False
    return fault.retry_at is None or parse_instant(fault.retry_at) > now + SOON


def _with_refusals(
    connection: Connection, vault: Vault, found: Mapping[str, Sequence[AddressFound]], now: datetime
) -> Mapping[str, Sequence[AddressFound]]:
    """The same, and which of them refused a reply after their citizen wrote there last."""
    people = {vault.digest("recipient", one.contact.person) for addresses in found.values() for one in addresses}
    since = (now - LOOK_BACK).date().isoformat()
    failed = {bytes(row.conversation): parse_instant(row.at) for row in query_in(connection, _FAILED, people, since)}

    def with_refusal(one: AddressFound) -> AddressFound:
        at = failed.get(vault.digest("conversation", f"{one.shown.account}/{one.contact.conversation}"))
        return one._replace(shown=replace(one.shown, refused=at is not None and at > one.shown.heard_at))

    return {id: [with_refusal(one) for one in addresses] for id, addresses in found.items()}


def _reports(connection: Connection, replies: Sequence[Any], now: datetime) -> dict[str, set[str]]:
    """The newest reports of each reply's citizen, its own among them."""
    since = (now - LOOK_BACK).date().isoformat()
    of_recipient: dict[bytes, list[str]] = defaultdict(list)
    for recipient, complaint, _ in query_in(connection, _REPORTS, {row.recipient for row in replies}, since):
        of_recipient[bytes(recipient)].append(complaint)
    return {row.id: {row.complaint, *of_recipient[bytes(row.recipient)][:REPORTS]} for row in replies}


def _verified(vault: Vault, reply: Any, rows: Iterable[Any], accounts: Collection[str]) -> Iterable[AddressFound]:
    """The newest message of each other conversation whose proven sender is the one whom the reply was for."""
    rows, own = list(rows), bytes(reply.conversation)
    person = {vault.digest("identity", ReplyAddress.open(vault, reply.address).to)}
    person |= {one for row in rows if row.proven and bytes(row.conversation) == own for one in _identities(row)}
    newest: dict[bytes, Any] = {}
    for row in sorted(rows, key=lambda row: row.received_at):
        if row.proven and row.account in accounts and bytes(row.conversation) != own and _identities(row) & person:
            newest[bytes(row.conversation)] = row
    here = {bytes(row.conversation) for row in rows if row.complaint == reply.complaint}
    for conversation, row in newest.items():
        contact = unseal_contact(vault, bytes(row.sealed))
        yield AddressFound(
            VerifiedAddress(
                account=row.account, channel=row.channel, to=contact.address, heard_at=parse_instant(row.received_at),
                of_this_report=conversation in here,
            ),
            contact,
        )  # fmt: skip


def _identities(row: Any) -> set[bytes]:
    return {bytes(hashed) for hashed in (row.phone, row.email, row.user_id) if hashed is not None}
