"""A burst: pictures, voice and words of one conversation within seconds. It is one report, and it is answered once.

The first message of it has the answer with the number; the thanks for what came within `BURST` of the message before
would only repeat it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from sqlalchemy import Connection

from schemas import Message, Routed
from sink.bulk import instant_encoder, query_in
from sink.instant import parse_instant
from sink.outbox import NewReply

BURST = timedelta(seconds=10)
THANKS = "added"
_COVERING = frozenset({THANKS, "number_given", "emergency", "joined"})
"""Answers that hold the number; after any other one, such as a question, the next message is answered."""
_MESSAGES = (
    "SELECT complaint, raw, item_index, conversation, received_at FROM messages WHERE complaint IN (*) "
    "AND received_at >= ?"
)
_ANSWERS = "SELECT complaint, template, created_at FROM outbox WHERE complaint IN (*) AND automatic"
Answered = tuple[Routed, NewReply]


def without_bursts(connection: Connection, replies: Sequence[Answered]) -> list[NewReply]:
    """The automatic replies that are owed, in order; their messages stand in the record already."""
    thanks = [
        (message, reply)
        for routed, reply in replies
        if reply.template == THANKS and reply.complaint and (message := routed.matched.message) is not None
    ]
    if not thanks:
        return [reply for _, reply in replies]
    follows = _following(connection, thanks)
    answers = query_in(connection, _ANSWERS, {reply.complaint for _, reply in thanks})
    last = {row.complaint: row.template for row in sorted(answers, key=lambda row: parse_instant(row.created_at))}
    owed = []
    for _, reply in replies:
        if reply.id in follows and last.get(reply.complaint) in _COVERING:
            continue
        if reply.complaint:
            last[reply.complaint] = reply.template
        owed.append(reply)
    return owed


def _following(connection: Connection, thanks: Sequence[tuple[Message, NewReply]]) -> set[str]:
    """Ids of the replies to messages that came shortly after another one of their conversation."""
    since = instant_encoder(connection)(min(message.received_at for message, _ in thanks) - BURST)
    came = defaultdict(list)
    for row in query_in(connection, _MESSAGES, {reply.complaint for _, reply in thanks}, since):
        came[row.complaint, bytes(row.conversation)].append((parse_instant(row.received_at), row.raw, row.item_index))
    follows = {
        own[1:]
        for found in came.values()
        for before, own in pairwise(sorted(found))
        if own[0] - before[0] <= BURST
    }  # fmt: skip
    return {reply.id for message, reply in thanks if (message.raw, message.item_index) in follows}
