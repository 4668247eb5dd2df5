"""`numbers`: reports received, answered and overdue, as a table, as open data, and the offices that are silent."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from hub.commands import RegionParam, print_json, with_record
from hub.commands._table import format_table
from hub.csv_output import format_csv
from hub.settings import UsageError
from schemas.regions import is_inside, region_names

if TYPE_CHECKING:
    from router import OfficeRegistry
    from sink.statistics import SilentOffice

WORDS = ("month", "owner", "region", "office_id", "channel", "category_id")
MONTH = r"\d{4}-(0[1-9]|1[0-2])"


@click.command()
@click.option("--by", default="region", metavar="WORDS", help=f"Of {', '.join(WORDS)}, with commas. [region]")
@click.option("--region", type=RegionParam(), metavar="CODE", help="Only of that region and of those in it.")
@click.option("--since", metavar="YYYY-MM", help="From that month of receipt on.")
@click.option("--until", metavar="YYYY-MM", help="Up to that month of receipt.")
@click.option("--silent", type=click.IntRange(1), metavar="DAYS", help="Offices without an answer for so long.")
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV.")
@click.option("--all", "everything", is_flag=True, help="Small cells too. Not for publication.")
def numbers(*, by: str, silent: int | None, as_json: bool, as_csv: bool, everything: bool, **which: str | None) -> None:
    """Reports received, valid, answered in time, overdue, the median of working days, reopened, and the rating, from
    counters. Nothing personal; cells of fewer than five reports are left empty, so that it can be published as it is.

    \b
    Example:
      satupintu numbers --since 2026-01 --csv > laporan-per-kabupaten.csv
      satupintu numbers --by month,office_id --region 32.73 --json
      satupintu numbers --silent 90
    """
    region = which["region"]
    if region is not None and len(region) > len("32.73"):
        raise UsageError(f"numbers are of provinces, regencies and cities, not of {region}: write {region[:5]}")
    words = _words(by)
    rows = _silent(silent, region) if silent else _cells(words, suppress=not everything, **which)
    head = tuple(rows[0]) if rows else _headings(words, silent=bool(silent))
    if as_csv:
        click.echo(format_csv(head, rows), nl=False)
    elif as_json or not sys.stdout.isatty():
        for row in rows:
            print_json(row)
    else:
        cells = [["" if value is None else str(value) for value in row.values()] for row in rows]
        click.echo(format_table(head, cells), nl=False)


def _headings(by: Sequence[str], *, silent: bool) -> tuple[str, ...]:
    """Where there is no row."""
    from sink.statistics import SilentOffice, headings

    return SilentOffice._fields if silent else tuple(_named(dict.fromkeys(headings(by), "")))


def _words(by: str) -> tuple[str, ...]:
    words = tuple(word.strip() for word in by.split(","))
    for word in words:
        if word not in WORDS:
            raise UsageError(f"--by takes {', '.join(WORDS)}, with commas, not {word!r}")
    return words


def _cells(
    by: Sequence[str], *, suppress: bool, region: str | None, since: str | None, until: str | None
) -> list[dict[str, Any]]:
    from sink.statistics import open_data, statistics

    for month in (since, until):
        if month is not None and not re.fullmatch(MONTH, month):
            raise UsageError(f"{month} is no month: write 2026-01")
    ask = partial(statistics, by=by, region=region, since=since, until=until, suppress=suppress)
    rows = open_data(with_record(ask), by)
    return [_named(row) for row in rows]


def _named(row: dict[str, Any]) -> dict[str, Any]:
    """With the region's name, as the table of an office shows it."""
    if "region" not in row:
        return row
    return {"region": row["region"], "region_name": region_names().get(row["region"], ""), **row}


def _silent(days: int, region: str | None) -> list[dict[str, Any]]:
    from hub.clock import utc_now
    from hub.commands._routing import load_routing
    from sink.statistics import silent_offices

    found = with_record(partial(silent_offices, days=days, now=utc_now()))
    if region is not None:
        offices = load_routing().offices
        found = [one for one in found if any(is_inside(code, region) for code in (one.owner, *_regions(offices, one)))]
    return [office._asdict() for office in found]


def _regions(offices: OfficeRegistry, silent: SilentOffice) -> tuple[str, ...]:
    office = offices.get(silent.office_id)
    return office.regions if office else ()
