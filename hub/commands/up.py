"""`up` and `run`: the hub itself, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import logging
from collections.abc import Collection

import click
import uvloop

from hub.commands import OutOfBalance, settings
from hub.settings import Settings, WrongCall, nearest


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
    from hub.running.serve import STAGES

    told = _shared(settings()) if workers else settings()
    _until_told(told, ("door",) if workers else STAGES, workers)


@click.command()
@click.argument("stages", nargs=-1, required=True, metavar="STAGE...")
def run(stages: tuple[str, ...]) -> None:
    """One stage alone, or some: door, reader, matcher, router, sink (with relay and ledger), speakers. Any number of
    each may run. With --listen a stage without a door answers there too: /healthz, /readyz, /metrics.

    \b
    Example:
      satupintu run door
      satupintu run reader matcher --listen 127.0.0.1:8081
    """
    from hub.running.serve import STAGES

    for stage in stages:
        if stage == "forwarder":
            raise WrongCall(f"the forwarder comes with the national record: run one of {', '.join(STAGES)}")
        if stage not in STAGES:
            raise WrongCall(f"{stage} is no stage{nearest(stage, STAGES)}: run one of {', '.join(STAGES)}")
    _until_told(_shared(settings()), stages)


def _until_told(told: Settings, stages: Collection[str], workers: int = 0) -> None:
    """Until SIGTERM or SIGINT, and gone within ten seconds of it."""
    from bus import Stopped
    from hub.running.shutdown import asked_to_leave
    from hub.running.serve import serve

    logging.basicConfig(format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    for what in ("hub.running.serve", "hub.running.workers"):  # who is at work
        logging.getLogger(what).setLevel(logging.INFO)

    async def serving() -> None:
        await serve(told, stages, workers, asked_to_leave())

    try:
        uvloop.run(serving())
    except Stopped as why:
        raise OutOfBalance(f"{why}: look at satupintu dead list, mend the cause, start again") from None


def _shared(told: Settings) -> Settings:
    """The settings, where several processes can meet on the bus. Raises WrongCall."""
    if told.bus.startswith("memory:"):
        raise WrongCall("a memory:// bus lives in one process: use satupintu up without --workers, or another --bus")
    return told
