"""The stages, the accounts and the loops of a process, built of what is open, by the tables in `hub/stages.py`."""

from __future__ import annotations

import os
import random
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import NamedTuple

from uuid_utils import uuid7

from bus import GuardLimits, Run, Stage, pump
from connectors import Channel, KindsWhere
from hub import handlers
from hub.answering import AddressPlanner
from hub.aside import RecordAsides
from hub.clock import Clock, TimeSource
from hub.editions import LiveEdition
from hub.lanes import Lanes
from hub.opening import OpenHub, WakeEvents
from hub.reading import divided, giving_way, read_stage
from hub.running.accounts import AccountsStage, Tools
from hub.running.backend import Backend
from hub.running.due import DueWork
from hub.running.early_actions import matching_actions
from hub.running.forwarding import ForwarderStage, ForwarderTools
from hub.running.forwarding_steps import creates_in_hand
from hub.running.loops import Heartbeat, repeat
from hub.running.pruning import prune
from hub.running.scanning import BlobCalls
from hub.running.scanning_clamd import Clamd
from hub.running.sending import Render
from hub.running.status import ProcessStatus, StageStatus
from hub.running.taking_in import RawPublisher
from hub.settings import Settings
from hub.stages import LOOPS, stage_rows
from normalizer import Reader
from router import Templates, public_form, render
from schemas import Owed
from sink.memory import RecordMemory
from sink.outbox_claims import OwedReply


class RunningWork(NamedTuple):
    """A stage or a loop, by name; it runs until it is cancelled."""

    name: str
    run: Callable[[], Awaitable[None]]
    status: StageStatus


def new_id() -> str:
    """UUID version 7."""
    return str(uuid7())


def build_work(
    settings: Settings, opened: OpenHub, status: ProcessStatus, names: Collection[str], timing: TimeSource | None = None
) -> list[RunningWork]:
    """Everything that these names of `satupintu run` stand for."""
    timing, wake = timing or TimeSource(), WakeEvents()
    backend = Backend(opened.storage.record, opened.outside.pools.io, timing)
    work = [_pumped(opened, stage, timing) for stage in build_stages(settings, opened, names, timing, wake)]
    if "accounts" in names:
        stage = accounts_stage(settings, opened, backend, wake)
        work.append(RunningWork("accounts", stage.run, StageStatus()))
    if "forwarder" in names:
        work.append(RunningWork("forwarder", forwarder_stage(settings, opened, backend, wake).run, StageStatus()))
    heartbeat = Heartbeat(backend, status, names)
    steps, last = _steps(settings, opened, heartbeat, timing), {"heartbeat": heartbeat.end}
    loops = [loop for loop in LOOPS if loop.run in ("", *names)]
    return work + [
        RunningWork(x.name, partial(repeat, x, steps[x.name], timing, last.get(x.name)), StageStatus()) for x in loops
    ]


def build_stages(
    settings: Settings, opened: OpenHub, names: Collection[str], timing: TimeSource, wake: WakeEvents
) -> list[Stage]:
    """The stages of the table, each with its function."""
    asides = RecordAsides(opened.storage.record, opened.outside.pools.io)
    lanes = Lanes(opened.transport.bus, asides, clock=timing.monotonic)
    runs = _runs(settings, opened, lanes, timing, wake)
    spared = KindsWhere(lambda channel: not channel.counts_for_guard)
    guard = GuardLimits(settings.guard_run, settings.guard_share, spared=spared)
    return [
        Stage(
            row.name, row.topic, runs[row.name], row.batch_size, guard=guard,
            min_interval=row.min_interval if settings.remote else row.embedded,
            on_partitions_assigned=lanes.scan if row.name == "reader" else None,
        )
        for row in stage_rows(names)
    ]  # fmt: skip


def accounts_stage(settings: Settings, opened: OpenHub, backend: Backend, wake: WakeEvents) -> AccountsStage:
    """The stage `accounts` of this process."""
    storage, _, current, outside = opened
    tools = Tools(
        raw_publisher(settings, opened),
        outside.http,
        renderer(current.templates, settings.public_url),
        BlobCalls(storage.blobs.get, storage.blobs.put),
        Clamd(settings.clamd) if settings.clamd else None,
        wake,
        random.random,
    )
    return AccountsStage(backend, current.accounts, holder_name(), tools, lease_io=outside.pools.lease)


def forwarder_stage(settings: Settings, opened: OpenHub, backend: Backend, wake: WakeEvents) -> ForwarderStage:
    """The stage `forwarder` of this process."""
    storage, _, current, outside = opened
    door = raw_publisher(settings, opened)

    def institution(office: str) -> int | None:
        known = current.offices.value.get(office)
        return None if known is None else known.lapor_id

    tools = ForwarderTools(door, outside.http, storage.blobs.get, wake.forwards, random.random, institution)
    return ForwarderStage(backend, current.accounts, holder_name(), tools, lease_io=outside.pools.lease)


def raw_publisher(settings: Settings, opened: OpenHub) -> RawPublisher:
    """Where polls, sessions and looks put what they bring in."""
    storage, transport, _, outside = opened

    async def store(body: bytes) -> str:
        return await outside.pools.io(storage.blobs.put, body)

    return RawPublisher(transport.bus.publish, store, Clock(settings.data / "clock"), new_id)


def holder_name() -> str:
    """Of this process, drawn anew: an epoch never spans two runs."""
    return f"{os.uname().nodename}:{os.getpid()}/{new_id()}"


def renderer(templates: LiveEdition[Templates], public_url: str) -> Render:
    """The words of a reply, by the newest templates and in the form that its channel takes."""

    def words(reply: OwedReply, channel: Channel) -> str:
        owed = Owed(template=reply.template, params=reply.params)
        url = f"{public_url}/lacak/{reply.number}" if reply.number else None
        if channel.answers_publicly(reply.to, reply.template):
            return render(public_form(owed, templates.value), templates.value, number=reply.number, short=True)
        return render(owed, templates.value, number=reply.number, tracking_url=url, short=channel.short_answers)

    return words


def _pumped(opened: OpenHub, stage: Stage, timing: TimeSource) -> RunningWork:
    aside = RecordAsides(opened.storage.record, opened.outside.pools.io)
    run = partial(
        pump, opened.transport.bus, stage, aside=aside,
        sleep=timing.sleep, clock=timing.now, monotonic=timing.monotonic,
    )  # fmt: skip
    return RunningWork(stage.name, run, StageStatus(stage.counts))


def _runs(settings: Settings, opened: OpenHub, lanes: Lanes, timing: TimeSource, wake: WakeEvents) -> Mapping[str, Run]:
    storage, transport, current, outside = opened
    record, accounts, io, beside = storage.record, current.accounts, outside.pools.stage, outside.pools.io
    reader = Reader(accounts.readable, current.models.knowledge(), current.models, annotates=False)
    read = read_stage(reader, storage.blobs, io, timing, new_id)
    memory = RecordMemory(record, timing.now)
    return {
        "reader": divided(lanes, read),
        "slow": giving_way(transport.bus, read, timing),
        "matcher": handlers.matching(memory, io),
        "actions": matching_actions(memory, io, transport.bus.lag, partial(creates_in_hand, record), timing.now),
        "router": handlers.routing(current.rules, current.offices, io, current.models.office_model),
        "sink": handlers.persisting(
            record,
            accounts,
            io,
            wake,
            now=timing.now,
            zone=settings.zone,
            offices=current.offices,
            choose_offices=handlers.choosing_offices(current.rules, current.offices, current.models.office_model),
        ),
        "receipts": handlers.receiving(record, io, AddressPlanner(accounts)),
        "dead": handlers.storing_dead(record, io),
        "ledger": handlers.booking(record, io, now=timing.now),
        "archive": handlers.archiving(storage.archive, beside),
    }


def _steps(
    settings: Settings, opened: OpenHub, heartbeat: Heartbeat, timing: TimeSource
) -> Mapping[str, Callable[[], Awaitable[object]]]:
    storage, _, current, outside = opened
    io = outside.pools.io
    due = DueWork(storage.record, outside.pools.stage, current, timing.now)
    return {
        "due": due.step,
        "editions": lambda: io(current.editions.step, storage.record),
        "heartbeat": heartbeat.beat,
        "prune": lambda: prune(settings, storage, io, timing.now()),
    }
