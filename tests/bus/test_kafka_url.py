"""The parts of a `kafka://` URL, and the errors of wrong ones."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from bus import UnusableLog
from bus._kafka_url import parse_kafka_url
from bus.kafka import KafkaBus

SECRET = "hunter2"


def test_servers_prefix_and_session() -> None:
    address = parse_kafka_url("kafka://one:9092,two:9093/bandung?session=6")
    assert (address.servers, address.prefix, address.session) == (("one:9092", "two:9093"), "bandung.", 6.0)
    assert address.security == {}
    assert parse_kafka_url("kafka://[::1]:9092").prefix == ""


def test_topics_wait_for_three_brokers_unless_stated() -> None:
    assert parse_kafka_url("kafka://one:9092").brokers == 3
    assert parse_kafka_url("kafka://one:9092?brokers=1").brokers == 1


def test_the_password_shows_in_no_repr() -> None:
    assert SECRET not in repr(parse_kafka_url(f"kafka://hub:{SECRET}@one:9092"))


def test_a_login_has_the_strongest_mechanism_unless_told() -> None:
    security = parse_kafka_url(f"kafka://hub:{SECRET}%2F@one:9092").security
    assert security == {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "hub",
        "sasl_plain_password": f"{SECRET}/",
    }
    assert parse_kafka_url("kafka://hub:x@one:9092?sasl=PLAIN&tls=true").security["sasl_mechanism"] == "PLAIN"


def test_the_password_may_lie_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUS_PASSWORD", SECRET)
    (tmp_path / "secret").write_text(SECRET + "\n")
    file = f"file:{tmp_path}/secret"
    for told in ("env:BUS_PASSWORD", file, file.replace("/", "%2F")):
        assert parse_kafka_url(f"kafka://hub:{told}@one:9092").security["sasl_plain_password"] == SECRET


def test_tls_checks_the_brokers_name() -> None:
    security = parse_kafka_url("kafka://hub:x@one:9092?tls=true").security
    assert security["security_protocol"] == "SASL_SSL"
    assert security["ssl_context"].verify_mode == ssl.CERT_REQUIRED
    assert security["ssl_context"].check_hostname
    assert parse_kafka_url("kafka://one:9092?tls=true").security["security_protocol"] == "SSL"


@pytest.mark.parametrize(
    ("url", "fix"),
    [
        (f"kafka://hub:{SECRET}@", "write kafka://HOST:PORT"),
        (f"kafka://hub:{SECRET}@one", "write kafka://HOST:PORT"),
        (f"kafka://hub:{SECRET}@one:9092,", "write kafka://HOST:PORT"),
        (f"kafka://hub:{SECRET}@one:9092/a/b", "choose another"),
        (f"kafka://hub:{SECRET}@one:9092?session=0", "write session=10"),
        (f"kafka://hub:{SECRET}@one:9092?session=soon", "write session=10"),
        (f"kafka://hub:{SECRET}@one:9092?tsl=true", "use brokers, ca, cert, key"),
        (f"kafka://hub:{SECRET}@one:9092?tls=perhaps", "true or false"),
        (f"kafka://hub:{SECRET}@one:9092?ca=x", "tls=true"),
        (f"kafka://hub:{SECRET}@one:9092?tls=true&ca=/nowhere", "check the files"),
        (f"kafka://hub:{SECRET}@one:9092?tls=true&key=x", "name both"),
        (f"kafka://hub:{SECRET}@one:9092?sasl=GSSAPI", "SCRAM-SHA-256"),
        ("kafka://one:9092?sasl=PLAIN", "USER:PASSWORD"),
        (f"kafka://hub:{SECRET}@one:9092?sasl=PLAIN", "add tls=true"),
        (f"kafka://hub:{SECRET}@one:9092?brokers=0", "write brokers=3"),
        (f"kafka://:{SECRET}@one:9092", "USER:PASSWORD"),
        ("kafka://hub@one:9092", "USER:PASSWORD"),
        ("kafka://hub:env:NO_SUCH_VARIABLE@one:9092", "set it"),
        ("kafka://hub:file:%2Fnowhere@one:9092", "cannot be read"),
        ("kafka://hub:file:/nowhere@one:9092", "cannot be read"),
    ],
)
def test_a_wrong_url_says_what_to_do_and_shows_no_password(url: str, fix: str) -> None:
    with pytest.raises(UnusableLog) as wrong:
        KafkaBus(url)
    line = str(wrong.value)
    assert fix in line
    assert SECRET not in line
    assert "\n" not in line
