"""`up` and `run`: the hub itself, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import click
import uvloop

from hub.commands import settings
from hub.settings import Settings, WrongCall, nearest


@click.command()
@click.option("--workers", type=click.IntRange(0, 64), default=0, help="More processes for the stages. [0]")
def up(workers: int) -> None:
    """Everything on this machine: the doors, every stage, the pages. Says which page to open.

    \b
    Example:
      satupintu up --listen 0.0.0.0:8080 --workers 1
    """
    from hub.serve import STAGES, serve

    uvloop.run(serve(_shared(settings()) if workers else settings(), STAGES, workers))


@click.command()
@click.argument("stages", nargs=-1, required=True, metavar="STAGE...")
def run(stages: tuple[str, ...]) -> None:
    """One stage alone, or some: door, reader, matcher, router, sink (with relay and ledger), speakers.

    \b
    Example:
      satupintu run door
    """
    from hub.serve import STAGES, serve

    for stage in stages:
        if stage == "forwarder":
            raise WrongCall(f"the forwarder comes with the national record: run one of {', '.join(STAGES)}")
        if stage not in STAGES:
            raise WrongCall(f"{stage} is no stage{nearest(stage, STAGES)}: run one of {', '.join(STAGES)}")
    uvloop.run(serve(_shared(settings()), stages))


def _shared(told: Settings) -> Settings:
    """The settings, where several processes can meet on the bus. Raises WrongCall."""
    if told.bus.startswith("memory:"):
        raise WrongCall("a memory:// bus lives in one process: use satupintu up without --workers, or another --bus")
    return told
