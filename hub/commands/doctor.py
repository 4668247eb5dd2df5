"""`doctor`: a look at everything the hub stands on, a line each, and what to do. It changes nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from hmac import compare_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import click

from bus import UnusableLog, look_into
from hub.commands import OutOfBalance, settings
from hub.settings import Settings, WrongCall, sqlite_path
from schemas import Retry

if TYPE_CHECKING:
    from sink import Vault

LOW = 512 * 1024 * 1024
"""Bytes: with less free, the log fills the disk before anybody looks."""
PATIENCE = 3.0
"""Seconds to wait for a provider's port."""
ADDRESSES = ("send_url", "graph_url")
"""Settings of accounts that say where a provider is asked."""
SYNCED = Path("/run/systemd/timesync")


class Finding(NamedTuple):
    """One line of the report."""

    what: str
    words: str
    wrong: bool = False


@click.command()
def doctor() -> None:
    """What is wrong here, and what to do: settings, disk, databases, broker, clock, keys, every channel.

    \b
    Example:
      satupintu doctor
    """
    told = settings()
    wrong = 0
    for check in (_settings, _disk, _database, _broker, _spool, _clock, _keys, _rules, _port, _channels):
        for finding in _careful(check, told):
            wrong += finding.wrong
            sys.stdout.write(f"{'WRONG' if finding.wrong else 'ok   '}  {finding.what}: {finding.words}\n")
            sys.stdout.flush()
    if wrong:
        raise OutOfBalance(f"{wrong} of these need you")


def _careful(check: Callable[[Settings], Iterator[Finding]], told: Settings) -> Iterator[Finding]:
    what = check.__name__.strip("_")
    try:
        yield from check(told)
    except WrongCall as error:
        yield Finding(what, str(error), wrong=True)
    except (OSError, sqlite3.Error) as error:
        yield Finding(what, f"cannot be looked at ({type(error).__name__}): mend its rights or disk", wrong=True)


def _settings(told: Settings) -> Iterator[Finding]:
    yield Finding("settings", f"data in {told.data}, listening at {told.url}, zone {told.zone.key}")


def _disk(told: Settings) -> Iterator[Finding]:
    if not told.data.exists():
        yield Finding("disk", f"{told.data} is made by the first start: satupintu up")
        return
    if not os.access(told.data, os.W_OK | os.X_OK):
        yield Finding("disk", f"{told.data} cannot be written: mend its rights, or name another with --data", True)
        return
    free = shutil.disk_usage(told.data).free
    words = f"{free // 2**20:,} MiB free at {told.data}"
    yield (
        Finding("disk", f"{words}: make room, doors answer 503 on a full disk", True)
        if free < LOW
        else Finding("disk", words)
    )


def _database(told: Settings) -> Iterator[Finding]:
    if told.record.startswith("sqlite:"):
        yield _sqlite("record", sqlite_path(told.record))
    else:
        from hub.commands import _postgres

        yield from (Finding(*said) for said in _postgres.record(told.record))


def _broker(told: Settings) -> Iterator[Finding]:
    if told.bus.startswith("sqlite:"):
        yield _sqlite("bus", sqlite_path(told.bus))
    elif told.remote:
        yield _kafka(told.bus)
    else:
        yield Finding("bus", "in memory: what is on the road is gone when the hub ends")


def _kafka(url: str) -> Finding:
    from bus.kafka import brokers

    try:
        found = asyncio.run(brokers(url))
    except UnusableLog as error:
        return Finding("bus", str(error), wrong=True)
    except Retry as fault:
        return Finding("bus", f"{fault.reason}: start it, or mend --bus; doors spool meanwhile", wrong=True)
    return Finding("bus", f"Kafka answers; its brokers: {found}")


def _spool(told: Settings) -> Iterator[Finding]:
    from bus import left_over
    from hub.intake import spool_path

    path, remote = spool_path(told), told.remote
    if not remote and not path.exists():
        return
    waits = left_over(path)
    if not waits:
        yield Finding("spool", f"empty; {told.spool_limit // 2**20:,} MiB of it while the broker is away")
    elif remote:
        yield Finding("spool", f"{waits:,} events wait for the broker: they go when it is back and a door is up")
    else:
        yield Finding(
            "spool", f"{waits:,} events wait from when the bus was another: start a door, it hands them on", True
        )


def _sqlite(what: str, path: Path) -> Finding:
    if not path.exists():
        return Finding(what, f"{path} is made by the first start: satupintu up")
    with closing(look_into(path)) as connection:
        try:
            said = connection.execute("pragma quick_check(1)").fetchone()[0]
        except sqlite3.DatabaseError:
            said = "no database"
    if said == "ok":
        return Finding(what, f"{path} is whole, {path.stat().st_size // 2**20:,} MiB")
    return Finding(what, f"{path} is damaged: end the hub, keep a copy, bring back the last backup", wrong=True)


def _clock(told: Settings) -> Iterator[Finding]:
    now = datetime.now(UTC)
    newest = max((p.stat().st_mtime for p in told.data.glob("*.db*")), default=0.0)
    shown = now.astimezone(told.zone).isoformat(timespec="seconds")
    if newest > now.timestamp() + 60:
        yield Finding("clock", f"it says {shown}, but the data is newer: set it, and keep it with NTP", wrong=True)
    elif SYNCED.is_dir() and not (SYNCED / "synchronized").exists():
        yield Finding("clock", f"it says {shown}, but was never synchronised: timedatectl set-ntp true", wrong=True)
    else:
        yield Finding("clock", shown)


def _keys(told: Settings) -> Iterator[Finding]:
    if not told.keys.exists():
        yield _without(told)
        return
    from sink import Vault, WrongKeys

    try:
        yield _fitting(told, Vault.load(told.keys))
    except WrongKeys as error:
        yield Finding("keys", str(error), wrong=True)


def _without(told: Settings) -> Finding:
    if told.record.startswith("sqlite:"):
        begun: bool | None = sqlite_path(told.record).exists()
    else:
        from hub.commands import _postgres

        begun = _postgres.begun(told.record)
    if begun is None:
        return Finding("keys", f"{told.keys} is missing; start the database, to see whether the record needs it", True)
    words = "is missing, and the record cannot be read without it: bring it back from its backup"
    return Finding("keys", f"{told.keys} {words if begun else 'is made with the first start'}", begun)


def _fitting(told: Settings, vault: Vault) -> Finding:
    """Whether the keys open the record; backups are the operator's own. Raises WrongKeys."""
    if not told.record.startswith("sqlite:"):
        from hub.commands import _postgres

        return Finding(*_postgres.keys(told.record, told.keys, vault))
    if not sqlite_path(told.record).exists():
        return Finding("keys", f"{told.keys} can be read; keep a copy of it away from this machine")
    with closing(look_into(sqlite_path(told.record))) as connection:
        kept = dict(connection.execute("SELECT name, value FROM meta"))
    fits = compare_digest(kept.get("keys", vault.check()), vault.check())
    if fits and all(vault.open(sealed) == name for name, sealed in kept.items() if name.startswith("key ")):
        return Finding("keys", f"{told.keys} fits the record; keep a copy of it away from this machine")
    return Finding("keys", f"{told.keys} is not what the record was kept with: bring back its backup", wrong=True)


def _rules(told: Settings) -> Iterator[Finding]:
    from router import Rules, WrongRules

    own = told.data / "rules.toml"
    try:
        rules = Rules.load(own if own.exists() else None).rules
        yield Finding(
            "rules", f"{len(rules)} of {own}" if own.exists() else f"those shipped; {own} would win over them"
        )
    except WrongRules as error:
        yield Finding("rules", f"{own}: {error}", wrong=True)


def _port(told: Settings) -> Iterator[Finding]:
    words = (
        "something answers: a hub that is up, or give another --listen" if _answers(told.host, told.port) else "free"
    )
    yield Finding("listen", f"{told.host}:{told.port} {words}")


def _channels(told: Settings) -> Iterator[Finding]:
    from hub.accounts import Accounts

    if not told.channels.exists():
        yield Finding("channels", f"{told.channels} is made by the first start: satupintu up")
        return
    accounts = Accounts.load(told.channels, zone=told.zone.key)
    for name in accounts:
        if lacks := accounts.account(name).lacks:
            words = f"{accounts.state(name)}, takes in, cannot answer: set {lacks} in {told.channels}"
            yield Finding(f"channel {name}", words)
        else:
            yield from _reachable(f"channel {name}", accounts.state(name), accounts[name].settings)


def _reachable(what: str, state: str, own: Any) -> Iterator[Finding]:
    """A provider's port for each address among an account's settings; what waits there is not asked anything."""
    urls = {name: urlsplit(url) for name in ADDRESSES if (url := getattr(own, name, ""))}
    if not urls:
        yield Finding(what, f"{state}, takes in; asks nobody outside")
        return
    for name, url in urls.items():
        port = url.port or (443 if url.scheme == "https" else 80)
        said = f"{name} {url.hostname}:{port}"
        if _answers(url.hostname or "", port):
            yield Finding(what, f"{state}, {said} answers")
        else:
            yield Finding(what, f"{said} does not answer in {PATIENCE:.0f} s: check it, and the firewall", wrong=True)


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), PATIENCE):
            return True
    except OSError:
        return False
