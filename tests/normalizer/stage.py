"""What the tests of the reading room stand on: a memory in a dict, a channel that says what it is told, messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from msgspec.structs import asdict, replace
from stdnum import luhn

from normalizer import Decision, Known, Numbered, Thread, match
from schemas import CLOSED, Complaint, Message, Party, Place, Raw, Receipt, Reject, Retry, complaint_id, message_id
from schemas.memory import Referred

NOON = datetime(2025, 8, 4, 5, 0, tzinfo=UTC)
WEEK = timedelta(days=7)
SARI, BUDI = "+6281200000001", "+6281200000002"
ROAD = "Jalan di depan pasar induk rusak parah"
LAMP = "Lampu jalan di gang mawar mati"


def after(minutes: float = 0, **more: float) -> datetime:
    return NOON + timedelta(minutes=minutes, **more)


def message(
    native: str, text: str = "", *, by: str = SARI, account: str = "sms", minutes: float = 0, **known
) -> Message:
    known.setdefault("sender", Party(phone=by))
    known.setdefault("conversation", by)
    known.setdefault("channel", "whatsapp" if account.startswith("wa") else account)
    return Message(
        **{
            "id": message_id(known["channel"], account, native),
            "native_id": native,
            "raw": f"raw-{native}",
            "account": account,
            "owner": "32.73",
            "place": Place(code="32.73", source="owner"),
            "received_at": after(minutes),
            "text": text,
            "read": text,
        }
        | known
    )


def raw(body: bytes = b"", raw_id: str = "raw-1", **known) -> Raw:
    told = {"account": "sms", "channel": "sms", "owner": "32.73", "received_at": NOON} | known
    return Raw(id=raw_id, body=body, **told)


class Says:
    """A channel whose `parse` gives what it was built with; an exception among it is raised when its turn comes."""

    def __init__(self, *items: Message | Receipt | Reject | Exception) -> None:
        self.items = items
        self.keywords = {"TANGKAB": "36.03"}

    def parse(self, raw: Raw) -> Iterable[Message | Receipt | Reject]:
        for item in self.items:
            if isinstance(item, Exception) and not isinstance(item, Reject):
                raise item
            yield item


class MemoryDouble:
    """All decisions in order, and what can be told from them. `busy`: how often `remember` is to fail first."""

    def __init__(self, *, busy: int = 0) -> None:
        self.kept: list[tuple[Message, str | None, Decision]] = []
        self.status: dict[str, str] = {}
        self.busy = busy

    def recall(self, messages: Sequence[Message], digests: Sequence[str | None]) -> Known:
        known = Known(
            decided={}, seen={}, fingerprints={}, threads={}, said={}, numbered={}, referred={},
            fresh={complaint_id(m.id): number_of(complaint_id(m.id)) for m in messages},
        )  # fmt: skip
        for message, digest, decision in self.kept:
            self._tell(known, message, digest, decision)
        last_at = {d.complaint: m.received_at for m, _, d in self.kept if d.moves}
        known.threads = {k: replace(t, last_at=last_at[t.complaint]) for k, t in known.threads.items()}
        return known

    def remember(
        self, messages: Sequence[Message], digests: Sequence[str | None], decisions: Sequence[Decision]
    ) -> None:
        if self.busy:
            self.busy -= 1
            raise Retry("another process was first")
        self.kept += zip(messages, digests, decisions, strict=True)

    def _tell(self, known: Known, message: Message, digest: str | None, decision: Decision) -> None:
        known.decided[decision.raw, decision.index] = decision
        known.seen.setdefault(decision.message, decision)
        if message.fingerprint:
            known.fingerprints[message.fingerprint] = decision
        if not decision.complaint or decision.stranger or decision.outcome not in {"recorded", "added"}:
            return
        closed = self.status.get(decision.complaint) in CLOSED
        thread = Thread(
            complaint=decision.complaint, number=decision.number or "", last_at=message.received_at, closed=closed
        )
        keys = (message.key, *(f"{message.account}/{a}" for a in message.aliases))
        own = frozenset((*message.sender.identities, *keys))
        known.referred[message.id] = Referred(**asdict(thread), reporter=own)
        if decision.moves:
            known.threads.update(dict.fromkeys(keys, thread))
        if decision.opens:
            reporter = frozenset((*message.sender.identities, *keys))
            known.numbered[thread.number] = Numbered(
                complaint=thread.complaint, number=thread.number, closed=closed, reporter=reporter
            )
        if digest:
            known.said.update(dict.fromkeys(((i, digest) for i in message.sender.identities), thread))


def number_of(complaint: str) -> str:
    digits = str(10**8 + int(complaint[:7], 16))[:9]
    return digits + luhn.calc_check_digit(digits)


def told(memory: MemoryDouble, *messages: Message) -> list[Complaint]:
    """Each in a batch of its own."""
    return [complaint for m in messages for complaint in match([m], memory)]


def opened(memory: MemoryDouble, native: str = "0", text: str = ROAD, **known) -> Complaint:
    (complaint,) = match([message(native, text, **known)], memory)
    assert complaint.outcome == "recorded"
    return complaint
