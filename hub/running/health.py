"""Is this process ready? An ingress is while it can durably accept; a process without one while its stages run and bus
and record answer. `{"bus": "ok", "record": "not answering", "stages": {"reader": "ok"}}`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from sqlalchemy import text

from bus import SpoolState
from hub.opening import OpenHub, Transport
from hub.running.spool_figures import spool_state
from hub.running.status import ProcessStatus
from sink.record import Record

WITHIN = 3.0
"""Seconds for bus and record to answer."""
NEARLY_FULL = 0.9
"""Share of the spool's limit: beyond it, citizens will soon be refused."""
OK = "ok"
SPOOLING = "spooling"
"""The broker is unavailable, and what comes in is stored on this machine's disk: that is ready too."""
log = logging.getLogger(__name__)
Readiness = Callable[[], Awaitable[Mapping[str, object]]]


def ingress_readiness(opened: OpenHub) -> Readiness:
    """Of a process that takes requests in. A stopped stage does not close it."""

    async def readiness() -> Mapping[str, object]:
        found = {"bus": await check_answers("bus", _accepts(opened.transport))}
        spool = await spool_state(opened.transport.intake)
        if spool is None:
            return found
        if spool.spooling and found["bus"] == OK:
            found["bus"] = SPOOLING
        return found | {"spool": _spool(spool)}

    return readiness


def stage_readiness(opened: OpenHub, status: ProcessStatus) -> Readiness:
    """Of a process that only works."""

    async def readiness() -> Mapping[str, object]:
        record = opened.outside.pools.io(_ask, opened.storage.record)
        bus, answered = await asyncio.gather(
            check_answers("bus", opened.transport.bus.lag()), check_answers("record", record)
        )
        stages = {name: stage.stopped or OK for name, stage in status.here.items()}
        return {"stages": stages, "bus": bus, "record": answered}

    return readiness


async def check_answers(what: str, call: Awaitable[object]) -> str:
    """`ok`, or `not answering`."""
    try:
        async with asyncio.timeout(WITHIN):
            await call
    except Exception as error:  # any fault: it cannot be used now
        log.warning("not ready: the %s raises %s", what, error.__class__.__name__)
        return "not answering"
    return OK


async def _accepts(transport: Transport) -> None:
    """The way of every publish, with nothing to publish. Behind a spool the bus itself may be unavailable."""
    await transport.intake.publish([])
    if transport.intake is transport.bus:
        await transport.bus.lag()


def _spool(found: SpoolState) -> str:
    return "nearly full" if found.bytes > NEARLY_FULL * found.limit else OK


def _ask(record: Record) -> None:
    with record.read() as connection:
        connection.execute(text("SELECT 1"))
