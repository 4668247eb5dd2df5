"""`up` and `run`: the hub itself, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import logging
from collections.abc import Collection

import click
import uvloop

from hub.commands import OutOfBalance, load_call_settings
from hub.settings import Settings, UsageError, did_you_mean
from hub.stages import STAGES

LOGGED = ("hub.running.serve", "hub.running.workers", "hub.editions")
"""Loggers whose lines of level INFO are shown: which stages are at work, which edition holds."""
CAUSED_BY_REQUESTS = ("uvicorn.error", "python_multipart.multipart")
"""Loggers of libraries that warn of malformed requests."""


@click.command()
@click.option(
    "--workers",
    type=click.IntRange(0, 64),
    default=0,
    help="Processes for the stages, beside that of the door; 0: all in one. [0]",
)
def up(workers: int) -> None:
    """Everything on this machine: the doors, every stage, the pages. Says which page to open.

    \b
    Example:
      satupintu up --listen 0.0.0.0:8080 --workers 1
    """
    own = _shared(load_call_settings()) if workers else load_call_settings()
    _until_stopped(own, ("door",) if workers else STAGES, workers)


@click.command()
@click.argument("stages", nargs=-1, required=True, metavar="STAGE...")
def run(stages: tuple[str, ...]) -> None:
    """One stage alone, or some: door, reader, matcher, router, sink (with the ledger and the archive), accounts (polls,
    sessions, sending, fetching), forwarder (into LAPOR! and other systems). Any number of each may run. With --listen a
    stage without a door answers there too:
    /healthz, /readyz, /metrics.

    \b
    Example:
      satupintu run door
      satupintu run reader matcher --listen 127.0.0.1:8081
    """
    for stage in stages:
        if stage not in STAGES:
            raise UsageError(f"{stage} is no stage{did_you_mean(stage, STAGES)}: run one of {', '.join(STAGES)}")
    _until_stopped(_shared(load_call_settings()), stages)


def _until_stopped(own: Settings, stages: Collection[str], workers: int = 0) -> None:
    """Until SIGTERM or SIGINT; it ends within ten seconds of it."""
    from bus import StageStopped
    from hub.repeated_lines import RepeatedLineFilter
    from hub.running.serve import serve
    from hub.running.shutdown import stop_on_signal

    logging.basicConfig(format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    for name in LOGGED:
        logging.getLogger(name).setLevel(logging.INFO)
    for name in CAUSED_BY_REQUESTS:
        logging.getLogger(name).addFilter(RepeatedLineFilter())

    async def serving() -> None:
        await serve(own, stages, workers, stop_on_signal())

    try:
        uvloop.run(serving())
    except StageStopped as why:
        raise OutOfBalance(f"{why}: look at satupintu dead list, mend the cause, start again") from None


def _shared(own: Settings) -> Settings:
    """The settings, where several processes can meet on the bus. Raises UsageError."""
    if not own.shared:
        raise UsageError("a memory:// bus lives in one process: use satupintu up without --workers, or another --bus")
    return own
