"""The way back: replies are claimed, sent through their channel, and what became of them is published.

Only who claimed a reply sends it. A send whose answer never came is `unknown`, not repeated: a citizen who hears
nothing asks again, one who hears everything twice stops trusting. Where the channel carries our reference, its
receipts settle it later; where not, the reason says that nobody but the provider can tell.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from itertools import count, groupby
from uuid import uuid4

from bus import place_of
from connectors import Channel, Fetches, Http, Speaks, Unanswered
from hub.clock import now
from hub.running.pools import Threads
from schemas import Attachment, Event, Receipt, Reject, Reply, Retry
from sink import Blobs, Record, claim, fetched, unclaim_stale, unfetched, unpublish_stale, wanted

log = logging.getLogger(__name__)

AT_A_TIME = 16
"""Replies claimed and in the air at once: as many as a crash can leave in doubt."""
STALE = timedelta(minutes=5)
"""A claim this old without a receipt: its speaker died between sending and noting it."""
ASTRAY = timedelta(hours=1)
"""A reply published this long ago and not claimed: the event that carried it is gone."""
FETCH_AGAIN = timedelta(minutes=10)
SETTLES = "its channel's own receipt will settle it"
CANNOT_TELL = "this channel cannot tell: look at the provider"


class Speaker:
    """Sends replies and fetches attachments for the accounts of this hub."""

    def __init__(
        self, record: Record, blobs: Blobs, accounts: Mapping[str, Channel], http: Http, threads: Threads,
        *, paused: Collection[str] = (),
    ) -> None:  # fmt: skip
        self._record = record
        self._blobs = blobs
        self._accounts = accounts
        self._http = http
        self._threads = threads
        self._paused = paused
        self._names = map(f"{os.getpid()}-{uuid4().hex[:8]}-{{}}".format, count(1))
        self._claim = next(self._names)

    async def speak(self, events: Sequence[Event]) -> Sequence[Event]:
        """Stage `speakers`: replies in, receipts out. One conversation's replies are sent one after the other. Those of
        a paused account are left unclaimed: `settle` has them owed again, and the relay holds them back."""
        told = [e for e in events if isinstance(e, Reply) and e.account not in self._paused]
        replies = {e.id: e for e in told}  # one published twice is still one
        mine = await self._threads.disk(claim, self._record, list(replies), by=self._claim, now=now())
        self._claim = next(self._names)  # not before there is an answer: what was taken without one was not sent
        ours = sorted((replies[id] for id in replies if id in mine), key=lambda r: r.key)  # stable within a key
        talks = [list(talk) for _, talk in groupby(ours, key=lambda r: r.key)]
        said = await asyncio.gather(*(self._threads.world(self._talk, talk) for talk in talks))
        return [receipt for talk in said for receipt in talk]

    def _talk(self, replies: Sequence[Reply]) -> list[Receipt]:
        return [self._say(reply) for reply in replies]

    def _say(self, reply: Reply) -> Receipt:
        channel = self._accounts.get(reply.account)
        if not isinstance(channel, Speaks):
            return _receipt(reply, "failed", reason="this account is gone or cannot speak: see channels.toml")
        try:
            native = channel.send(reply, self._http)
        except Unanswered as error:
            return _receipt(reply, "unknown", reason=f"{error.reason}; {_who_knows(channel)}")
        except Retry as error:
            return _receipt(reply, "retry", reason=error.reason, after=error.after)
        except Reject as error:
            return _receipt(reply, "failed", reason=error.reason)
        except Exception as error:  # a bug in one channel must not leave the claims of all others open
            log.error("speaker: account %s reply %s: %s", reply.account, reply.id, place_of(error))
            fault = f"a fault of ours: {error.__class__.__name__}"
            return _receipt(reply, "unknown", reason=f"{fault}; {_who_knows(channel)}")
        return _receipt(reply, "sent", native_id=native)

    async def settle(self) -> int:
        """Claims that nobody will finish become `unknown`, replies that got lost on the way are owed again."""
        reasons = {n: f"its speaker died; {_who_knows(c)}" for n, c in self._accounts.items() if isinstance(c, Speaks)}
        await self._threads.disk(unclaim_stale, self._record, before=now() - STALE, reasons=reasons)
        await self._threads.disk(unpublish_stale, self._record, before=now() - ASTRAY)
        return 0

    async def fetch(self) -> int:
        """Bring the attachments that are only referred to. Returns how many were tried."""
        able = [name for name, channel in self._accounts.items() if isinstance(channel, Fetches)]
        if not able:
            return 0
        jobs = await self._threads.disk(wanted, self._record, able, now=now(), limit=50)
        await asyncio.gather(*(self._threads.world(self._bring, *job) for job in jobs))
        return len(jobs)

    def _bring(self, row: str, account: str, attachment: Attachment) -> None:
        channel = self._accounts[account]
        assert isinstance(channel, Fetches)
        try:
            body, media_type = channel.fetch(attachment, self._http)
        except Reject as error:
            log.info("attachment %s of account %s refused: %s", row, account, error.reason)
            unfetched(self._record, row, "refused", None)
        except Retry as error:
            again = timedelta(seconds=error.after) if error.after else FETCH_AGAIN
            unfetched(self._record, row, "referenced", now() + again)
        else:
            fetched(self._record, row, self._blobs.put(body), len(body), media_type)


def _who_knows(channel: Speaks) -> str:
    return SETTLES if channel.carries_reference else CANNOT_TELL


def _receipt(reply: Reply, state: str, **more: object) -> Receipt:
    return Receipt(
        account=reply.account, channel=reply.channel, conversation=reply.conversation, reply=reply.id,
        state=state, at=now(), **more,  # type: ignore[arg-type]
    )  # fmt: skip
