"""The manifest of a database: which views are read, and what their columns mean. A TOML file; the meaning of a row is
written as in the manifest of a portal (`_portal_manifest.py`)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from connectors._portal_expressions import faults_of_expressions
from connectors._portal_loading import (
    checked,
    duration_faults,
    manifest_path,
    manifest_text,
    region_faults,
    zone_faults,
)
from connectors._portal_manifest import ActionMap, Manifest, MessageMap, Stream, Strict, Tables

SHIPPED = Path(__file__).parent / "manifests" / "database"
MOST = 5000
"""Rows of a page, at most."""


class View(Strict, frozen=True, kw_only=True):
    """A query, and what its rows mean."""

    query: str
    """One SELECT. The hub itself orders it, and takes a page at a time."""
    key: str
    """The column that tells a row from all others; never NULL."""
    time: str = ""
    """The column with the time of the row's last change. Empty: the whole view is read in each poll."""
    overlap: str = "15m"
    """How far before the newest change is read again: rows may commit late."""
    start: str = "30d"
    """How far back the first poll goes; all: everything."""
    sweep_every: str = "1d"
    """How often the whole view is read for changes that its time does not show, and for rows that are gone."""
    deleted: bool = False
    """It is noted on a report that its row is gone. Not for a view that shows the rows of some time only."""
    size: int = 500
    """Rows of a page."""
    ignore: tuple[str, ...] = ()
    """Columns whose change means nothing: counters of views."""
    message: MessageMap | None = None
    actions: tuple[ActionMap, ...] = ()


class DatabaseManifest(Strict, frozen=True, kw_only=True):
    """A database."""

    name: str
    zone: str = "Asia/Jakarta"
    """Of times that come without one."""
    dates: Literal["strict", "day-first", "month-first"] = "strict"
    """How 05/08/2025 is read; strict: not at all."""
    poll_every: str = "5m"
    timeout: str = "30s"
    """How long a query may run."""
    views: dict[str, View]
    tables: Tables = Tables()


def load_database_manifest(name: str) -> DatabaseManifest:
    """Of a file, or one of ours by its name. Raises ValueError with a line for each mistake."""
    return parse_database_manifest(*manifest_text(name, SHIPPED))


def is_database_manifest(name: str) -> bool:
    """Does it describe views, and no portal?"""
    try:
        return "views" in tomllib.loads(manifest_path(name, SHIPPED).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return False


def parse_database_manifest(text: str, source: str) -> DatabaseManifest:
    """Raises ValueError with a line for each mistake."""
    return checked(text, source, DatabaseManifest, _TABLES, _faults)


def as_portal(manifest: DatabaseManifest) -> Manifest:
    """The meaning of its rows as a portal's manifest has it."""
    streams = {
        name: Stream(poll=False, ignore=view.ignore, message=view.message, actions=view.actions)
        for name, view in manifest.views.items()
    }
    return Manifest(
        name=manifest.name, url="", zone=manifest.zone, dates=manifest.dates, streams=streams, tables=manifest.tables
    )


_TABLES: tuple[type[Strict], ...] = (DatabaseManifest, View, MessageMap, ActionMap, Tables)


def _faults(manifest: DatabaseManifest) -> list[str]:
    faults = [] if manifest.views else ["[views]: is empty: add a table as [views.aduan]"]
    faults += zone_faults(manifest.zone)
    faults += duration_faults("[] poll_every", manifest.poll_every) + duration_faults("[] timeout", manifest.timeout)
    faults += region_faults(manifest.tables)
    for name, view in manifest.views.items():
        faults += _view_faults(f"[views.{name}", view)
    return faults + [fault.replace("streams.", "views.", 1) for fault in faults_of_expressions(as_portal(manifest))]


def _view_faults(where: str, view: View) -> list[str]:
    faults = [f"{where}] {name}: is empty: name a column" for name in ("key",) if not view.key.strip()]
    query = view.query.strip().rstrip(";").rstrip()
    if not query.lower().startswith(("select", "with")) or ";" in query:
        faults.append(f"{where}] query: takes one SELECT, without a semicolon inside")
    if not 1 <= view.size <= MOST:
        faults.append(f"{where}] size: takes 1 to {MOST}")
    for name in ("overlap", "sweep_every"):
        faults += duration_faults(f"{where}] {name}", getattr(view, name))
    faults += [] if view.start == "all" else duration_faults(f"{where}] start", view.start)
    if view.message is None:
        if not view.actions:
            faults.append(f"{where}.message] is missing: say what a row is, or add [{where}.actions]]")
        if not all(action.of or action.number for action in view.actions):
            faults.append(f"[{where}.actions]] of: is missing: say which complaint it is about")
    return faults
