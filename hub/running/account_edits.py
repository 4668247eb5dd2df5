"""Which accounts were edited while no process that worked for them saw it: the hub was stopped, mended and started."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime

from sink.editions import Edition, edition_at, latest_edition
from sink.record import Record


def edited_since(record: Record, since: Mapping[str, datetime]) -> set[str]:
    """The accounts whose table is not what it was at that time. Raises Retry."""
    newest = latest_edition(record, "accounts")
    earlier = {name: at for name, at in since.items() if newest is not None and at < newest.published_at}
    if newest is None or not earlier:
        return set()
    tables = _tables(newest)
    then = {at: edition_at(record, "accounts", at) for at in set(earlier.values())}
    return {name for name, at in earlier.items() if (old := then[at]) and _tables(old).get(name) != tables.get(name)}


def _tables(edition: Edition) -> dict[str, object]:
    return tomllib.loads(edition.body)
