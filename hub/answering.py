"""The planner of answers, joined with what the accounts know of their channels."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from hub.accounts import Accounts
from router.other_address import choose_address
from schemas import UndeliveredReply, VerifiedAddress


class AddressPlanner:
    """The port `sink.outbox_moves.ReplyPlanner`, by the newest accounts."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    @property
    def speaking(self) -> Collection[str]:
        """The accounts that can send."""
        return [name for name in self._accounts.speaking if not self._accounts[name].missing_setting]

    def choose(self, reply: UndeliveredReply, addresses: Sequence[VerifiedAddress]) -> VerifiedAddress | None:
        """One of these; None: no address will do."""
        described = {self._described(reply, one): one for one in addresses if one.account in self._accounts}
        chosen = choose_address(reply, list(described))
        return chosen and described[chosen]

    def _described(self, reply: UndeliveredReply, address: VerifiedAddress) -> VerifiedAddress:
        channel = self._accounts[address.account]
        public = channel.answers_publicly(address.to, reply.template)
        return replace(address, public=public, costly=channel.short_answers)
