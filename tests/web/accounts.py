"""Accounts made of channels, without a file."""

from __future__ import annotations

from connectors import Channel
from hub.accounts import Account, Accounts, AccountsSnapshot, State


class TheseAccounts(Accounts):
    """Accounts of which a test makes a new edition."""

    def __init__(self, *channels: Channel) -> None:
        super().__init__(AccountsSnapshot(Account(channel) for channel in channels))

    def change(self, *channels: Channel, state: State = "active") -> None:
        """A new edition."""
        self.swap(AccountsSnapshot(Account(channel, state) for channel in channels))
