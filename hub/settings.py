"""Settings: flags win over the environment, the environment over a TOML file; every default runs.

Once read they do not change. What is wrong with them is told in one line that names the key, the value it takes and the
fix (`WrongCall`).
"""

from __future__ import annotations

import difflib
import math
import os
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

PREFIX = "SATUPINTU_"
KINDS = {
    "data": "a folder",
    "listen": "host:port, as 127.0.0.1:8080",
    "bus": "sqlite:///PATH, memory:// or kafka://HOST:PORT,…",
    "record": "sqlite:///PATH or postgresql+psycopg://…",
    "channels": "the path of a TOML file",
    "keys": "the path of a TOML file",
    "zone": "a time zone, as Asia/Jakarta",
    "partitions": "a number from 1 to 1000: of topics that are made new",
    "retention": "days that the bus keeps what every stage has done with",
    "spool_limit": "MiB that a door keeps on its disk while the broker is away",
    "guard_run": "dead letters in a row that stop a stage",
    "guard_share": "a share from 0 to 1: so many of a stage's last 1,000 events dead stop it",
}
DEFAULTS = {
    "data": "./var",
    "listen": "127.0.0.1:8080",
    "bus": "sqlite:///{data}/bus.db",
    "record": "sqlite:///{data}/record.db",
    "channels": "{data}/channels.toml",
    "keys": "{data}/keys.toml",
    "zone": "Asia/Jakarta",
    "partitions": "4",
    "retention": "90",
    "spool_limit": "1024",
    "guard_run": "200",
    "guard_share": "0.5",
}


class WrongCall(Exception):  # noqa: N818 - the word of the interface
    """A call, setting or file that cannot be worked with. Its text is one line that says what to do; exit code 64."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub was told."""

    data: Path
    host: str
    port: int
    listens: bool = False
    """Was it said where to listen? A process without a door answers nowhere unless it was: there may be many."""
    bus: str
    record: str
    channels: Path
    keys: Path
    zone: ZoneInfo
    partitions: int
    retention: timedelta
    spool_limit: int
    """Bytes."""
    guard_run: int
    guard_share: float

    @property
    def remote(self) -> bool:
        """Is the bus another machine's, which may be away and costs a way there and back?"""
        return self.bus.startswith("kafka://")

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the pages."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 - compared, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def load(flags: Mapping[str, str | None] | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """Settings from flags (by lower-case name, `config` among them), environment and file. Raises WrongCall."""
    env = os.environ if env is None else env
    given = {k: v for k, v in (flags or {}).items() if v is not None}
    config = given.pop("config", None) or env.get(PREFIX + "CONFIG")
    told = {**(_from_file(Path(config)) if config else {}), **_from_env(env), **given}
    merged = DEFAULTS | told
    for key in merged:
        _known(key, key)
    data = Path(merged.pop("data")).expanduser()
    filled = {k: v.replace("{data}", str(data)) for k, v in merged.items()}
    host, port = _listen(filled["listen"])
    return Settings(
        data=data,
        host=host,
        port=port,
        listens="listen" in told,
        bus=_url("bus", filled["bus"], ("sqlite:///", "memory://", "kafka://")),
        record=_url("record", filled["record"], ("sqlite:///", "postgresql+psycopg://")),
        channels=Path(filled["channels"]).expanduser(),
        keys=Path(filled["keys"]).expanduser(),
        zone=_zone(filled["zone"]),
        partitions=int(_number("partitions", filled["partitions"], 1, 1000)),
        retention=timedelta(days=_number("retention", filled["retention"], 0.01, 36_500)),
        spool_limit=int(_number("spool_limit", filled["spool_limit"], 1, 10**7) * 2**20),
        guard_run=int(_number("guard_run", filled["guard_run"], 1, 10**9)),
        guard_share=_number("guard_share", filled["guard_share"], 0.001, 1),
    )


def sqlite_path(url: str) -> Path:
    """The file of a `sqlite:///` URL."""
    return Path(url.removeprefix("sqlite:///")).expanduser()


def read_toml(path: Path, what: str) -> dict[str, object]:
    """A TOML file as it stands. Raises WrongCall naming the file and the line."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WrongCall(f"{what} {path} does not exist: create it, or name another") from None
    except (OSError, UnicodeDecodeError) as error:
        raise WrongCall(f"{what} {path} cannot be read ({error.__class__.__name__}): check its rights") from None
    except tomllib.TOMLDecodeError as error:
        raise WrongCall(f"{what} {path} is not valid TOML: {error}") from None


def nearest(word: str, known: object) -> str:
    """A hint for a misspelt word, or nothing."""
    near = difflib.get_close_matches(word, list(known), 1, 0.6)  # type: ignore[call-overload]
    return f" (did you mean {near[0]}?)" if near else ""


def _from_file(path: Path) -> dict[str, str]:
    found = read_toml(path, "the settings file")
    for key, value in found.items():
        _known(key, key)
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise WrongCall(f"{key} in {path} takes {KINDS[key]}, not {type(value).__name__}")
    return {k: str(v) for k, v in found.items()}


def _from_env(env: Mapping[str, str]) -> dict[str, str]:
    ours = {k: v for k, v in env.items() if k.startswith(PREFIX) and not k.startswith(PREFIX + "TEST_")}
    ours.pop(PREFIX + "CONFIG", None)
    for name in ours:
        _known(name.removeprefix(PREFIX).lower(), name)
    return {k.removeprefix(PREFIX).lower(): v for k, v in ours.items()}


def _known(key: str, shown: str) -> None:
    if key not in DEFAULTS:
        names = ", ".join(DEFAULTS)
        raise WrongCall(f"{shown} is no setting{nearest(key, DEFAULTS)}: remove it, or use one of {names}")


def _listen(value: str) -> tuple[str, int]:
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise WrongCall(f"listen takes {KINDS['listen']}, not {value!r}")
    return host.strip("[]"), int(port)


def _url(key: str, value: str, schemes: tuple[str, ...]) -> str:
    if not value.startswith(schemes):
        # a URL may hold a password: only its scheme is shown
        raise WrongCall(f"{key} takes {KINDS[key]}, not {value.partition(':')[0]}:…")
    return value


def _number(key: str, value: str, least: float, most: float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        raise WrongCall(f"{key} takes {KINDS[key]}, not {value!r}")
    return number


def _zone(value: str) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise WrongCall(f"zone takes {KINDS['zone']}, not {value!r}") from None
