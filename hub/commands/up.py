"""`up` and `run`: the hub itself, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio

import click

from hub.commands import say, settings
from hub.settings import WrongCall, nearest

FORWARDER = "forwarder comes with the national record's release: run one of"


@click.command()
@click.option("--workers", type=click.IntRange(0, 64), default=0, help="More processes for the stages. [0]")
def up(workers: int) -> None:
    """Everything on this machine: the doors, every stage, the pages. Says which page to open.

    \b
    Example:
      satupintu up --listen 0.0.0.0:8080 --workers 1
    """
    from hub.serve import STAGES, serve

    told = settings()
    say(f"Satu Pintu: open {told.url}/ (Ctrl-C ends)")
    asyncio.run(serve(told, STAGES, workers))


@click.command()
@click.argument("stage")
def run(stage: str) -> None:
    """One stage alone: door, reader, matcher, router, sink (with relay and ledger) or speakers.

    \b
    Example:
      satupintu run door
    """
    from hub.serve import STAGES, serve

    if stage == "forwarder":
        raise WrongCall(f"{FORWARDER} {', '.join(STAGES)}")
    if stage not in STAGES:
        raise WrongCall(f"{stage} is no stage{nearest(stage, STAGES)}: run one of {', '.join(STAGES)}")
    asyncio.run(serve(settings(), (stage,)))
