"""`calendar`: holidays and decrees that came after this release, and a region's or an office's own days."""

from __future__ import annotations

import getpass
import os
from datetime import date
from typing import TYPE_CHECKING

import click

from hub.commands import PayloadRefused, RegionParam, load_call_settings, print_message
from hub.commands._table import format_table
from schemas.regions import read_region

if TYPE_CHECKING:
    from router.calendars import Holiday
    from router.due import Calendars
    from sink.record import Record

EDITION = "calendars"


@click.group()
def calendar() -> None:
    """The days on which no clock runs. National holidays and joint leave come with the hub, by their decrees.

    \b
    Example:
      satupintu calendar import skb.csv
      satupintu calendar list --year 2027
    """


@calendar.command("import")
@click.argument("file")
@click.option("--dry-run", is_flag=True, help="Only say what it would change.")
def import_(file: str, *, dry_run: bool) -> None:
    """Take in days: CSV with the headings calendar, date, kind, name, decree. A later row for a day wins; none is
    removed (kind workday takes a holiday back). Open reports are computed anew, and offices are told whose date moved.

    \b
    Example:
      satupintu calendar import skb.csv
    """
    from hub.commands._rows import open_file
    from hub.opening import open_record
    from router.calendars import load_holidays

    with open_file(file) as stream:
        text = stream.read().decode("utf-8-sig", "replace")
    try:
        rows = load_holidays(text)
    except ValueError as error:
        raise PayloadRefused(f"{error}; nothing was imported") from None
    _require_calendars(rows)
    with open_record(load_call_settings()) as record:
        _import(record, rows, dry_run=dry_run)


@calendar.command("list")
@click.option("--year", type=int, help="Only of that year. [this year]")
@click.option("--region", type=RegionParam(), metavar="CODE", help="With the days of that region. [the nation]")
def list_(year: int | None, region: str | None) -> None:
    """The days on which no clock runs.

    \b
    Example:
      satupintu calendar list --year 2026 --region 51
    """
    from hub.commands import with_record

    year = year or date.today().year  # noqa: DTZ011 - the year of the person who asks
    found = with_record(_published).of(region or "")
    days = found.between(date(year - 1, 12, 31), date(year, 12, 31))
    head = ("day", "kind", "name", "decree")
    rows = [(day.day.isoformat(), day.kind, day.name, day.decree or "perkiraan") for day in days]
    click.echo(format_table(head, rows), nl=False)


def _require_calendars(rows: tuple[Holiday, ...]) -> None:
    from hub.commands._routing import load_routing
    from router.calendars import NATION

    offices = load_routing().offices
    for name in dict.fromkeys(row.calendar for row in rows):
        if name != NATION and read_region(name) != name and name not in offices:
            raise PayloadRefused(
                f"{name!r} is no calendar: write {NATION} for the nation, the code of a region or the id of an office; "
                "nothing was imported"
            )


def _import(record: Record, rows: tuple[Holiday, ...], *, dry_run: bool) -> None:
    from hub.clock import utc_now
    from router.calendars import format_holidays
    from sink.editions import publish_edition

    known = _published(record).own
    new = [row for row in rows if row not in known]
    if dry_run:
        print_message(f"{len(new)} days new; nothing was written")
        return
    body = format_holidays((*known, *new))
    who = f"{getpass.getuser()}@{os.uname().nodename}"
    version = publish_edition(record, EDITION, body, by=who, now=utc_now())
    print_message(f"{len(new)} days new; edition {version}, by which the due dates of open reports are computed anew")


def _published(record: Record) -> Calendars:
    from router.due import Calendars
    from sink.editions import latest_edition

    newest = latest_edition(record, EDITION)
    return Calendars.load(newest.body if newest is not None else None)
