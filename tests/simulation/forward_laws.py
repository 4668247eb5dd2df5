"""The laws about what is brought into another system, and about what an office answers there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator

from sink.forward_claims import NEEDS_PERSON
from sink.forward_queue import FOLLOWUP, FORWARD, reference_of
from tests.simulation.facts import Facts
from tests.simulation.registry_channel import ADD, CREATE, HAND_ON

_NUMBERED = "SELECT j.*, c.number FROM jobs j LEFT JOIN complaints c ON c.id = j.complaint WHERE j.kind = ?"


def no_step_is_done_twice(facts: Facts) -> Iterator[str]:
    """Not even where nothing tells what became of the first try."""
    done = Counter((call.step, call.reference) for call in facts.calls if call.done)
    yield from (f"{step} of {reference}: {times} times" for (step, reference), times in done.items() if times > 1)


def each_complaint_stands_there_once_or_says_why_not(facts: Facts) -> Iterator[str]:
    if facts.registry is None:
        return
    jobs = {row["complaint"]: row for row in facts.rows(_NUMBERED, FORWARD)}
    there = dict(facts.registry.created)
    handed_on = Counter(facts.registry.handed_on)
    for row in facts.rows("SELECT id, number FROM complaints"):
        job, native = jobs.pop(row["id"], None), there.pop(row["number"], None)
        if job is None:
            yield f"{row['number']} was never queued"
        elif job["state"] == "done" and (native is None or not handed_on[native]):
            yield f"{row['number']} is said to be done, and stands there as {native}"
    yield from (f"{id} is forwarded, and is no complaint" for id in jobs)
    yield from (f"{number} stands there as {native}, and is no complaint" for number, native in there.items())


def each_addition_is_brought_there_or_says_why_not(facts: Facts) -> Iterator[str]:
    if facts.registry is None:
        return
    for job in facts.rows(_NUMBERED, FOLLOWUP):
        reference = reference_of(job["number"], job["id"])
        times = sum(references.count(reference) for references in facts.registry.added.values())
        if job["state"] == "done" and times != 1:
            yield f"{job['id']} is said to be done, and stands there {times} times"


def only_what_was_refused_has_failed(facts: Facts) -> Iterator[str]:
    for job in _forwards(facts):
        if job["state"] == "failed" and "refused" not in _ends(facts, job):
            yield f"{job['id']} has failed ({job['code']}), and nobody refused it"


def only_what_cannot_be_asked_waits_for_a_person(facts: Facts) -> Iterator[str]:
    for job in _forwards(facts):
        if job["state"] != "unknown":
            continue
        if facts.registry is None or facts.registry.askable or job["code"] != NEEDS_PERSON:
            yield f"{job['id']} is in doubt: {job['code']} {job['reason']}"


def our_id_of_a_complaint_is_the_one_there(facts: Facts) -> Iterator[str]:
    if facts.registry is None:
        return
    numbers = {native: number for number, native in facts.registry.created}
    sql = "SELECT c.number, f.native FROM forwarded f LEFT JOIN complaints c ON c.id = f.complaint"
    for row in facts.rows(sql):
        if numbers.get(row["native"]) != row["number"]:
            yield f"{row['number']} stands as {row['native']}, which is {numbers.get(row['native'])} there"


def each_addition_is_queued_once(facts: Facts) -> Iterator[str]:
    """What an office said elsewhere, and what a citizen added in words."""
    if facts.registry is None:
        return
    queued = {(job["complaint"], *_item(job["id"])) for job in facts.rows(_NUMBERED, FOLLOWUP)}
    said = (
        "SELECT complaint, raw, item_index, account FROM actions WHERE applied AND reason IS NULL UNION ALL "
        "SELECT m.complaint, m.raw, m.item_index, m.account FROM messages m "
        "JOIN outcomes o ON o.raw = m.raw AND o.item_index = m.item_index "
        "LEFT JOIN matches s ON s.raw = m.raw AND s.item_index = m.item_index AND s.kind = 'same_report' "
        "WHERE o.outcome = 'added' AND NOT m.stranger AND s.kind IS NULL AND m.kind IN ('text', 'image') "
        "AND m.text <> ''"
    )
    for row in facts.rows(said):
        expected = row["account"] != facts.registry.account
        if ((row["complaint"], row["raw"], row["item_index"]) in queued) != expected:
            yield f"{row['raw']}.{row['item_index']} of {row['account']}: it must {'' if expected else 'not '}go there"


def additions_stand_there_in_their_order(facts: Facts) -> Iterator[str]:
    """But where a person decided, or the registry refused one."""
    if facts.registry is None:
        return
    at = {reference_of(j["number"], j["id"]): j["created_at"] for j in facts.rows(_NUMBERED, FOLLOWUP)}
    ends = {call.reference for call in facts.calls if call.end == "refused"}
    for native, references in facts.registry.added.items():
        times = [at[r] for r in references if r in at and r not in ends | facts.registry.decided]
        if times != sorted(times):
            yield f"{native}: {references}"


def what_an_office_answers_there_reaches_the_citizen_once(facts: Facts) -> Iterator[str]:
    if facts.registry is None:
        return
    sql = "SELECT complaint, text FROM actions WHERE account = ? AND applied"
    applied = Counter((row["complaint"], row["text"]) for row in facts.rows(sql, facts.registry.account))
    sql = "SELECT complaint, params FROM outbox WHERE template = 'officer_answer'"
    owed = Counter((row["complaint"], json.loads(row["params"])["text"]) for row in facts.rows(sql))
    yield from (f"{complaint} is owed one answer {times} times" for (complaint, _), times in owed.items() if times > 1)
    sql = "SELECT f.complaint, f.native, c.account FROM forwarded f JOIN complaints c ON c.id = f.complaint"
    for row in facts.rows(sql):
        speaks = row["account"] not in facts.silenced
        for answer in facts.registry.news[row["native"]]:
            which = row["complaint"], answer["text"]
            if applied[which] != 1 or (speaks and not owed[which]):
                yield f"{answer['answer']} is applied {applied[which]} times, and owed {owed[which]} times"


def the_national_record_balances(facts: Facts) -> Iterator[str]:
    yield from (f"{balance}" for balance in facts.national if not balance.balanced)


def _item(job: str) -> tuple[str, int]:
    raw, _, index = job.rpartition("/")[2].partition(".")
    return raw, int(index)


def _forwards(facts: Facts) -> Iterator[dict[str, object]]:
    yield from facts.rows(_NUMBERED, FORWARD)
    yield from facts.rows(_NUMBERED, FOLLOWUP)


def _ends(facts: Facts, job: dict[str, object]) -> set[str]:
    number, id = str(job["number"]), str(job["id"])
    reference = number if job["kind"] == FORWARD else reference_of(number, id)
    steps = {CREATE, HAND_ON} if job["kind"] == FORWARD else {ADD}
    return {call.end for call in facts.calls if call.reference == reference and call.step in steps}


FORWARD_LAWS: tuple[Callable[[Facts], Iterator[str]], ...] = (
    no_step_is_done_twice,
    each_complaint_stands_there_once_or_says_why_not,
    each_addition_is_brought_there_or_says_why_not,
    only_what_was_refused_has_failed,
    only_what_cannot_be_asked_waits_for_a_person,
    our_id_of_a_complaint_is_the_one_there,
    each_addition_is_queued_once,
    additions_stand_there_in_their_order,
    what_an_office_answers_there_reaches_the_citizen_once,
    the_national_record_balances,
)
