"""The planner of answers, joined with what the accounts know of their channels."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from hub.accounts import Accounts
from router.other_address import choose_address
from schemas import UndeliveredReply, VerifiedAddress

WAIT = timedelta(minutes=15)
"""So long a reply may wait for its turn at its other address."""


class AddressPlanner:
    """The port `sink.outbox_moves.ReplyPlanner`, by the newest accounts."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    @property
    def speaking(self) -> Collection[str]:
        """The accounts that can send."""
        return [name for name in self._accounts.speaking if not self._accounts[name].missing_setting]

    def choose(
        self, reply: UndeliveredReply, addresses: Sequence[VerifiedAddress], now: datetime
    ) -> VerifiedAddress | None:
        """One of these; None: no address will do."""
        described = {self._described(reply, one, now): one for one in addresses if one.account in self._accounts}
        chosen = choose_address(reply, list(described))
        return chosen and described[chosen]

    def _described(self, reply: UndeliveredReply, address: VerifiedAddress, now: datetime) -> VerifiedAddress:
        channel = self._accounts[address.account]
        public = channel.answers_publicly(address.to, reply.template)
        terms, sent_after = channel.answer_terms(address.to, reply.template), now - address.heard_at + WAIT
        closed, costly = (limit is not None and sent_after > limit for limit in terms)
        return replace(address, public=public, closed=closed, costly=costly)
