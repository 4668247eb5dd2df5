"""When the tokens of accounts lapse: the provider of each is asked once a day, so that it is known two weeks before."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from connectors import Channel
from hub.accounts import Accounts
from hub.running.backend import Backend
from hub.running.dispatch import OutboundOf
from hub.running.leases import Leases
from schemas import PipelineError
from sink.account_states import list_account_states, set_token_end

EVERY = 60.0
"""Seconds between two looks at which accounts are due."""
ASKED_EVERY = timedelta(days=1)
WARNED_BEFORE = timedelta(days=14)
log = logging.getLogger(__name__)


class TokenEnds:
    """Asks for the accounts of `leases`."""

    def __init__(self, backend: Backend, accounts: Accounts, leases: Leases, outbound: OutboundOf) -> None:
        self._backend, self._accounts, self._leases, self._outbound = backend, accounts, leases, outbound
        self._asked: dict[str, tuple[Channel, datetime]] = {}

    async def run(self) -> None:
        """For ever. Raises Retry."""
        while True:
            await self._backend.timing.sleep(EVERY)
            await self.step()

    async def step(self) -> None:
        """Ask for what is due. Raises Retry."""
        if not (due := list(self._due())):
            return
        known = await self._backend(list_account_states)
        for account, channel in due:
            try:
                ends_at = await channel.token_end(self._outbound(account))
            except PipelineError:  # what needs the token says what is wrong with it
                continue
            except Exception as fault:
                log.error("account %s: %s while asking when its token ends", account, type(fault).__name__)
                continue
            state = known.get(account)
            if ends_at != (state and state.token_ends_at):
                await self._backend(set_token_end, account, ends_at)

    def _due(self) -> Iterator[tuple[str, Channel]]:
        now, held = self._backend.timing.now(), self._leases.usable()
        for account, channel in self._accounts.items():
            asked = self._asked.get(account)
            fresh = asked is not None and asked[0] is channel and now < asked[1] + ASKED_EVERY
            if account in held and not channel.missing_setting and not fresh:
                self._asked[account] = channel, now
                yield account, channel


def is_ending(ends_at: datetime | None, now: datetime) -> bool:
    """Is it time for a new token?"""
    return ends_at is not None and ends_at < now + WARNED_BEFORE


def token_metric(ends: Mapping[str, datetime], accounts: Collection[str]) -> Iterator[Metric]:
    """For Prometheus: those of accounts that are still there."""
    words = "When the account's token lapses, in seconds since 1970, where the provider says so."
    metric = GaugeMetricFamily("satupintu_account_token_ends", words, labels=["account"])
    for account in sorted(ends.keys() & set(accounts)):
        metric.add_metric([account], ends[account].timestamp())
    yield metric
