"""One reply: its words, the channel's `send`, and what became of it.

A send whose answer never came is `unknown` and is not repeated: a citizen who hears nothing asks again, one who hears
everything twice stops trusting. Where the channel carries our reference, its receipts settle it later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from bus import fault_location
from connectors import Channel, ProviderConnections, Speaks
from hub.running.send_starts import SendStart
from schemas import AccountFault, Held, Reject, Reply, Retry, Unanswered
from sink.outbox_claims import LEASE_ENDED, SENDER_LOST, TAKEN_ONCE, OwedReply
from sink.outbox_results import SendResult, next_attempt

UNLIMITED = 2**31 - 1
"""Attempts of a reply that did not arrive for no fault of its own; the time to the next one grows to an hour."""
SETTLES = "the channel's receipt will settle it"
CANNOT_TELL = "this channel cannot tell: ask the provider"
Render = Callable[[OwedReply, Channel], str]
"""The words of a reply. Raises ValueError where there are none."""
log = logging.getLogger(__name__)


class SendOutcome(NamedTuple):
    """What became of one reply."""

    result: SendResult
    fault: Exception | None = None
    """The fault, where the account may be the cause of it."""


async def send_reply(
    owed: OwedReply, channel: Channel | None, render: Render, outbound: ProviderConnections,
    now: Callable[[], datetime], *, start: SendStart | None = None,
) -> SendOutcome:  # fmt: skip
    """Send it. Raises nothing; where it is cancelled, the reply is `unknown`, unless `start` was not passed."""
    if not isinstance(channel, Speaks):
        return SendOutcome(SendResult(owed, "owed", now(), code="no_account", reason="the account is gone"))
    try:
        reply = _reply(owed, render(owed, channel))
    except Exception as error:  # a bug in the words of one reply must not hold up the others
        log.error("account %s, reply %s: no words: %s", owed.account, owed.id, fault_location(error))
        return SendOutcome(SendResult(owed, "failed", now(), code="no_words", reason=type(error).__name__))
    try:
        sent = await channel.send(reply, outbound)
    except (Exception, asyncio.CancelledError) as fault:
        if start is not None and not start.passed and (start.refused or isinstance(fault, asyncio.CancelledError)):
            start.close()
            return SendOutcome(lease_ended_result(owed, now())._replace(due_at=next_attempt(now(), owed.attempts)))
        return _not_sent(owed, channel, fault, now())
    return SendOutcome(SendResult(owed, "sent", now(), native_ids=sent.native_ids, text=reply.text))


def lease_ended_result(owed: OwedReply, now: datetime) -> SendResult:
    """The result of a reply that was claimed and is not sent: the lease ended before."""
    code, reason = (SENDER_LOST, TAKEN_ONCE) if owed.repeated else (LEASE_ENDED, None)
    return SendResult(owed, "owed", now, code=code, reason=reason)


def own_fault_result(result: SendResult) -> SendResult:
    """The result of a reply that a fault of the account keeps from going out, while others go."""
    reason = f"{result.reason or result.code}; others of this account go out"
    return result._replace(state="failed", reason=reason)


def _not_sent(owed: OwedReply, channel: Speaks, fault: BaseException, now: datetime) -> SendOutcome:
    match fault:
        case Unanswered():
            return SendOutcome(_unknown(owed, channel, "unanswered", fault.reason, now), fault)
        case Retry():  # one that is held says nothing of the account
            return SendOutcome(_again(owed, fault, now), None if isinstance(fault, Held) else fault)
        case AccountFault():
            return SendOutcome(SendResult(owed, "owed", now, code=fault.code, reason=fault.detail or None), fault)
        case Reject():
            return SendOutcome(SendResult(owed, "failed", now, code=fault.code, reason=fault.detail or None))
        case Exception():  # a bug in one channel must not end the sending of all others
            log.error("account %s, reply %s: %s", owed.account, owed.id, fault_location(fault))
            return SendOutcome(_unknown(owed, channel, "bug", f"a fault of ours: {type(fault).__name__}", now), fault)
    again = SendResult(owed, "owed", now, code=SENDER_LOST, reason=TAKEN_ONCE) if channel.takes_once else None
    why = "the account's lease, or the process, ended meanwhile"
    return SendOutcome(again or _unknown(owed, channel, "cut_off", why, now))


def _again(owed: OwedReply, fault: Retry, now: datetime) -> SendResult:
    due_at = next_attempt(now, owed.attempts, fault.after)
    limit = UNLIMITED if fault.limit is None else fault.limit
    return SendResult(owed, "retry", now, due_at=due_at, limit=limit, code="retry", reason=fault.reason)


def _unknown(owed: OwedReply, channel: Speaks, code: str, reason: str, now: datetime) -> SendResult:
    who_knows = SETTLES if channel.carries_reference else CANNOT_TELL
    return SendResult(owed, "unknown", now, code=code, reason=f"{reason}; {who_knows}")


def _reply(owed: OwedReply, text: str) -> Reply:
    return Reply(
        id=owed.id, account=owed.account, channel=owed.channel, conversation=owed.conversation, to=owed.to, text=text,
        template=owed.template, complaint=owed.complaint, number=owed.number, in_reply_to=owed.in_reply_to,
        created_at=owed.created_at, repeated=owed.repeated,
    )  # fmt: skip
