"""`route`: rows to offices; nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from hub.commands import print_json
from hub.commands._row_items import CallMemory, read_rows
from schemas import Message

if TYPE_CHECKING:
    from hub.commands._routing import Routing
    from router.decide import Decision

SHOWN = 3
"""Offices in `top`."""


@click.command()
@click.argument("file", default="-")
def route(file: str) -> None:
    """Rows to offices: a line for each row that can be read, in order, with its office and why. `p` is 1 where a rule
    chose it, and 0 where nothing judged it and the ladder has it.

    \b
    Example:
      satupintu route rows.ndjson
    """
    from hub.commands._routing import load_routing

    routing, memory = load_routing(), CallMemory()
    for batch in read_rows(file):
        for line in _routed(batch, routing, memory):
            print_json(line)


def _routed(messages: Sequence[Message], routing: Routing, memory: CallMemory) -> Iterator[dict[str, Any]]:
    from normalizer import match
    from router import decide

    # the matcher settles on one of the places that the reader found
    settled = [one.message for one in match(messages, memory) if one.message is not None]
    reports = [message for message in settled if message.refusal is None]
    decisions = iter(decide(reports, routing.rules, routing.offices, routing.model))
    for row, message in zip(messages, settled, strict=True):
        if message.refusal is not None:
            yield _without_office(row.native_id, message.refusal)
        else:
            yield _line(row.native_id, next(decisions), routing)


def _without_office(id: str, why: str) -> dict[str, Any]:
    return {"id": id, "office": None, "level": None, "p": 0.0, "why": why, "top": []}


def _line(id: str, decision: Decision, routing: Routing) -> dict[str, Any]:
    first = decision.assignments[0]
    known = routing.offices.get(first.office.id)
    ranked = chain([(first.office, decision.p)], decision.ranked)
    top = {office.id: {"id": office.id, "name": office.name, "p": p} for office, p in ranked}
    return {
        "id": id,
        "office": {"id": first.office.id, "name": first.office.name},
        "level": known.level if known is not None else "unit",
        "p": decision.p,
        "why": first.why,
        "top": list(top.values())[:SHOWN],
    }
