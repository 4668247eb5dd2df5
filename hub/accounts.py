"""The accounts of this hub, as the newest edition has them.

`Accounts` is what the stages and the ingress hold: a mapping whose snapshot is swapped when a new edition comes.
`channels.toml` itself is read in `accounts_file.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, get_args

import msgspec

from connectors import Channel, Connects, Fetches, Forwards, Listens, Polls, Secret, Speaks
from connectors.console import ConsoleChannel, ConsoleSettings
from router.regions import NATION
from schemas import Message

State = Literal["active", "silent", "closed"]
OFFICERS = ConsoleChannel("console", NATION, ConsoleSettings())
"""The account of the command line's acts, where the file has none of that name."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account with its channel."""

    channel: Channel
    state: State = "active"
    table: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)
    """Its table, secrets resolved: where it is unchanged, a new edition does not disturb the account."""

    def describe(self, base: str, *, reveal: bool) -> dict[str, Any]:
        """The part of `channels --json` that the channels file holds; secrets by value only where `reveal`."""
        settings, secrets = {}, {}
        for setting in msgspec.structs.fields(self.channel.settings):
            value = getattr(self.channel.settings, setting.name)
            if holds_secret(setting.type):
                secrets[setting.encode_name] = _plain(value)
            else:
                settings[setting.encode_name] = msgspec.to_builtins(value)
        name = self.channel.account
        return {
            "account": name,
            "kind": self.channel.kind,
            "owner": self.channel.owner,
            "url": f"{base}/in/{name}" if isinstance(self.channel, Listens) else f"{base}/",
            "state": self.state,
            "settings": settings,
            "secrets": secrets if reveal else {},
        }


class AccountsSnapshot:
    """All accounts of one edition. It never changes; what is asked of it often is worked out once."""

    def __init__(self, accounts: Iterable[Account] = ()) -> None:
        self.accounts = {account.channel.account: account for account in accounts}

    @cached_property
    def channels(self) -> dict[str, Channel]:
        """By name, closed ones included."""
        return {name: account.channel for name, account in self.accounts.items()}

    @cached_property
    def speaking(self) -> frozenset[str]:
        """Accounts that owe answers for what comes in."""
        return frozenset(n for n, a in self.accounts.items() if a.state == "active" and isinstance(a.channel, Speaks))

    @cached_property
    def leased(self) -> frozenset[str]:
        """Accounts that one process at a time works for: it polls, holds the session, sends, fetches."""
        outward = (Speaks, Fetches, Polls, Connects)
        return frozenset(n for n, a in self.accounts.items() if a.state != "closed" and isinstance(a.channel, outward))

    @cached_property
    def forwarding(self) -> tuple[Forwards, ...]:
        """Accounts that bring complaints into other systems, in the order of the file."""
        found = (a.channel for a in self.accounts.values() if a.state != "closed")
        return tuple(channel for channel in found if isinstance(channel, Forwards))

    @cached_property
    def listening(self) -> dict[str, Listens]:
        """Accounts with an ingress, closed ones included."""
        return {name: channel for name, channel in self.channels.items() if isinstance(channel, Listens)}

    @cached_property
    def by_address(self) -> dict[tuple[str, str], Listens]:
        """Accounts with an ingress by kind and the provider's address of them; closed ones are left out."""
        found = (c for name, c in self.listening.items() if self.accounts[name].state != "closed")
        return {(c.kind, c.address): c for c in found if c.address is not None}


class Accounts(Mapping[str, Channel]):
    """The accounts of the newest edition that this process has seen, by name. Ask it anew each time."""

    def __init__(self, snapshot: AccountsSnapshot | None = None) -> None:
        self.snapshot = snapshot or AccountsSnapshot()
        self.changed = frozenset(self.snapshot.accounts)
        """Accounts that the newest edition changed or brought."""

    @classmethod
    def of(cls, *channels: Channel) -> Accounts:
        """Active accounts of these channels."""
        return cls(AccountsSnapshot(Account(channel) for channel in channels))

    def swap(self, snapshot: AccountsSnapshot) -> None:
        """From now on this edition holds. The channel of an account that did not change stays the same object."""
        old = self.snapshot
        self.snapshot = AccountsSnapshot(_unchanged(new, old.accounts.get(n)) for n, new in snapshot.accounts.items())
        self.changed = frozenset(n for n, c in self.snapshot.channels.items() if old.channels.get(n) is not c)

    def __getitem__(self, name: str) -> Channel:
        return self.snapshot.channels[name]

    def readable(self, name: str) -> Channel | None:
        """The channel that reads what this account took in. The acts of the command line need no table in the file."""
        return self.snapshot.channels.get(name) or (OFFICERS if name == OFFICERS.account else None)

    def __iter__(self) -> Iterator[str]:
        return iter(self.snapshot.channels)

    def __len__(self) -> int:
        return len(self.snapshot.channels)

    def account(self, name: str) -> Account:
        """The account with its state."""
        return self.snapshot.accounts[name]

    def state(self, name: str) -> State:
        """`active`, `silent` or `closed`."""
        return self.snapshot.accounts[name].state

    @property
    def speaking(self) -> frozenset[str]:
        """As `AccountsSnapshot.speaking`."""
        return self.snapshot.speaking

    @property
    def listening(self) -> Mapping[str, Listens]:
        """As `AccountsSnapshot.listening`."""
        return self.snapshot.listening

    @property
    def by_address(self) -> Mapping[tuple[str, str], Listens]:
        """As `AccountsSnapshot.by_address`."""
        return self.snapshot.by_address

    def reply_address(self, message: Message) -> str:
        """Where an answer to this message goes, in the form of its channel."""
        channel = self.snapshot.channels.get(message.account)
        return channel.reply_address(message) if isinstance(channel, Speaks) else message.conversation

    def first(self, kind: str) -> Channel | None:
        """The first account of a kind that is not closed, in the order of the file."""
        found = (a.channel for a in self.snapshot.accounts.values() if a.state != "closed")
        return next((channel for channel in found if channel.kind == kind), None)


def _unchanged(new: Account, old: Account | None) -> Account:
    return replace(new, channel=old.channel) if old is not None and old.table == new.table != {} else new


def holds_secret(kind: object) -> bool:
    """Is a setting of this type a secret?"""
    return kind is Secret or any(holds_secret(inner) for inner in get_args(kind))


def _plain(value: object) -> object:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(v) for v in value] if isinstance(value, tuple | list) else value
