"""The manifest of a database, its address, and what a sample of it would become: each mistake is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors import Http, ProviderConnections, Secret
from connectors._database_manifest import SHIPPED, DatabaseManifest, load_database_manifest, parse_database_manifest
from connectors._database_session import read_address
from connectors._portal_loading import manifest_schema
from connectors.database import Database, DatabaseSettings
from schemas import AccountFault, Reject, Retry
from tests.channels.database.sources import MANIFEST, Source
from tests.services.ports import free_ports

GOOD = MANIFEST.replace("{timeout}", "30s").replace("{size}", "20").replace("{more}", "")


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_manifests_are_right(path: Path) -> None:
    assert load_database_manifest(path.stem) == load_database_manifest(str(path))


def test_the_schema_for_editors_is_the_written_one() -> None:
    written = Path(__file__).parents[3] / "docs" / "database.schema.json"
    assert written.read_bytes() == manifest_schema(DatabaseManifest), "python -m deploy.manifest_schema"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('zone = "Asia/Makassar"', 'zone = "Asia/Bone"'),
        ('timeout = "30s"', 'timeout = "soon"'),
        ('overlap = "15m"', 'overlap = "some"'),
        ('overlap = "15m"', 'start = "yesterday"'),
        ("size = 20", "size = 0"),
        ("size = 20", "size = 100000"),
        ("size = 20", "siez = 20"),
        ('key = "nomor"', 'key = " "'),
        ('key = "nomor"', ""),
        ('query = "SELECT', 'query = "DELETE FROM aduan; SELECT'),
        ('query = "SELECT', 'query = "UPDATE aduan SET x = 1 --'),
        ('text = "isi"', 'text = "isi-nya["'),
        ("[tables.status]", '[tables.region]\nDepok = "34-04"\n[tables.status]'),
    ],
)
def test_a_mistake_is_one_line_with_table_and_key(right: str, wrong: str) -> None:
    assert parse_database_manifest(GOOD, "m.toml")
    with pytest.raises(ValueError, match=r"^m\.toml: (?:\[[^\n]*\])?[^\n]*: [^\n]+$"):
        parse_database_manifest(GOOD.replace(right, wrong), "m.toml")


def test_an_answer_must_say_which_report_it_is_about() -> None:
    start, end = GOOD.index("[views.aduan.message]"), GOOD.index("[[views.aduan.actions]]")
    with pytest.raises(ValueError, match=r"\[\[?views\.aduan\.actions\]\] of: is missing"):
        parse_database_manifest(GOOD[:start] + GOOD[end:], "m.toml")


@pytest.mark.parametrize(
    ("url", "sign"),
    [
        ("aduan", "takes an address"),
        ("postgresql://u:rahasia@", "a host and a database"),
        ("mariadb://u:rahasia@db.example.go.id", "a host and a database"),
        ("mssql://u:rahasia@db.example.go.id/aduan", "have another kind of database exported"),
        ("oracle://u:rahasia@db.example.go.id/aduan", "pip install oracledb"),
    ],
)
def test_an_address_that_is_none_is_named_without_its_secrets(url: str, sign: str) -> None:
    with pytest.raises(ValueError, match=sign) as fault:
        Database("rekam", "32.73", DatabaseSettings(manifest="basis-data", url=Secret(url)))
    assert "rahasia" not in str(fault.value)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("postgres://hub@db.example.go.id/aduan", "postgresql://db.example.go.id:5432"),
        ("mysql://hub:x@db.example.go.id:3307/aduan", "mysql://db.example.go.id:3307"),
        ("sqlite:////srv/hotline.db", ""),
    ],
)
def test_an_address_is_shown_without_login(written: str, shown: str) -> None:
    address = read_address(written, "rahasia-1")
    assert address.shown == shown
    assert "rahasia-1" not in f"{address!r} {address}"


def test_what_is_missing_is_named() -> None:
    assert Database("rekam", "32.73", DatabaseSettings()).missing_setting == "manifest"
    assert Database("rekam", "32.73", DatabaseSettings(manifest="basis-data")).missing_setting == "url"


async def test_a_database_that_does_not_answer_is_asked_again(tmp_path: Path) -> None:
    [port] = free_ports(1)
    async with Http() as http:
        for scheme in ("postgresql", "mariadb"):
            own = DatabaseSettings(manifest="basis-data", url=Secret(f"{scheme}://hub:rahasia@127.0.0.1:{port}/aduan"))
            with pytest.raises(Retry) as fault:
                await Database("rekam", "32.73", own).poll(None, ProviderConnections(http))
            assert "rahasia" not in str(fault.value)
            assert str(port) not in str(fault.value)
        gone = DatabaseSettings(manifest="basis-data", url=Secret(f"sqlite:///{tmp_path}/tiada.db"))
        with pytest.raises(AccountFault) as missing:
            await Database("rekam", "32.73", gone).poll(None, ProviderConnections(http))
        assert missing.value.code == "no_database"


@pytest.mark.service
async def test_a_login_or_a_database_that_is_unknown_is_named(databases) -> None:  # type: ignore[no-untyped-def]
    there = next(databases)
    async with Http() as http:
        for url, code in (
            (there.replace("postgres@", "tiada:rahasia@"), "login_refused"),
            (there.rpartition("/")[0] + "/tiada", "no_database"),
        ):
            door = Database("rekam", "32.73", DatabaseSettings(manifest="basis-data", url=Secret(url)))
            with pytest.raises(AccountFault) as fault:
                await door.poll(None, ProviderConnections(http))
            assert (fault.value.code, "rahasia" in fault.value.detail) == (code, False)


def test_a_sample_is_an_export_as_json_or_csv() -> None:
    door = Database("rekam", "32.73", DatabaseSettings(manifest="basis-data"))
    body = b"nomor;isi;petugas\nA1;Lampu mati;Bu X\nA2;Macet;\n"
    name, rows = door.rows_of_sample(body, "")
    assert (name, [row["nomor"] for row in rows]) == ("aduan", ["A1", "A2"])
    assert door.unused_fields(name, rows) == {"petugas": 2}
    with pytest.raises(Reject):
        door.rows_of_sample(b"<html>Login</html>", "")


@pytest.mark.service
async def test_a_mariadb_may_be_called_mysql(mariadb_urls, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    there = Source(next(mariadb_urls), tmp_path)
    there.url = there.url.replace("mariadb+pymysql", "mysql")
    async with Http() as http:
        found = [one.text for one in await there.account().check(ProviderConnections(http))]
    assert found == ["the session is read-only, by the server's own word", "view aduan: of 0 rows: nothing"]
