"""What the normalizer's tests stand on: a memory in lists, a channel that gives prepared items, messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import asdict, replace
from stdnum import luhn

from normalizer import Decision, Entry, Known, Query, Referred, Thread, match
from schemas import (
    CLOSED_STATUSES,
    Action,
    Body,
    Matched,
    Message,
    Party,
    Place,
    Raw,
    Receipt,
    Reject,
    Retry,
    complaint_id,
    message_id,
)
from schemas.memory import NEWEST, Candidate, Profile

NOON = datetime(2025, 8, 4, 5, 0, tzinfo=UTC)
WEEK = timedelta(days=7)
SARI, BUDI = "+6281200000001", "+6281200000002"
ROAD = "Jalan di depan pasar induk rusak parah"
LAMP = "Lampu jalan di gang mawar mati"


def after(minutes: float = 0, **more: float) -> datetime:
    return NOON + timedelta(minutes=minutes, **more)


def message(
    native: str, text: str = "", *, by: str = SARI, account: str = "sms", minutes: float = 0, **known: Any
) -> Message:
    known.setdefault("sender", Party(phone=by))
    known.setdefault("conversation", by)
    known.setdefault("channel", "whatsapp" if account.startswith("wa") else account)
    known.setdefault("proven", account.startswith("wa"))
    return Message(
        **{
            "id": message_id(known["channel"], account, native),
            "raw": f"raw-{native}",
            "account": account,
            "owner": "32.73",
            "place": Place(code="32.73", source="owner"),
            "received_at": after(minutes),
            "text": text,
        }
        | known
    )


def action(native: str, *, minutes: float = 0, **known: Any) -> Action:
    return Action(
        **{
            "id": message_id("portal", "portal-1", native),
            "raw": f"raw-a{native}",
            "account": "portal-1",
            "channel": "portal",
            "owner": "32.73",
            "received_at": after(minutes),
            "what": "answer",
        }
        | known
    )


def raw(body: bytes = b"", raw_id: str = "raw-1", **known: Any) -> Raw:
    given = {"account": "sms", "channel": "sms", "owner": "32.73", "received_at": NOON} | known
    return Raw(id=raw_id, body=Body(body), **given)


class Prepared:
    """A channel that gives the items it was built with. An exception among them is raised by `parts` in its turn."""

    keywords: Mapping[str, str] = {"TANGKAB": "36.03"}

    def __init__(self, *items: Message | Action | Receipt | Reject | Exception, **facts: bool) -> None:
        self.items = items
        self.conversational = facts.get("conversational", True)
        self.unwraps_base64 = facts.get("unwraps_base64", True)
        self.names_us_first = facts.get("names_us_first", False)
        self.vouches_for_sender = facts.get("vouches_for_sender", False)
        self.taken_apart = 0
        self.read = 0

    def parts(self, payload: Raw) -> Iterator[Any]:
        self.taken_apart += 1
        for item in self.items:
            if isinstance(item, Exception) and not isinstance(item, Reject):
                raise item
            yield item

    def read_safely(self, part: Any, raw: Raw) -> Any:
        self.read += 1
        return part


class MemoryDouble:
    """All entries in order, and what follows from them. `busy`: how often `remember` is to fail first."""

    def __init__(self, *, busy: int = 0) -> None:
        self.entries: list[Entry] = []
        self.status: dict[str, str] = {}
        self.recalls = 0
        self.busy = busy

    def recall(self, queries: Sequence[Query]) -> Known:
        self.recalls += 1
        known = Known(
            decided={}, seen={}, fingerprints={}, threads={}, same_words={}, by_number={}, by_external_id={},
            by_message={}, new_numbers={},
        )  # fmt: skip
        for entry in self.entries:
            self._add(known, entry)
        last_at = {e.decision.complaint: e.item.received_at for e in self.entries if e.decision.switches_thread}
        known.threads = {k: replace(t, last_at=last_at[t.complaint]) for k, t in known.threads.items()}
        items = [q.item for q in queries if isinstance(q.item, Message) and q.item.id not in known.seen]
        known.new_numbers = {complaint_id(m.id): number_of(complaint_id(m.id)) for m in items}
        return _asked(known, queries)

    def remember(self, entries: Sequence[Entry]) -> None:
        if self.busy:
            self.busy -= 1
            raise Retry("another process was first")
        first = [e.decision.message for e in (*self.entries, *entries) if e.decision.outcome != "redelivered"]
        numbers = [e.decision.number for e in (*self.entries, *entries) if e.decision.opens_complaint]
        if len(first) != len(set(first)) or len(numbers) != len(set(numbers)):
            raise Retry("another process was first", after=0)
        self.entries += entries

    def _add(self, known: Known, entry: Entry) -> None:
        item, decision = entry.item, entry.decision
        known.decided[decision.raw, decision.item_index] = decision
        known.seen.setdefault(decision.message, decision)
        if isinstance(item, Action):
            return
        if item.deletes:
            known.deletions.setdefault(item.deletes, decision)
        if item.fingerprint:
            known.fingerprints[item.fingerprint] = decision
        if not decision.complaint or decision.stranger or decision.outcome == "redelivered":
            return
        closed = self.status.get(decision.complaint) in CLOSED_STATUSES
        place = decision.place or item.place
        thread = Thread(
            complaint=decision.complaint,
            number=decision.number or "",
            last_at=item.received_at,
            closed=closed,
            region=place.code if place else None,
            profile=self._profile(entry),
            wordless=not any(self._says(e) for e in self.entries if e.decision.complaint == decision.complaint),
        )
        self._link(known, entry, item, thread)

    @staticmethod
    def _says(entry: Entry) -> bool:
        decision, item = entry.decision, entry.item
        taken = decision.outcome in {"recorded", "added"} and not decision.stranger
        return taken and isinstance(item, Message) and item.has_words

    def _profile(self, entry: Entry) -> Profile | None:
        """Of the message that opened the complaint."""
        openers = [e for e in self.entries if e.decision.opens_complaint]
        profile = next(e.profile for e in openers if e.decision.complaint == entry.decision.complaint)
        return profile and replace(profile, keys=(), text_keys=())

    def _link(self, known: Known, entry: Entry, item: Message, thread: Thread) -> None:
        conversations = (item.key, *(f"{item.account}/{a}" for a in item.aliases))
        openers = [e.item for e in self.entries if e.decision.opens_complaint and e.decision.number == thread.number]
        (opener,) = (one for one in openers if isinstance(one, Message))
        whose = (opener.key, *(f"{opener.account}/{a}" for a in opener.aliases), *opener.sender.identities)
        referred = Referred(**asdict(thread), reporter=frozenset(whose))
        known.by_message[entry.decision.message] = referred
        if entry.decision.switches_thread:
            known.threads.update(dict.fromkeys(conversations, thread))
        if entry.decision.opens_complaint:
            known.by_number[thread.number] = referred
        for system_and_id in item.external_ids.items():
            known.by_external_id.setdefault(system_and_id, referred)
        known.same_words.update(dict.fromkeys(entry.report_keys, thread))
        if entry.profile is not None:
            self._index(known, entry, item, thread)

    def _index(self, known: Known, entry: Entry, item: Message, thread: Thread) -> None:
        profile = entry.profile
        assert profile is not None
        proven = item.sender.identities if item.proven else ()
        reporter = (item.key, *(f"{item.account}/{a}" for a in item.aliases), *proven)
        linked = [m.of for m in entry.decision.matches if m.kind == "same_incident"]
        candidate = Candidate(
            **asdict(thread)
            | {"profile": replace(profile, keys=(), text_keys=()), "last_at": datetime.fromtimestamp(profile.at, UTC)}
            | {"region": profile.place},
            reporter=frozenset(reporter),
            incident=linked[0] if linked else thread.complaint,
            sender=item.told_apart_by,
        )
        for key in profile.stored_under:
            found = known.alike.setdefault(key, [])
            found[:] = sorted([*found, candidate.reference])[-NEWEST:]
        known.reports[candidate.reference] = candidate


def _asked(known: Known, queries: Sequence[Query]) -> Known:
    """What was asked for, and no more."""
    items = [q.item for q in queries]
    messages = [i for i in items if isinstance(i, Message)]
    raws = {i.raw for i in items}
    actions = [i for i in items if isinstance(i, Action)]
    wanted: dict[str, set[Any]] = {
        "decided": {key for key in known.decided if key[0] in raws},
        "seen": {i.id for i in items},
        "fingerprints": {m.fingerprint for m in messages},
        "threads": {key for m in messages for key in (m.key, *(f"{m.account}/{a}" for a in m.aliases))},
        "same_words": {key for q in queries for key in q.report_keys},
        "by_number": {i.number for i in items},
        "by_external_id": {of for a in actions for of in a.of.items()}
        | {of for m in messages for of in m.external_ids.items()},
        "by_message": {message_id(m.channel, m.account, m.refers_to) for m in messages if m.refers_to},
        "deletions": {m.id for m in messages},
        "new_numbers": set(known.new_numbers),
        "alike": {pair for q in queries if q.profile for pair in q.profile.asked_under},
        "reports": set(known.reports),
    }
    return Known(
        **{name: {k: v for k, v in getattr(known, name).items() if k in keys} for name, keys in wanted.items()}
    )


def number_of(complaint: str) -> str:
    digits = str(10**8 + int(complaint[:7], 16))[:9]
    return digits + luhn.calc_check_digit(digits)


def match_each(memory: MemoryDouble, *items: Message | Action) -> list[Matched]:
    """Each in a batch of its own."""
    return [matched for item in items for matched in match([item], memory)]


def opened(memory: MemoryDouble, native: str = "0", text: str = ROAD, **known: Any) -> Matched:
    (matched,) = match([message(native, text, **known)], memory)
    assert matched.outcome == "recorded"
    return matched


def decisions(memory: MemoryDouble) -> Iterable[Decision]:
    return [entry.decision for entry in memory.entries]
