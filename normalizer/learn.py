"""What the rest of a batch must know of a decision: one batch sees itself, as if each item were a batch of its own."""

from __future__ import annotations

from bisect import insort
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from normalizer._port import Decision, Known, Referred, Thread
from normalizer.content import ComparedItem
from schemas import Message
from schemas.memory import NEWEST, Candidate, Profile, report_reference


def add_decision(compared: ComparedItem, decision: Decision, known: Known, joined: Thread | None) -> None:
    """Adds the decision to `known`. `joined`: the complaint that it joins, as it was known."""
    item = compared.item
    known.decided[item.raw, item.item_index] = decision
    known.seen.setdefault(item.id, decision)
    if isinstance(item, Message):
        if item.deletes:
            known.deletions.setdefault(item.deletes, decision)
        _learn_message(item, compared, decision, known, joined)


def _learn_message(
    message: Message, compared: ComparedItem, decision: Decision, known: Known, joined: Thread | None
) -> None:
    if message.fingerprint:
        known.fingerprints[message.fingerprint] = decision
    if decision.complaint is None or decision.stranger or decision.outcome == "redelivered":
        return
    place = decision.place or message.place
    opened = decision.opens_complaint and compared.profile
    says = decision.outcome in {"recorded", "added"} and message.has_words
    about: dict[str, Any] = {
        "complaint": decision.complaint, "number": decision.number or "", "last_at": message.received_at,
        "closed": joined is not None and joined.closed, "region": place.code if place else None,
        "profile": replace(opened, keys=(), text_keys=()) if opened else joined and joined.profile,
        "wordless": not says and (decision.opens_complaint or (joined is not None and joined.wordless)),
    }  # fmt: skip
    identities, conversations = message.sender.identities, compared.conversations
    thread, referred = Thread(**about), Referred(**about, reporter=frozenset((*identities, *conversations)))
    known.by_message[message.id] = referred
    if decision.outcome in {"recorded", "added"}:
        for system_and_id in message.external_ids.items():
            known.by_external_id.setdefault(system_and_id, referred)
    if decision.switches_thread:
        known.threads.update(dict.fromkeys(conversations, thread))
    if decision.opens_complaint:
        known.by_number[thread.number] = referred
        known.same_words.update(dict.fromkeys(compared.opened_keys, thread))
    if opened:
        about["reporter"] = frozenset((*conversations, *identities)) if message.proven else frozenset(conversations)
        _add_candidate(message, opened, decision, known, about)


def _add_candidate(message: Message, profile: Profile, decision: Decision, known: Known, about: dict[str, Any]) -> None:
    """The report is found by those that share keys with it, like one that the memory gives."""
    linked = (m.of for m in decision.matches if m.kind == "same_incident")
    about |= {"last_at": datetime.fromtimestamp(profile.at, UTC), "region": profile.place}
    candidate = Candidate(**about, incident=next(linked, decision.complaint or ""), sender=message.told_apart_by)
    reference = report_reference(profile.at, candidate.complaint)
    known.reports[reference] = candidate
    for key in profile.stored_under:
        if (found := known.alike.get(key)) is None:
            known.alike[key] = [reference]
            continue
        insort(found, reference)
        if len(found) > NEWEST:
            del found[0]
