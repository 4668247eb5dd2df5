"""What `doctor` says of this machine: settings, disk, databases, broker, spool, clock, keys, files that people edit."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bus import UnusableLog, open_read_only
from hub.commands._finding import Finding
from hub.settings import Settings, sqlite_path
from schemas import Retry

if TYPE_CHECKING:
    from sink.vault import Vault

LOW = 512 * 1024 * 1024
"""Bytes: with less free, the log may fill the disk before anybody notices."""
SYNCED = Path("/run/systemd/timesync")
TIMEOUT = 3.0
"""Seconds to wait for a port."""


def check_settings(own: Settings) -> Iterator[Finding]:
    """The settings that hold."""
    yield Finding("settings", f"data in {own.data}, listening at {own.url}, zone {own.zone.key}")


def check_disk(own: Settings) -> Iterator[Finding]:
    """Can the data folder be written, and is there room?"""
    if not own.data.exists():
        yield Finding("disk", f"{own.data} is made by the first start: satupintu up")
        return
    if not os.access(own.data, os.W_OK | os.X_OK):
        yield Finding("disk", f"{own.data} cannot be written: mend its rights, or name another with --data", True)
        return
    yield from _without_rights(own.data)
    if own.data.stat().st_mode & 0o077:
        yield Finding("disk", f"{own.data} can be read by others: chmod 700 {own.data}", True)
    if own.channels.exists() and (own.channels.stat().st_mode & own.channels.parent.stat().st_mode) & 0o044:
        yield Finding("disk", f"{own.channels} holds secrets and can be read by others: chmod 600 {own.channels}", True)
    free = shutil.disk_usage(own.data).free
    words = f"{free // 2**20:,} MiB free at {own.data}"
    if free < LOW:
        yield Finding("disk", f"{words}: make room, doors answer 503 on a full disk", True)
    else:
        yield Finding("disk", words)


def _without_rights(folder: Path) -> Iterator[Finding]:
    """What a copy that another user made, such as a restored backup, keeps from us."""
    for path in sorted(folder.iterdir()):
        edited = path.suffix in {".toml", ".csv"}
        needed = os.R_OK | (os.X_OK if path.is_dir() else 0) | (0 if edited else os.W_OK)
        if path.exists() and not os.access(path, needed):
            words = f"{path} cannot be {'read' if edited else 'read and written'}: chown it to the user of the hub"
            yield Finding("disk", words, wrong=True)


def check_record(own: Settings) -> Iterator[Finding]:
    """Is the record whole?"""
    if own.embedded_record:
        yield _sqlite("record", sqlite_path(own.record))
        return
    from hub.commands import _postgres

    yield from _postgres.check_record(own.record)


def check_bus(own: Settings) -> Iterator[Finding]:
    """Is the log whole, does the broker answer?"""
    if own.bus.startswith("sqlite:"):
        yield _sqlite("bus", sqlite_path(own.bus))
    elif own.remote:
        yield from _kafka(own.bus)
    else:
        yield Finding("bus", "in memory: what is in flight is gone when the hub ends")


def check_spool(own: Settings) -> Iterator[Finding]:
    """Does anything wait for the broker?"""
    from bus import spooled_events
    from hub.intake import spool_path

    path, remote = spool_path(own), own.remote
    if not remote and not path.exists():
        return
    waiting = spooled_events(path)
    if not waiting:
        yield Finding("spool", f"empty; {own.spool_limit // 2**20:,} MiB of it while the broker is unavailable")
    elif remote:
        yield Finding("spool", f"{waiting:,} events wait for the broker: they go when it is back and a door is up")
    else:
        words = f"{waiting:,} events wait from when the bus was another: start a door, it hands them on"
        yield Finding("spool", words, True)


def check_clock(own: Settings) -> Iterator[Finding]:
    """Is it synchronised, and not behind the data?"""
    now = datetime.now(UTC)
    newest = max((p.stat().st_mtime for p in own.data.glob("*.db*")), default=0.0)
    shown = now.astimezone(own.zone).isoformat(timespec="seconds")
    if newest > now.timestamp() + 60:
        yield Finding("clock", f"it says {shown}, but the data is newer: set it, and run NTP", wrong=True)
    elif SYNCED.is_dir() and not (SYNCED / "synchronized").exists():
        yield Finding("clock", f"it says {shown}, but was never synchronised: timedatectl set-ntp true", wrong=True)
    else:
        yield Finding("clock", shown)


def check_keys(own: Settings) -> Iterator[Finding]:
    """Are there keys, and do they fit the record?"""
    from sink.vault import Vault, WrongKeys

    if not own.keys.exists():
        yield _without_keys(own)
        return
    try:
        yield _fitting(own, Vault.load(own.keys))
    except WrongKeys as error:
        yield Finding("keys", str(error), wrong=True)


def check_rules(own: Settings) -> Iterator[Finding]:
    """Can the rules be used?"""
    from router import Rules

    path = own.data / "rules.toml"
    try:
        rules = Rules.load(path.read_text(encoding="utf-8-sig") if path.exists() else None)
    except ValueError as error:
        yield Finding("rules", f"{path}: {error}", wrong=True)
        return
    shipped = f"those shipped; {path} would win over them"
    yield Finding("rules", f"version {rules.version} of {path}" if path.exists() else shipped)


def check_templates(own: Settings) -> Iterator[Finding]:
    """Can the templates be used?"""
    from router import Templates

    path = own.data / "templates.toml"
    try:
        Templates.load(path.read_text(encoding="utf-8-sig") if path.exists() else None)
    except ValueError as error:
        yield Finding("templates", f"{path}: {error}", wrong=True)
        return
    yield Finding("templates", str(path) if path.exists() else f"those shipped; {path} would win over them")


def check_port(own: Settings) -> Iterator[Finding]:
    """Is the port free?"""
    taken = "something answers: a hub that is up, or give another --listen"
    yield Finding("listen", f"{own.host}:{own.port} {taken if is_listening(own.host, own.port) else 'free'}")


def is_listening(host: str, port: int) -> bool:
    """Does anything listen there?"""
    try:
        with socket.create_connection((host, port), TIMEOUT):
            return True
    except OSError:
        return False


def _kafka(url: str) -> Iterator[Finding]:
    from bus.kafka import count_brokers, under_replicated_topics

    try:
        yield Finding("bus", f"Kafka answers; its brokers: {asyncio.run(count_brokers(url))}")
        for topic, copies in asyncio.run(under_replicated_topics(url)).items():
            yield Finding("bus", f"topic {topic} has {copies} copies, fewer than there are brokers for: add some", True)
    except UnusableLog as error:
        yield Finding("bus", str(error), wrong=True)
    except Retry as fault:
        yield Finding("bus", f"{fault.reason}: start it, or mend --bus; doors spool meanwhile", wrong=True)


_REPAIRS = {
    "record": "copy the file, restore the last backup",
    "bus": "move it away with its -wal, and start again with a new one: the record and the archive hold what matters",
}


def _sqlite(what: str, path: Path) -> Finding:
    import sqlite3

    if not path.exists():
        return Finding(what, f"{path} is made by the first start: satupintu up")
    with closing(open_read_only(path)) as connection:
        try:
            found = connection.execute("pragma quick_check(1)").fetchone()[0]
        except sqlite3.DatabaseError:
            found = "no database"
    if found == "ok":
        return Finding(what, f"{path} is whole, {_size(path) // 2**20:,} MiB")
    return Finding(what, f"{path} is damaged: stop the hub, {_REPAIRS[what]} (docs/operations.md, Restore)", wrong=True)


def _size(path: Path) -> int:
    """With what is written and stands beside the file still."""
    return sum(one.stat().st_size for one in (path, Path(f"{path}-wal")) if one.exists())


def _without_keys(own: Settings) -> Finding:
    if own.embedded_record:
        started: bool | None = sqlite_path(own.record).exists()
    else:
        from hub.commands import _postgres

        started = _postgres.is_started(own.record)
    if started is None:
        return Finding("keys", f"{own.keys} is missing; start the database, to see whether the record needs it", True)
    words = "is missing, and the record cannot be read without it: bring it back from its backup"
    return Finding("keys", f"{own.keys} {words if started else 'is made with the first start'}", started)


def _fitting(own: Settings, vault: Vault) -> Finding:
    """Do the keys open the record? Backups are the operator's own. Raises WrongKeys."""
    if not own.embedded_record:
        from hub.commands import _postgres

        return _postgres.check_keys(own.record, own.keys, vault)
    if not sqlite_path(own.record).exists():
        return Finding("keys", f"{own.keys} can be read; store a copy of it on another machine")
    from sink.record import keys_match

    with closing(open_read_only(sqlite_path(own.record))) as connection:
        stored = dict(connection.execute("SELECT name, value FROM meta"))
    if keys_match(stored, vault):
        return Finding("keys", f"{own.keys} fits the record; store a copy of it on another machine")
    return Finding("keys", f"{own.keys} does not fit the record: bring back its backup", wrong=True)
