"""The parts of a `kafka://` URL.

    kafka://[USER:PASSWORD@]HOST:PORT[,HOST:PORT…][/PREFIX][?tls=true&ca=FILE&cert=FILE&key=FILE&sasl=MECHANISM&session=SECONDS]
            [&brokers=NUMBER]

PASSWORD is percent-encoded, or `env:NAME` or `file:PATH`. With a user and no `sasl`, the mechanism is SCRAM-SHA-512.
PREFIX and a dot come before the names of topics and groups, so that several hubs may share a cluster. `session` is how
long a member that died keeps its partitions (10 s; brokers refuse less than 6 s unless configured otherwise). `brokers`
is how many must be up before topics are created, each with so many copies, at most 3 (3; a single broker needs
`brokers=1`).
"""

from __future__ import annotations

import os
import random
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from bus._file import UnusableLog

_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_KNOWN = {"tls", "ca", "cert", "key", "sasl", "session", "brokers"}
_SERVER = re.compile(r"([\w.-]+|\[[0-9a-fA-F:]+\]):([0-9]{1,5})")
_PREFIX = re.compile(r"[A-Za-z0-9_-]{1,100}")
_LEAST, _MOST = 1.0, 300.0
_SESSION = 10.0
"""Seconds."""
_BROKERS = 3
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """A cluster, and how to connect to it."""

    servers: tuple[str, ...]
    prefix: str
    """Empty, or ends with a dot."""
    session: float
    """Seconds."""
    brokers: int
    """How many must be up before topics are created."""
    security: Mapping[str, Any] = field(repr=False)
    """Arguments of aiokafka's clients, the password among them."""

    def client(self, seconds: float) -> dict[str, Any]:
        """Arguments of a client whose requests may take so long."""
        return {
            "bootstrap_servers": random.sample(self.servers, len(self.servers)),  # a silent one must not block
            "request_timeout_ms": int(seconds * 1000),
            "retry_backoff_ms": 100,
            **self.security,
        }


def parse_kafka_url(url: str) -> KafkaAddress:
    """Raises UnusableLog, which says what to do and shows no password."""
    rest, _, query = url.removeprefix("kafka://").partition("?")
    user, _, place = rest.rpartition("@")  # first: a password's file:PATH has slashes of its own
    hosts, _, path = place.partition("/")
    options = _options(query)
    servers = tuple(hosts.split(","))
    if not all(_SERVER.fullmatch(server) for server in servers):
        raise UnusableLog("the bus has no server: write kafka://HOST:PORT or kafka://HOST:PORT,HOST:PORT")
    if path and not _PREFIX.fullmatch(path):
        raise UnusableLog("the bus's /PREFIX takes letters, digits, - and _: choose another")
    security = _tls(options) | _login(user, options)
    return KafkaAddress(servers, f"{path}." if path else "", _session(options), _brokers(options), security)


def _options(query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := set(options) - _KNOWN:
        name = min(unknown)
        shown = name if name.isidentifier() else "…"
        raise UnusableLog(f"the bus knows no option {shown}: use {', '.join(sorted(_KNOWN))}")
    return options


def _session(options: Mapping[str, str]) -> float:
    try:
        session = float(options.get("session", _SESSION))
    except ValueError:
        session = 0.0
    if not _LEAST <= session <= _MOST:
        raise UnusableLog(f"the bus's session takes seconds from {_LEAST:g} to {_MOST:g}: write session=10")
    return session


def _brokers(options: Mapping[str, str]) -> int:
    number = options.get("brokers", str(_BROKERS))
    if not re.fullmatch("[1-9][0-9]{0,3}", number):
        raise UnusableLog("the bus's brokers takes how many must be up: write brokers=3, or brokers=1 for a single one")
    return int(number)


def _tls(options: Mapping[str, str]) -> dict[str, Any]:
    if (tls := _BOOLEANS.get(options.get("tls", "false"))) is None:
        raise UnusableLog("the bus's tls takes true or false")
    files = {name: options[name] for name in ("ca", "cert", "key") if name in options}
    if not tls:
        if files:
            raise UnusableLog(f"the bus's {min(files)} needs tls=true: add it, or take the file out")
        return {}
    if "key" in files and "cert" not in files:
        raise UnusableLog("the bus's key needs a cert: name both, or the cert alone where its file holds the key")
    try:
        context = ssl.create_default_context(cafile=files.get("ca"))
        if "cert" in files:
            context.load_cert_chain(files["cert"], files.get("key"), _no_passphrase)
    except (OSError, ValueError) as error:
        raise UnusableLog(
            f"the bus's ca, cert or key cannot be used ({type(error).__name__}): check the files"
        ) from None
    return {"security_protocol": "SSL", "ssl_context": context}


def _no_passphrase() -> str:
    raise ValueError("a key with a passphrase")  # OpenSSL would ask at the terminal


def _login(user: str, options: Mapping[str, str]) -> dict[str, Any]:
    mechanism = options.get("sasl", "SCRAM-SHA-512")
    if mechanism not in _MECHANISMS:
        raise UnusableLog(f"the bus's sasl takes one of {', '.join(_MECHANISMS)}")
    if not user:
        if "sasl" in options:
            raise UnusableLog("the bus's sasl needs a login: write kafka://USER:PASSWORD@HOST:PORT")
        return {}
    name, _, password = user.partition(":")
    if not name or not password:
        raise UnusableLog("the bus's login is half: write kafka://USER:PASSWORD@HOST:PORT")
    if mechanism == "PLAIN" and options.get("tls") != "true":
        raise UnusableLog("the bus's sasl=PLAIN would send the password readable: add tls=true, or use SCRAM-SHA-512")
    return {
        "sasl_mechanism": mechanism,
        "sasl_plain_username": unquote(name),
        "sasl_plain_password": _secret(unquote(password)),
        "security_protocol": "SASL_SSL" if options.get("tls") == "true" else "SASL_PLAINTEXT",
    }


def _secret(value: str) -> str:
    source, _, rest = value.partition(":")
    if source == "env":
        if rest not in os.environ:
            raise UnusableLog("the bus's password names a variable that the environment has not: set it")
        return os.environ[rest]
    if source == "file":
        try:
            return Path(rest).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UnusableLog(f"the file of the bus's password cannot be read ({type(error).__name__})") from None
    return value
