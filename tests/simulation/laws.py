"""The laws of conservation: what must hold once everything is quiet, whatever went wrong before.

A law yields a line for each breach. Those that can only be seen while the seed runs stand in `watch.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

from schemas import Action, Message, Reject
from sink.outbox import DAILY_LIMIT
from sink.outbox_results import MAX_ATTEMPTS
from tests.simulation.facts import Facts
from tests.simulation.forward_laws import FORWARD_LAWS
from tests.simulation.provider import Attempt
from tests.simulation.quiet import OPEN_JOBS

Law = Callable[[Facts], Iterator[str]]
LAWS: list[Law] = [*FORWARD_LAWS]
MAY_HAVE_ARRIVED = {"open", "unanswered", "sent"}
FINAL = {"sent", "unknown", "failed", "moved", "suppressed", "delivered", "read"}
DECIDED = {"recorded", "added", "asked", "refused"}


def law(check: Law) -> Law:
    """Register a law; its name is what a breach is called."""
    LAWS.append(check)
    return check


def breaches(facts: Facts) -> list[str]:
    """Every breach of every law, by its name."""
    found = [f"{check.__name__.replace('_', ' ')}: {line}" for check in LAWS for line in check(facts)]
    return facts.seen + found


@law
def each_acknowledged_item_stands_in_the_log(facts: Facts) -> Iterator[str]:
    logged = {(item.raw.account, item.what.native_id) for item in facts.items if isinstance(item.what, Message)}
    for account, item in facts.written.acknowledged:
        if "from" in item and "id" in item and (account, item["id"]) not in logged:
            yield f"{account} {item['id']}"


@law
def each_item_has_one_outcome(facts: Facts) -> Iterator[str]:
    for item in facts.items:
        row = facts.outcomes.get((item.raw.id, item.index))
        if row is None:
            yield f"{item.raw.id}.{item.index} of {item.raw.account} has none"
        elif row["item_count"] != item.count:
            yield f"{item.raw.id} holds {item.count} items, its outcome says {row['item_count']}"
    known = {(item.raw.id, item.index) for item in facts.items}
    yield from (f"{raw}.{index} is no item" for raw, index in facts.outcomes if (raw, index) not in known)


@law
def nothing_is_lost(facts: Facts) -> Iterator[str]:
    if facts.ledger["lost"] or facts.ledger["in_flight"]:
        yield f"the ledger says {facts.ledger}"


@law
def the_ledger_counts_each_item(facts: Facts) -> Iterator[str]:
    counted = Counter(row["outcome"] for row in facts.outcomes.values())
    for outcome in ("recorded", "added", "asked", "redelivered", "refused", "dead"):
        if counted[outcome] != facts.ledger.get(outcome, 0):
            yield f"{outcome}: {counted[outcome]} outcomes, {facts.ledger.get(outcome)} in the ledger"


@law
def each_message_is_decided_once(facts: Facts) -> Iterator[str]:
    for message, outcomes in facts.outcomes_of_message.items():
        decided = [outcome for outcome in outcomes if outcome in DECIDED]
        if len(decided) != 1 or set(outcomes) - DECIDED - {"redelivered"}:
            yield f"{message}: {outcomes}"


@law
def only_what_makes_no_sense_is_dead(facts: Facts) -> Iterator[str]:
    for item in facts.items:
        row = facts.outcomes.get((item.raw.id, item.index))
        if row and (row["outcome"] == "dead") != isinstance(item.what, Reject):
            yield f"{item.raw.id}.{item.index}, {type(item.what).__name__}, is {row['outcome']} ({row['reason']})"


@law
def each_recorded_message_opens_one_complaint(facts: Facts) -> Iterator[str]:
    opened = {(row["raw"], row["item_index"]): row for row in facts.rows("SELECT * FROM complaints")}
    recorded = {key for key, row in facts.outcomes.items() if row["outcome"] == "recorded"}
    yield from (f"{raw}.{index} has no complaint" for raw, index in recorded - opened.keys())
    yield from (f"{raw}.{index} opened one without being recorded" for raw, index in opened.keys() - recorded)
    numbers = {row["complaint"]: row["number"] for row in facts.rows("SELECT complaint, number FROM numbers")}
    yield from (f"{row['id']} has two numbers" for row in opened.values() if numbers.get(row["id"]) != row["number"])


@law
def each_joined_message_stands_in_its_complaint_once(facts: Facts) -> Iterator[str]:
    stored = Counter((row["raw"], row["item_index"]) for row in facts.rows("SELECT raw, item_index FROM messages"))
    for item in facts.items:
        row = facts.outcomes.get((item.raw.id, item.index))
        joined = row is not None and row["outcome"] in {"recorded", "added", "asked"} and isinstance(item.what, Message)
        if stored[item.raw.id, item.index] != joined:
            yield f"{item.raw.id}.{item.index}: {stored[item.raw.id, item.index]} messages, {row and row['outcome']}"
    ids = Counter(bytes(row["key"]) for row in facts.rows("SELECT key FROM messages"))
    yield from (f"a message id stands {times} times" for times in ids.values() if times > 1)


@law
def a_conversation_stands_in_the_order_of_its_door(facts: Facts) -> Iterator[str]:
    """But for what was dead: read again once the reader is mended, it comes behind what was read meanwhile."""
    was_dead = {(row["raw"], row["item_index"]) for row in facts.rows("SELECT raw, item_index FROM dead")}
    place = {(item.raw.id, item.index): at for at, item in enumerate(facts.items)}
    last: dict[tuple[str, str], int] = {}
    sql = (
        "SELECT t.complaint, t.raw, t.item_index, m.conversation FROM timeline t "
        "JOIN messages m ON m.raw = t.raw AND m.item_index = t.item_index "
        "WHERE t.what <> 'file_withheld' ORDER BY t.seq"
    )
    for row in facts.rows(sql):
        where = row["complaint"], bytes(row["conversation"]).hex()
        now = place.get((row["raw"], row["item_index"]), -1)
        if now < last.get(where, -1) and (row["raw"], row["item_index"]) not in was_dead:
            yield f"{row['raw']}.{row['item_index']} stands behind what came after it in {row['complaint']}"
        last[where] = max(now, last.get(where, -1))


@law
def no_reply_is_sent_again_once_it_may_have_arrived(facts: Facts) -> Iterator[str]:
    """A process that was asleep may begin to send what it claimed before, but passes no mark any more."""
    for reply, attempts in facts.attempts_of.items():
        for earlier, later in pairwise(attempt for attempt in attempts if attempt.may_arrive):
            if earlier.end in MAY_HAVE_ARRIVED or (earlier.ended or 1e9) > later.began:
                when = f"first {earlier.end} at {earlier.began:.1f}, again at {later.began:.1f}"
                yield f"{reply} of {later.reply.account}: {when}"


@law
def no_reply_arrives_twice(facts: Facts) -> Iterator[str]:
    for reply, attempts in facts.attempts_of.items():
        if sum(attempt.taken for attempt in attempts) > 1:
            yield f"{reply} of {attempts[0].reply.account}"


@law
def a_process_sends_one_reply_of_a_conversation_at_a_time(facts: Facts) -> Iterator[str]:
    """But where a receipt with our reference said already that the one before arrived."""
    last: dict[tuple[str, str], Attempt] = {}
    for attempt in facts.attempts:
        where = attempt.process, attempt.reply.key
        before = last.get(where)
        known = before and before.taken and before.reply.channel == "pigeon"
        if before and not known and (before.ended or 1e9) > attempt.began:
            yield f"{attempt.reply.id} began before {before.reply.id} had ended"
        last[where] = attempt


@law
def no_reply_is_owed_for_ever(facts: Facts) -> Iterator[str]:
    for reply, row in facts.replies.items():
        if row["state"] not in FINAL:
            yield f"{reply} of {row['account']} is {row['state']} after {row['attempts']} attempts"


@law
def a_reply_says_what_became_of_it(facts: Facts) -> Iterator[str]:
    for reply, row in facts.replies.items():
        attempts = facts.attempts_of.get(reply, [])
        taken, ends = any(a.taken for a in attempts), {a.end for a in attempts}
        state = row["state"]
        if state in {"sent", "delivered", "read"} and not taken:
            yield f"{reply} is {state}, and its provider never took it"
        if state in {"failed", "moved", "suppressed"} and taken:
            yield f"{reply} is {state}, and its provider took it"
        if state == "suppressed" and attempts:
            yield f"{reply} is suppressed, and was tried"
        if state in {"failed", "moved"} and "refused" not in ends and len(attempts) < MAX_ATTEMPTS:
            yield f"{reply} is failed after {len(attempts)} attempts, and nobody refused it: {row['code']}"
    yield from (
        f"{reply} was tried, and is not in the outbox" for reply in facts.attempts_of if reply not in facts.replies
    )


@law
def a_reply_is_suppressed_only_over_the_limit(facts: Facts) -> Iterator[str]:
    sent = Counter(bytes(row["recipient"]) for row in facts.replies.values() if row["state"] != "suppressed")
    for reply, row in facts.replies.items():
        if row["state"] == "suppressed" and sent[bytes(row["recipient"])] < DAILY_LIMIT:
            yield f"{reply}, after {sent[bytes(row['recipient'])]}"


@law
def each_number_that_a_citizen_was_given_is_a_complaint(facts: Facts) -> Iterator[str]:
    numbers = {row["number"] for row in facts.rows("SELECT number FROM complaints")}
    for attempt in facts.attempts:
        if attempt.taken and attempt.reply.number is not None and attempt.reply.number not in numbers:
            yield f"{attempt.reply.number} of {attempt.reply.id}, {attempt.reply.template}"


@law
def unknown_has_a_cause(facts: Facts) -> Iterator[str]:
    taken_over = {row["account"] for row in facts.rows("SELECT account FROM leases WHERE epoch > 1")}
    for reply, row in facts.replies.items():
        doubt = {a.end for a in facts.attempts_of.get(reply, [])} & {"open", "unanswered"}
        if row["state"] == "unknown" and not doubt and row["account"] not in taken_over:
            yield f"{reply} of {row['account']}: {row['code']} {row['reason']}"


@law
def a_receipt_is_applied(facts: Facts) -> Iterator[str]:
    """Where our side knows the provider's id, or the channel brings our reference back, `read` is known in the end."""
    for reply, row in facts.replies.items():
        attempts = facts.attempts_of.get(reply, [])
        sent = any(a.end == "sent" for a in attempts) and row["state"] not in {"unknown"}
        referred = row["channel"] == "pigeon" and any(a.taken for a in attempts)
        if (sent or referred) and row["state"] != "read":
            yield f"{reply} of {row['account']} was read, and is {row['state']}"


@law
def each_complaint_is_confirmed(facts: Facts) -> Iterator[str]:
    answered = {row["complaint"] for row in facts.replies.values()}
    for row in facts.rows("SELECT id, account FROM complaints"):
        if row["id"] not in answered and row["account"] not in facts.silenced:
            yield f"{row['id']} of {row['account']} owes no reply"


@law
def a_status_moves_forward_only(facts: Facts) -> Iterator[str]:
    acts = {item.what.id for item in facts.items if isinstance(item.what, Action)}
    if not acts:
        return
    for row in facts.rows("SELECT number, status FROM complaints"):
        statuses = facts.written.statuses.get(row["number"])
        if statuses and row["status"] != max(statuses)[1]:
            yield f"{row['number']} is {row['status']}, its office said {[status for _, status in sorted(statuses)]}"


@law
def each_status_stands_in_the_timeline_once(facts: Facts) -> Iterator[str]:
    sql = (
        "SELECT raw, item_index, complaint, what, count(*) AS n FROM timeline WHERE raw IS NOT NULL GROUP BY 1, 2, 3, 4"
    )
    yield from (
        f"{row['raw']}.{row['item_index']} {row['what']}: {row['n']} times" for row in facts.rows(sql) if row["n"] > 1
    )


@law
def each_file_is_fetched_or_refused(facts: Facts) -> Iterator[str]:
    for row in facts.rows("SELECT id, account, state FROM attachments"):
        if row["state"] not in {"fetched", "refused", "expired"}:
            yield f"{row['id']} of {row['account']} is {row['state']}"


@law
def no_job_waits_for_ever(facts: Facts) -> Iterator[str]:
    for row in facts.rows(OPEN_JOBS):
        yield f"{row['kind']} {row['id']} is {row['state']} ({row['code']})"


@law
def logs_hold_nothing_personal(facts: Facts) -> Iterator[str]:
    everything = "\n".join(facts.logged)
    yield from (repr(words) for words in facts.written.personal if len(words) > 8 and words in everything)


@law
def each_raw_is_received_once(facts: Facts) -> Iterator[str]:
    booked = {row["raw"] for row in facts.rows("SELECT raw FROM received")}
    yield from (f"{raw.id} is not booked" for raw in facts.raws if raw.id not in booked)
    yield from (f"{raw} is booked and not in the log" for raw in booked - {raw.id for raw in facts.raws})


@law
def each_raw_is_archived(facts: Facts) -> Iterator[str]:
    yield from (raw.id for raw in facts.raws if raw.id not in facts.archived)


@law
def each_process_follows_the_newest_edition(facts: Facts) -> Iterator[str]:
    for process, edition in facts.editions.items():
        if edition != facts.edition:
            yield f"{process} has {edition!r}, the newest is {facts.edition!r}"
