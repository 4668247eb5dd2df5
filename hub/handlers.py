"""The functions of the stages, each of the two or three things that it uses: events in, events out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from bus import Run
from hub.intake import UNCLAIMED
from hub.running.pools import RunInThread
from normalizer import Memory, match
from router import OfficeModel, OfficeRegistry, Rules, route
from router.decide import decide
from router.handover import Handover, PassedOn, hand_over
from router.offices import shipped_registry
from schemas import Action, Assignment, Dead, Event, Matched, Message, Raw, Receipt, Routed
from sink.account_states import touch_accounts
from sink.archive import Archive
from sink.batch_items import PersistOptions
from sink.completing import ChooseOffices
from sink.dead import store_dead_letters
from sink.ledger import book_received
from sink.outbox_moves import ReplyPlanner
from sink.persist import persist_batch
from sink.receipts import apply_receipts
from sink.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.accounts import Accounts
    from hub.editions import LiveEdition
    from hub.opening import WakeEvents

TOUCH_EVERY = timedelta(seconds=20)
"""How often it is written down when an account took something in last."""
LONG_AGO = datetime.fromtimestamp(0, UTC)


def matching(memory: Memory, io: RunInThread) -> Run:
    """Messages and actions to Matched, by what the memory holds."""

    async def matcher(events: Sequence[Event]) -> Sequence[Event]:
        return await io(match, [e for e in events if isinstance(e, Message | Action)], memory)

    return matcher


def routing(
    rules: LiveEdition[Rules],
    offices: LiveEdition[OfficeRegistry],
    io: RunInThread,
    model: Callable[[], OfficeModel | None] = lambda: None,
) -> Run:
    """Matched to Routed, by the newest rules, offices and model."""

    async def router(events: Sequence[Event]) -> Sequence[Event]:
        matched = [e for e in events if isinstance(e, Matched)]
        return await io(route, matched, rules.value, offices.value, model())

    return router


def choosing_offices(
    rules: LiveEdition[Rules], offices: LiveEdition[OfficeRegistry], model: Callable[[], OfficeModel | None]
) -> ChooseOffices:
    """The offices of reports, by the newest rules, offices and model."""

    def choose(reports: Sequence[Message]) -> list[Sequence[Assignment]]:
        return [found.assignments for found in decide(reports, rules.value, offices.value, model())]

    return choose


def persisting(
    record: Record,
    accounts: Accounts,
    io: RunInThread,
    wake: WakeEvents,
    *,
    now: Callable[[], datetime],
    zone: tzinfo,
    offices: LiveEdition[OfficeRegistry] | None = None,
    choose_offices: ChooseOffices | None = None,
) -> Run:
    """Routed into the record, with the replies and jobs that it causes. `choose_offices` is asked about
    reports that were completed."""

    def next_office(history: Sequence[tuple[str | None, str]], action: Action, holders: Sequence[str]) -> Handover:
        registry = offices.value if offices is not None else shipped_registry()
        return hand_over([PassedOn(*past) for past in history], action, registry, holders=holders)

    async def sink(events: Sequence[Event]) -> Sequence[Event]:
        routed = [e for e in events if isinstance(e, Routed)]
        options = PersistOptions(
            speaks=accounts.speaking, destinations=accounts.snapshot.forwarding, reply_address=accounts.reply_address,
            hand_over=next_office if offices is not None else None, choose_offices=choose_offices, zone=zone,
        )  # fmt: skip
        done = await io(persist_batch, record, routed, now(), options)
        if done.replies:
            wake.replies.set()
        if done.jobs:
            wake.jobs.set()
            wake.forwards.set()
        return []

    return sink


def receiving(record: Record, io: RunInThread, planner: ReplyPlanner | None = None) -> Run:
    """Receipts to the replies that they are about."""

    async def receipts(events: Sequence[Event]) -> Sequence[Event]:
        await io(apply_receipts, record, [e for e in events if isinstance(e, Receipt)], planner)
        return []

    return receipts


def storing_dead(record: Record, io: RunInThread) -> Run:
    """Dead letters into the record."""

    async def dead(events: Sequence[Event]) -> Sequence[Event]:
        await io(store_dead_letters, record, [e for e in events if isinstance(e, Dead)])
        return []

    return dead


def booking(record: Record, io: RunInThread, *, now: Callable[[], datetime]) -> Run:
    """Raws into the ledger's side of what was received, and when each account took something in last."""
    touched: dict[str, datetime] = {}

    async def ledger(events: Sequence[Event]) -> Sequence[Event]:
        raws = [event for event in events if isinstance(event, Raw)]
        await io(book_received, record, [(raw.id, raw.account, raw.received_at) for raw in raws])
        newest = {name: raw.received_at for raw in raws for name in _names(raw)}
        due = {name: at for name, at in newest.items() if now() - touched.get(name, LONG_AGO) > TOUCH_EVERY}
        if due:
            await io(touch_accounts, record, last_in=due)
            touched.update(dict.fromkeys(due, now()))
        return []

    return ledger


def _names(raw: Raw) -> Sequence[str]:
    """The account, and an address of its kind for which there is no account."""
    unclaimed = raw.headers.get(UNCLAIMED)
    return [raw.account] if unclaimed is None else [raw.account, f"{raw.channel} {unclaimed}"]


def archiving(archive: Archive, io: RunInThread) -> Run:
    """Raws into the archive."""

    async def archived(events: Sequence[Event]) -> Sequence[Event]:
        await io(archive.append, [e for e in events if isinstance(e, Raw)])
        return []

    return archived
