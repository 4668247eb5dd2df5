"""What the rest of a batch must know of a decision: one batch sees itself, as if each item were a batch of its own."""

from __future__ import annotations

from typing import Any

from normalizer._port import Decision, Known, Referred, Thread
from normalizer.content import ComparedItem
from schemas import Message


def add_decision(compared: ComparedItem, decision: Decision, known: Known, *, closed: bool) -> None:
    """Adds the decision to `known`. `closed`: the complaint that it joins is closed."""
    item = compared.item
    known.decided[item.raw, item.item_index] = decision
    known.seen.setdefault(item.id, decision)
    if isinstance(item, Message):
        _learn_message(item, compared, decision, known, closed=closed)


def _learn_message(message: Message, compared: ComparedItem, decision: Decision, known: Known, *, closed: bool) -> None:
    if message.fingerprint:
        known.fingerprints[message.fingerprint] = decision
    if decision.complaint is None or decision.stranger or decision.outcome == "redelivered":
        return
    place = decision.place or message.place
    about: dict[str, Any] = {
        "complaint": decision.complaint, "number": decision.number or "", "last_at": message.received_at,
        "closed": closed, "region": place.code if place else None,
    }  # fmt: skip
    own = frozenset((*message.sender.identities, *compared.conversations))
    thread, referred = Thread(**about), Referred(**about, reporter=own)
    known.by_message[message.id] = referred
    if decision.switches_thread:
        known.threads.update(dict.fromkeys(compared.conversations, thread))
    if decision.opens_complaint:
        known.by_number[thread.number] = referred
        known.by_external_id.update(dict.fromkeys(message.external_ids.items(), referred))
        known.same_words.update(dict.fromkeys(compared.opened_keys, thread))
