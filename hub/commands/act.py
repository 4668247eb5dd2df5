"""`act`: what an officer does to a report. It walks the pipeline as everything does, beside a running `up` or alone."""

from __future__ import annotations

import asyncio
import getpass
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import click
from uuid_utils import uuid7

from connectors.console import Act
from hub.accounts import OFFICERS, Accounts
from hub.clock import utc_now
from hub.commands import OutOfBalance, print_json, with_hub
from hub.commands._waiting import retry_for_long, wait_or_stage_error
from hub.officers import REASONS, IncompleteActError, Request, act_raw, officer_act
from hub.running.due import DueWork
from hub.running.serve import run_stages
from hub.running.status import ProcessStatus
from hub.settings import UsageError
from sink import outcomes_of
from sink.action_targets import action_target

if TYPE_CHECKING:
    from connectors import Channel
    from hub.opening import OpenHub
    from hub.settings import Settings
    from sink import ItemOutcome

STAGES = ("reader", "matcher", "router", "sink")
PAUSE = 0.05
"""Seconds between two looks."""


@click.command()
@click.argument("number")
@click.argument("act", metavar="ACT", type=click.Choice(get_args(Act)))
@click.option("--text", default="", help="The words: of the answer, the question, the reason.")
@click.option("--to", metavar="OFFICE|NUMBER", help="pass: the office. join, link, unlink: the other report.")
@click.option("--office", metavar="OFFICE", help="The office that acts. [the one that has the report]")
@click.option(
    "--by",
    metavar="NAME",
    help="The officer, also where an office acts; citizens never see it. [the user of this machine]",
)
def act(number: str, act: Act, *, text: str, to: str | None, office: str | None, by: str | None) -> None:
    """What an officer does to a report: verify, take, ask, answer, pass, finish, archive, reject, reopen, note, join,
    link, unlink. Answers and questions reach the citizen by the channel of the report.

    \b
    Example:
      satupintu act 1708000011 answer --text "Lampu sudah kami perbaiki."
      satupintu act 1708000011 pass --to dinas-perhubungan --text "Bukan wewenang kami."
    """
    done = with_hub(partial(do_act, number, Request(act, text, to, office, by or getpass.getuser())))
    print_json(done)
    if done["outcome"] != "added":
        raise OutOfBalance(f"nothing was changed: {REASONS.get(done['reason'], done['reason'])}")


async def do_act(number: str, request: Request, settings: Settings, opened: OpenHub) -> dict[str, Any]:
    """Publish the act, and wait for its outcome."""
    storage, transport, current, outside = opened
    look = partial(outside.pools.io, action_target, storage.record, number)
    target = await look()
    if target is None:
        raise UsageError(f"no report has the number {number}: look for it with satupintu find")
    at, id = utc_now(), str(uuid7())
    try:
        stored = officer_act(request, target, current.offices.value, id, at)
    except IncompleteActError as error:
        raise UsageError(str(error)) from None
    raw = act_raw(stored, _account(current.accounts), target.owner, id=id, at=at)
    async with run_stages(settings, opened, ProcessStatus(), STAGES) as stages:
        await retry_for_long(lambda: transport.bus.publish([raw]))
        own = asyncio.create_task(_wait(opened, raw.id))
        await wait_or_stage_error(own, stages)  # type: ignore[arg-type]
    await DueWork(storage.record, outside.pools.io, current, utc_now).step()
    after, found = await look() or target, own.result()
    return {
        "number": number, "act": request.act, "outcome": found.outcome,
        "reason": None if found.outcome == "added" else found.reason,
        "status": after.status, "office": {"id": after.office, "name": after.office_name} if after.office else None,
    }  # fmt: skip


def _account(accounts: Accounts) -> Channel:
    found = accounts.readable(OFFICERS.account)
    if found is None or found.kind != OFFICERS.kind:
        raise UsageError(f"the account {OFFICERS.account} has another kind: give it another name in the channels file")
    return found


async def _wait(opened: OpenHub, raw: str) -> ItemOutcome:
    look = partial(outcomes_of, opened.storage.record, [raw])
    while not (found := await opened.outside.pools.io(look)):  # noqa: ASYNC110 - another process may record it
        await asyncio.sleep(PAUSE)
    return found[0]
