"""`offices`: the registry of offices: imported, listed, and who changed it when."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING

import click

from hub.commands import PayloadRefused, RegionParam, load_call_settings, print_json, print_message, with_record
from hub.commands._table import format_table
from hub.settings import UsageError
from schemas.regions import is_inside

if TYPE_CHECKING:
    from router import OfficeRegistry, RegisteredOffice
    from sink.editions import Edition
    from sink.record import Record

EDITION = "offices"
SHOWN_FAULTS = 20


@click.group()
def offices() -> None:
    """The registry of offices. The front desks of all provinces, regencies and cities come with the hub.

    \b
    Example:
      satupintu offices import offices.csv
      satupintu offices list --region 33.74
    """


@offices.command("import")
@click.argument("file", required=False)
@click.option("--account", metavar="NAME", help="Without FILE: LAPOR!'s own list, by this account of kind lapor.")
@click.option("--dry-run", is_flag=True, help="Only say what it would change.")
def import_(file: str | None, account: str | None, *, dry_run: bool) -> None:
    """Take in offices: CSV with the headings of docs/routing.md, or LAPOR!'s list of institutions, as JSON or asked of
    LAPOR! itself. All rows, or none: wrong ones are named by line. Rows stand over those of the same id; none is
    removed.

    \b
    Example:
      satupintu offices import offices.csv
      satupintu offices import --account lapor --dry-run
    """
    from hub.commands._institutions import fetch_institutions
    from hub.commands._rows import open_file
    from hub.opening import open_record

    settings = load_call_settings()
    if account is not None and file is None:
        body = fetch_institutions(settings, account)
    elif file is not None and account is None:
        with open_file(file) as stream:
            body = stream.read()
    else:
        raise UsageError("offices import takes either a FILE or --account NAME")
    with open_record(settings) as record:
        _import(record, body, dry_run=dry_run)


@offices.command("list")
@click.option("--region", type=RegionParam(), metavar="CODE", help="Only of that region and of those in it.")
@click.option("--imported", is_flag=True, help="Without the front desks that come with the hub.")
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each.")
@click.option("--csv", "as_csv", is_flag=True, help="As import takes it.")
def list_(region: str | None, *, imported: bool, as_json: bool, as_csv: bool) -> None:
    """The offices.

    \b
    Example:
      satupintu offices list --region 33
      satupintu offices list --imported --csv > offices.csv
    """
    from hub.commands._routing import load_routing
    from router.offices_csv import format_offices

    registry = load_routing().offices
    found = [one for one in (registry.imported if imported else registry.values()) if _is_in(one, region)]
    if as_csv:
        click.echo(format_offices(found), nl=False)
    elif as_json:
        for office in found:
            print_json(office)
    else:
        head = ("id", "name", "kind", "parent", "regions", "lapor")
        click.echo(format_table(head, [_cells(one, registry) for one in found]), nl=False)


@offices.command()
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each.")
def history(*, as_json: bool) -> None:
    """The versions of the registry: when, by whom, and how many offices each added, changed or removed.

    \b
    Example:
      satupintu offices history
    """
    rows = with_record(_history)
    if as_json:
        for row in rows:
            print_json(row)
        return
    head = ("version", "at", "by", "added", "changed", "removed")
    click.echo(format_table(head, [tuple(str(row[name]) for name in head) for row in rows]), nl=False)


def _import(record: Record, body: bytes, *, dry_run: bool) -> None:
    from hub.clock import utc_now
    from router.offices_csv import format_offices
    from sink.editions import edition_of, latest_edition, publish_edition

    who, base = f"{getpass.getuser()}@{os.uname().nodename}", latest_edition(record, EDITION)
    expected = base.version + 1 if base is not None else 1
    while True:
        old = _registry(base)
        new = _taken_in(body, old)
        added, changed, _ = changes_between(old, new)
        words = f"{added} offices new, {changed} changed, {len(new)} in all"
        if dry_run:
            print_message(f"{words}; nothing was written")
            return
        version = publish_edition(record, EDITION, format_offices(new.imported), by=who, now=utc_now())
        if version <= expected:
            print_message(f"{words}; edition {version}, which every process follows within 5 seconds")
            return
        # another import came between: both shall count
        base, expected = edition_of(record, EDITION, version - 1), version + 1


def _registry(edition: Edition | None) -> OfficeRegistry:
    from router import OfficeRegistry
    from router.offices_csv import load_offices

    return load_offices(edition.body) if edition is not None and edition.body else OfficeRegistry()


def _taken_in(body: bytes, old: OfficeRegistry) -> OfficeRegistry:
    from router.offices_csv import WrongOffices, load_offices

    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["}:
        return _institutions(body, old)
    try:
        return load_offices(_text(body), old)
    except WrongOffices as wrong:
        for fault in wrong.faults[:SHOWN_FAULTS]:
            print_message(fault)
        raise PayloadRefused(f"nothing was imported: mend the {len(wrong.faults)} named above") from None


def _institutions(body: bytes, old: OfficeRegistry) -> OfficeRegistry:
    from router.offices_lapor import import_institutions, load_institutions

    try:
        taken = import_institutions(load_institutions(body), old)
    except ValueError as error:
        raise PayloadRefused(str(error)) from None
    print_message(f"{taken.matched} institutions are offices known already, {taken.added} are new")
    if taken.left_out:
        print_message(f"{len(taken.left_out)} were left out, as their names hold no region: import them as CSV rows")
        for one in taken.left_out[:SHOWN_FAULTS]:
            print_message(f"  {one.id} {one.name}")
    return taken.offices


def _text(body: bytes) -> str:
    """UTF-8; else as spreadsheets on Windows write it."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def _is_in(office: RegisteredOffice, region: str | None) -> bool:
    return region is None or any(is_inside(code, region) for code in office.regions)


def _cells(office: RegisteredOffice, registry: OfficeRegistry) -> tuple[str, ...]:
    above = registry.parent(office.id)
    lapor = "" if office.lapor_id is None else str(office.lapor_id)
    kind = f"{office.kind} (closed)" if office.closed else office.kind
    return office.id, office.name, kind, above.id if above else "", " ".join(office.regions), lapor


def _history(record: Record) -> list[dict[str, object]]:
    from sink.editions import edition_history, edition_of

    rows = []
    for change in edition_history(record, EDITION, limit=20):
        versions = (edition_of(record, EDITION, change.version - 1), edition_of(record, EDITION, change.version))
        added, changed, removed = changes_between(*map(_registry, versions))
        at = change.published_at.astimezone(load_call_settings().zone).isoformat(timespec="seconds")
        rows.append({"version": change.version, "at": at, "by": change.by,
                     "added": added, "changed": changed, "removed": removed})  # fmt: skip
    return rows


def changes_between(old: OfficeRegistry, new: OfficeRegistry) -> tuple[int, int, int]:
    """How many offices were added, changed and removed."""
    changed = sum(id in old and old[id] != office for id, office in new.items())
    return len(new.keys() - old.keys()), changed, len(old.keys() - new.keys())
