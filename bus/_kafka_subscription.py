"""A subscription: takes batches from its share of the partitions, and commits them as long as they are its own."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, RebalanceInProgressError

from bus._kafka_link import ANSWER, FAULTS, Link
from bus._kafka_records import unpack
from bus._kafka_consumer import Share, join, leave
from bus._opened import Opened
from bus._port import Batch, Lost, Stored
from schemas import Retry

POLL = 1.0
"""Seconds; also how long a silent coordinator goes unnoticed."""
GONE = 60.0
"""Seconds without a coordinator until the brokers are looked up anew. Before, we would lose our place in the group."""
LOOK = 30.0
"""Seconds of silence, and the brokers are asked what there is. What has not come by the next look never will."""

_logger = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Ticket:
    """What `commit` needs: per partition its number, and the place of the last event."""

    member: Member
    share: Share
    deal: int
    places: Mapping[TopicPartition, tuple[int, int]]
    committed: bool = False

    @property
    def kept(self) -> dict[TopicPartition, int]:
        """The places in what is still ours."""
        held = self.share.numbers
        return {slot: place for slot, (number, place) in self.places.items() if held.get(slot) == number}


class Member(AsyncIterator[Batch]):
    """`close` it at the end."""

    def __init__(self, link: Link, topic: str, group: str, size: int) -> None:
        self._link, self._topic, self._group, self._size = link, topic, group, size
        self._share = Opened(self._join, leave)
        self._ticket: Ticket | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._heard = self._looked = time.monotonic()
        self._due: tuple[int, Mapping[TopicPartition, int]] = 0, {}
        """Up to where events should have come by the next look, unless partitions are dealt out anew before."""

    async def __anext__(self) -> Batch:
        await self._idle.wait()
        while True:
            share = await self._share.get()
            if why := share.broken or await self._overlooked(share):
                self._give_up(share, why)
            try:
                records = await share.consumer.getmany(timeout_ms=int(POLL * 1000), max_records=self._size)
            except FAULTS as error:  # of the group: a broker that is away only keeps us waiting
                self._share.drop(share)
                raise self._link.away(error) from error
            if records:
                self._looked, self._due = time.monotonic(), (0, {})
                return self._hand_out(share, {slot: unpack(found) for slot, found in records.items()})
            self._listen(share)

    async def commit(self, ticket: Ticket) -> None:
        """Raises Lost, Retry."""
        if ticket.committed:
            return
        kept: Mapping[TopicPartition, int] = {}
        if ticket is self._ticket:
            kept = await self._commit(ticket)
            self._settle(ticket)
        if len(kept) < len(ticket.places):
            raise Lost(f"{self._group} on {self._topic}")
        ticket.committed = True

    async def close(self) -> None:
        self._ticket = None
        self._idle.set()
        await self._share.close()

    async def _join(self) -> Share:
        prefix = self._link.address.prefix
        topic = prefix + self._topic
        share = await join(self._link, topic, f"{prefix}{self._group}.{self._topic}", self._idle)
        self._heard = self._looked = time.monotonic()
        self._due = 0, {}
        return share

    def _hand_out(self, share: Share, events: Mapping[TopicPartition, list[Stored]]) -> Batch:
        places = {slot: (share.numbers[slot], found[-1].place) for slot, found in events.items()}
        self._ticket = Ticket(self, share, share.deals, places)
        self._idle.clear()
        gained, share.gained = share.gained, False
        together = [event for found in events.values() for event in found]
        return Batch(self._topic, self._group, together, self._ticket, gained)

    async def _overlooked(self, share: Share) -> str:
        """What should have come long ago, for the log."""
        if time.monotonic() - self._looked < LOOK:
            return ""
        self._looked = time.monotonic()
        deal, due = self._due
        late = [slot.partition for slot, end in due.items() if share.place(slot) < end]
        if late and deal == share.deals:
            return f"partitions {late} stand still"
        with suppress(*FAULTS):  # another time
            async with asyncio.timeout(ANSWER):
                self._due = share.deals, await share.ends()
        return ""

    def _give_up(self, share: Share, why: str) -> NoReturn:
        """Join anew. Raises Retry."""
        self._share.drop(share)
        _logger.warning("%s on %s: nothing comes any more (%s), joining anew", self._group, self._topic, why)
        raise Retry("the group is joined anew")

    def _listen(self, share: Share) -> None:
        """Nothing came: because nothing is there, or because nobody answers?"""
        if share.coordinated:
            self._heard = time.monotonic()
            return
        if time.monotonic() - self._heard > GONE:
            self._share.drop(share)
        if share.deals:  # else we are about to join
            raise self._link.away(TimeoutError())

    async def _commit(self, ticket: Ticket) -> Mapping[TopicPartition, int]:
        """Commit what is still ours; that."""
        try:
            await asyncio.wait_for(ticket.share.steady.wait(), ANSWER)
        except TimeoutError:
            if ticket.share.broken or ticket.share.dealing > GONE:  # they never will be to us
                self._share.drop(ticket.share)
                return {}
            raise Retry("the group's partitions are being dealt out anew") from None
        if not (kept := ticket.kept):
            return {}
        try:
            async with asyncio.timeout(ANSWER):
                await ticket.share.commit(kept)
        except (CommitFailedError, IllegalStateError) as error:
            if isinstance(error.__cause__, RebalanceInProgressError):
                raise Retry("the group's partitions are being dealt out anew") from error
            return {}
        except FAULTS as error:
            raise self._link.away(error) from error
        self._link.back()
        if ticket.deal != ticket.share.deals:  # reading has begun again at the place before
            ticket.share.skip(ticket.kept)
        return kept

    def _settle(self, ticket: Ticket) -> None:
        if ticket is self._ticket:
            self._ticket = None
            self._idle.set()
