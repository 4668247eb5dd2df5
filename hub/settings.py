"""Settings: flags win over the environment, the environment over a TOML file; every default runs.

Once read they do not change. A wrong one is one line that names the key, the value it takes and the fix (`UsageError`).
"""

from __future__ import annotations

import difflib
import ipaddress
import math
import os
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from hub.limits import WebLimits

PREFIX = "SATUPINTU_"
KINDS = {
    "data": "a folder",
    "listen": "host:port, as 127.0.0.1:8080",
    "bus": "sqlite:///PATH, memory:// or kafka://HOST:PORT,…",
    "record": "sqlite:///PATH or postgresql+psycopg://…",
    "channels": "the path of a TOML file",
    "keys": "the path of a TOML file",
    "zone": "a time zone, as Asia/Jakarta",
    "public_url": "the address that citizens and providers use, as https://lapor.example.go.id",
    "inside": "host:port where /metrics and /readyz answer, and nowhere else",
    "proxies": "addresses or networks of proxies, with commas between, as 10.0.0.5,172.16.0.0/12",
    "clamd": "host:port or unix:PATH of a clamd that scans files, as unix:/run/clamav/clamd.ctl",
    "archive_days": "a number of days from 1 to 36500: so long raw bytes stay in the archive",
    "partitions": "a number from 1 to 1000, used for new topics",
    "retention": "a number of days from 0.01 to 36500: so long events stay on the bus once all have committed them",
    "spool_limit": "a number of MiB from 1 on: so much an ingress spools on its disk while the broker is unavailable",
    "guard_run": "a number from 1 on: after so many dead letters in a row a stage puts an account aside",
    "guard_share": "a share from 0.001 to 1: an account with more dead among its last 1,000 events is put aside",
}
DEFAULTS = {
    "data": "./var",
    "listen": "127.0.0.1:8080",
    "bus": "sqlite:///{data}/bus.db",
    "record": "sqlite:///{data}/record.db",
    "channels": "{data}/channels.toml",
    "keys": "{data}/keys.toml",
    "zone": "Asia/Jakarta",
    "public_url": "",
    "inside": "",
    "proxies": "",
    "clamd": "",
    "archive_days": "730",
    "partitions": "4",
    "retention": "90",
    "spool_limit": "1024",
    "guard_run": "200",
    "guard_share": "0.5",
}
_LIMITS = {f"limit_{field.name}": str(field.default) for field in msgspec.structs.fields(WebLimits)}
KINDS |= {
    f"limit_{name}": f"a number above 0: {hint.__metadata__[0].description.rstrip('.')}"
    for name, hint in get_type_hints(WebLimits, include_extras=True).items()
}
DEFAULTS |= _LIMITS

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class UsageError(Exception):
    """A call, setting or file that cannot be used. Its text is one line that says what to do; exit code 64."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of this process."""

    data: Path
    host: str
    port: int
    listens: bool = False
    """Was `listen` set? A process without an ingress answers only then: there may be many of them on a machine."""
    bus: str
    record: str
    channels: Path
    keys: Path
    zone: ZoneInfo
    public_url: str
    """How citizens and providers reach the hub; without a slash at the end."""
    inside: tuple[str, int] | None
    proxies: tuple[Network, ...]
    clamd: str
    """Where a clamd listens; empty: files are not scanned."""
    archive_days: int
    partitions: int
    retention: timedelta
    spool_limit: int
    """Bytes."""
    guard_run: int
    guard_share: float
    limits: WebLimits

    @property
    def remote(self) -> bool:
        """Does the bus belong to another machine, which may be unavailable and costs a round trip?"""
        return self.bus.startswith("kafka://")

    @property
    def embedded_record(self) -> bool:
        """Is the record a file of this machine?"""
        return self.record.startswith("sqlite:")

    @property
    def shared(self) -> bool:
        """May other processes work on the same bus?"""
        return not self.bus.startswith("memory:")

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the pages."""
        return _local_url(self.host, self.port)


def load_settings(flags: Mapping[str, str | None] | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """Settings from flags (by lower-case name, `config` among them), environment and file. Raises UsageError."""
    env = os.environ if env is None else env
    given = {k: v for k, v in (flags or {}).items() if v is not None}
    config = given.pop("config", None) or env.get(PREFIX + "CONFIG")
    chosen = {**(_from_file(Path(config)) if config else {}), **_from_env(env), **given}
    merged = DEFAULTS | chosen
    for key in merged:
        _require_known(key, key)
    for key in ("data", "channels", "keys"):
        if not merged[key]:  # else the folder that the program happens to be called in
            raise UsageError(f"{key} takes {KINDS[key]}, not ''")
    data = Path(merged.pop("data")).expanduser()
    filled = {k: v.replace("{data}", str(data)) for k, v in merged.items()}
    host, port = _host_port("listen", filled["listen"])
    return Settings(
        data=data,
        host=host,
        port=port,
        listens="listen" in chosen,
        bus=_url("bus", filled["bus"], ("sqlite:///", "memory://", "kafka://")),
        record=_url("record", filled["record"], ("sqlite:///", "postgresql+psycopg://")),
        channels=Path(filled["channels"]).expanduser(),
        keys=Path(filled["keys"]).expanduser(),
        zone=_zone(filled["zone"]),
        public_url=_public_url(filled["public_url"]) or _local_url(host, port),
        inside=_host_port("inside", filled["inside"]) if filled["inside"] else None,
        proxies=_networks(filled["proxies"]),
        clamd=_clamd(filled["clamd"]),
        archive_days=int(_number("archive_days", filled["archive_days"], 1, 36_500)),
        partitions=int(_number("partitions", filled["partitions"], 1, 1000)),
        retention=timedelta(days=_number("retention", filled["retention"], 0.01, 36_500)),
        spool_limit=int(_number("spool_limit", filled["spool_limit"], 1, 10**7) * 2**20),
        guard_run=int(_number("guard_run", filled["guard_run"], 1, 10**9)),
        guard_share=_number("guard_share", filled["guard_share"], 0.001, 1),
        limits=WebLimits(**{key.removeprefix("limit_"): _number(key, filled[key], 1e-9, 1e12) for key in _LIMITS}),
    )


def sqlite_path(url: str) -> Path:
    """The file of a `sqlite:///` URL."""
    return Path(url.removeprefix("sqlite:///")).expanduser()


def read_toml(path: Path, what: str) -> dict[str, object]:
    """The tables of a TOML file. Raises UsageError naming the file and the line."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UsageError(f"{what} {path} does not exist: create it, or name another") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{what} {path} cannot be read ({error.__class__.__name__}): check its rights") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{what} {path} is not valid TOML: {error}") from None


def did_you_mean(word: str, known: object) -> str:
    """A hint for a misspelt word, or nothing."""
    near = difflib.get_close_matches(word, list(known), 1, 0.6)  # type: ignore[call-overload]
    return f" (did you mean {near[0]}?)" if near else ""


def _local_url(host: str, port: int) -> str:
    host = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _from_file(path: Path) -> dict[str, str]:
    found = read_toml(path, "the settings file")
    for key, value in found.items():
        _require_known(key, key)
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise UsageError(f"{key} in {path} takes {KINDS[key]}, not {type(value).__name__}")
    return {k: str(v) for k, v in found.items()}


def _from_env(env: Mapping[str, str]) -> dict[str, str]:
    ours = {k: v for k, v in env.items() if k.startswith(PREFIX) and not k.startswith(PREFIX + "TEST_")}
    ours.pop(PREFIX + "CONFIG", None)
    for name in ours:
        _require_known(name.removeprefix(PREFIX).lower(), name)
    return {k.removeprefix(PREFIX).lower(): v for k, v in ours.items()}


def _require_known(key: str, shown: str) -> None:
    if key not in DEFAULTS:
        names = ", ".join(DEFAULTS)
        raise UsageError(f"{shown} is no setting{did_you_mean(key, DEFAULTS)}: remove it, or use one of {names}")


def _host_port(key: str, value: str) -> tuple[str, int]:
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"{key} takes {KINDS[key]}, not {value!r}")
    return host.strip("[]"), int(port)


def _clamd(value: str) -> str:
    if value and not value.startswith("unix:/"):
        _host_port("clamd", value)
    return value


def _public_url(value: str) -> str:
    url = value.rstrip("/")
    if url and not (urlsplit(url).scheme in ("http", "https") and urlsplit(url).hostname):
        raise UsageError(f"public_url takes {KINDS['public_url']}, not {value!r}")
    return url


def _networks(value: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(word.strip(), strict=False) for word in value.split(",") if word.strip())
    except ValueError:
        raise UsageError(f"proxies takes {KINDS['proxies']}, not {value!r}") from None


def _url(key: str, value: str, schemes: tuple[str, ...]) -> str:
    if not value.startswith(schemes):
        # a URL may hold a password: only its scheme is shown
        raise UsageError(f"{key} takes {KINDS[key]}, not {value.partition(':')[0]}:…")
    return value


def _number(key: str, value: str, least: float, most: float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        raise UsageError(f"{key} takes {KINDS[key]}, not {value!r}")
    return number


def _zone(value: str) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"zone takes {KINDS['zone']}, not {value!r}") from None
