"""Our server of GeoReport v2: each corner of the specification, over the whole pipeline behind it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from itertools import count
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from lxml import etree

from hub.opening import open_hub
from hub.running.serve import WORK, run_stages
from hub.running.status import ProcessStatus
from hub.settings import load_settings
from schemas.raw import Raw
from tests.web.asgi import Response
from tests.web.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="module")
KEY = "kunci-klien-satu"
OTHER = "kunci-klien-dua"
CHANNELS = f"""
[o311]
kind = "open311"
owner = "32.73"
keys = ["{KEY}", "{OTHER}"]
jurisdiction_id = "contoh.go.id"

[dinas]
kind = "open311"
owner = "32.73"
keys = ["kunci-dinas"]
office = "dinas-pu"
publishes = "region"

[saring]
kind = "open311"
owner = "32.73"
keys = ["{KEY}"]

[kabar]
kind = "open311"
owner = "32.73"
keys = ["{KEY}"]

[tertutup]
kind = "open311"
owner = "32.77"
keys = ["kunci-tiga"]
publishes = "none"
services = ["1398"]

[web]
kind = "web"
owner = "32.73"
api_keys = ["kunci-web"]

[petugas]
kind = "console"
owner = "32"
api_keys = ["kunci-petugas"]
"""
REPORT = {"service_code": "1398", "description": "Lampu jalan mati di depan pasar", "lat": "-6.9", "long": "107.6"}
PERSONS = count(100)
"""The same words of one person are one report: each test has its own."""
LONG_AGO = "2020-01-01T00:00:00Z"


class Client:
    """A client of one account."""

    def __init__(self, site: Site, account: str = "o311", key: str = KEY) -> None:
        self.site, self.account, self.key = site, account, key

    async def get(self, path: str, **params: str) -> Response:
        query = f"?{urlencode(params)}" if params else ""
        return await self.site.call("GET", f"/in/{self.account}/{path}{query}")

    async def post(self, path: str, fields: dict[str, Any] | list[tuple[str, str]]) -> Response:
        pairs = [*(fields.items() if isinstance(fields, dict) else fields)]
        pairs += [("api_key", self.key)] if self.key else []
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return await self.site.call("POST", f"/in/{self.account}/{path}", urlencode(pairs).encode(), headers)

    async def report(self, **fields: str) -> str:
        """Posts a report that is recorded when this returns."""
        fields = {"account_id": str(next(PERSONS)), **fields}
        answer = await self.post("requests.json", {**REPORT, **fields})
        assert answer.status == 200, answer.text
        [created] = answer.json
        await self.recorded(created["service_request_id"])
        return created["service_request_id"]

    async def recorded(self, number: str) -> None:
        for _ in range(100):
            if (await self.site.call("GET", f"/api/v1/reports/{number}")).status == 200:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("it was not recorded")

    async def seen(self, number: str) -> dict[str, Any]:
        answer = await self.get(f"requests/{number}.json")
        assert answer.status == 200, answer.text
        [found] = answer.json
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """One hub for all tests here: each looks at its own reports only."""
    folder = tmp_path_factory.mktemp("hub")
    (folder / "channels.toml").write_text(CHANNELS)
    settings = load_settings({"data": str(folder), "bus": "memory://", "public_url": "https://lapor.test"}, {})
    status = ProcessStatus()
    async with open_hub(settings) as opened, run_stages(settings, opened, status, WORK):
        yield Site(settings, opened, status)


@pytest.fixture
def client(site: Site) -> Client:
    return Client(site)


def xml(answer: Response) -> Any:
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert answer.body.startswith(b"<?xml version='1.0' encoding='utf-8'?>")
    return etree.fromstring(answer.body)


def assert_error(answer: Response, status: int, words: str, form: str = "json") -> None:
    """An array of errors, with a code and a description each, in the form that was asked for."""
    assert answer.status == status, answer.text
    if form == "json":
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        [error] = answer.json
    else:
        root = xml(answer)
        assert root.tag == "errors"
        error = {child.tag: child.text for child in root.find("error")}
    assert error["code"] == str(status)
    assert words in error["description"]


async def act(site: Site, number: str, **fields: str) -> None:
    headers = {"authorization": "Bearer kunci-petugas", "content-type": "application/json", "prefer": "wait=5"}
    body = "{" + ", ".join(f'"{name}": "{value}"' for name, value in fields.items()) + "}"
    answer = await site.call("POST", f"/api/v1/reports/{number}/actions", body.encode(), headers)
    assert (answer.status, answer.json["outcome"]) == (200, "added"), answer.text


async def test_services_stand_in_xml_and_in_json(client: Client):
    listed = (await client.get("services.json")).json
    assert {
        "service_code": "1398",
        "service_name": "Penerangan Jalan",
        "type": "realtime",
        "metadata": True,
    }.items() <= {name: value for one in listed if one["service_code"] == "1398" for name, value in one.items()}.items()
    root = xml(await client.get("services.xml"))
    assert root.tag == "services"
    assert len(root.findall("service")) == len(listed)
    assert {s.findtext("metadata") for s in root} == {"true"}


async def test_a_container_is_an_array_even_of_one(site: Site):
    only = Client(site, "tertutup")
    assert [one["service_code"] for one in (await only.get("services.json")).json] == ["1398"]


async def test_the_definition_has_ordered_attributes(client: Client):
    definition = (await client.get("services/1398.json")).json
    assert definition["service_code"] == "1398"
    orders = [one["order"] for one in definition["attributes"]]
    assert orders == sorted(set(orders))
    assert min(orders) > 0
    root = xml(await client.get("services/1398.xml"))
    assert root.tag == "service_definition"
    assert [a.findtext("code") for a in root.find("attributes").findall("attribute")] == [
        "title", "incident_date", "anonymous", "secret"
    ]  # fmt: skip
    assert [v.findtext("key") for v in root.findall("attributes/attribute/values/value")] == ["true", "false"] * 2
    assert_error(await client.get("services/7777777.xml"), 404, "service_code", "xml")


async def test_discovery_has_all_its_fields(client: Client):
    found = (await client.get("discovery.json")).json
    [endpoint] = found["endpoints"]
    assert all(found[name] for name in ("changeset", "contact", "key_service"))
    assert endpoint["url"] == "https://lapor.test/in/o311"
    assert endpoint["formats"] == ["text/xml", "application/json"]
    root = xml(await client.get("discovery.xml"))
    assert [f.text for f in root.findall("endpoints/endpoint/formats/format")] == ["text/xml", "application/json"]
    assert root.findtext("endpoints/endpoint/type") == "production"


@pytest.mark.parametrize("path", ["services.txt", "services", "nothing.xml", "", "requests/1/2.xml", "services.XML"])
async def test_what_is_not_there_is_404(client: Client, path: str):
    assert_error(await client.get(path), 404, "nothing here", "xml")


async def test_the_id_is_our_number_and_comes_at_once(site: Site, client: Client):
    answer = await client.post("requests.xml", REPORT)
    root = xml(answer)
    assert root.tag == "service_requests"
    number = root.findtext("request/service_request_id")
    assert re.fullmatch(r"\d{10}", number)
    assert root.find("request/token") is None
    assert (await client.seen(number))["status"] == "open"
    assert (await site.call("GET", f"/api/v1/reports/{number}")).json["number"] == number


async def test_a_report_is_shown_without_its_reporter(client: Client):
    number = await client.report(
        description="Lampu mati, hubungi 081200000001", first_name="Budi", email="budi@contoh.id", phone="081200000002",
        address_string="Jl. Contoh 5",
    )  # fmt: skip
    found = await client.seen(number)
    assert found["description"].startswith("Lampu mati, hubungi ")
    assert (found["service_code"], found["service_name"]) == ("1398", "Penerangan Jalan")
    assert (found["lat"], found["long"], found["address"]) == (-6.9, 107.6, "Jl. Contoh 5")
    assert found["requested_datetime"].endswith("Z")
    whole = (await client.get(f"requests/{number}.xml")).text + str(found)
    assert not [word for word in ("0812", "Budi", "budi@", "contoh.id") if word in whole]


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"service_code": ""}, 400, "service_code"),
        ({"service_code": "7777777"}, 404, "service_code"),
        ({"lat": ""}, 400, "location"),
        ({"lat": "", "long": "", "address_id": ""}, 400, "location"),
        ({"lat": "utara"}, 400, "lat"),
        ({"lat": "91"}, 400, "lat"),
        ({"long": "nan"}, 400, "long"),
        ({"description": "x" * 4001}, 400, "4000"),
        ({"description": ""}, 400, "description"),
        ({"jurisdiction_id": "lain.go.id"}, 404, "jurisdiction_id"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_wrong_report_is_refused_in_the_form_asked_for(
    client: Client, changes: dict[str, str], status: int, words: str, form: str
):
    assert_error(await client.post(f"requests.{form}", REPORT | changes), status, words, form)


@pytest.mark.parametrize("key", ["", "tebakan"])
async def test_only_posts_need_a_key(site: Site, key: str):
    stranger = Client(site, key=key)
    assert_error(await stranger.post("requests.json", REPORT), 403, "api_key")
    assert_error(await stranger.post("servicerequestupdates.xml", {}), 403, "api_key", "xml")
    assert (await stranger.get("requests.json")).status == 200


async def test_a_monitor_may_ask_for_the_head_alone(client: Client):
    for path, status in (("services.xml", 200), ("requests.json", 200), ("requests/1234567897.xml", 404)):
        assert (await client.site.call("HEAD", f"/in/o311/{path}")).status == status


@pytest.mark.parametrize("media_type", ["multipart/form-data; boundary=x", "application/json"])
async def test_a_post_that_is_no_form_is_told_so_and_not_that_its_key_is_missing(client: Client, media_type: str):
    body = f'--x\r\nContent-Disposition: form-data; name="api_key"\r\n\r\n{KEY}\r\n--x--\r\n'.encode()
    for query in ("", f"?api_key={KEY}"):
        answer = await client.site.call("POST", f"/in/o311/requests.json{query}", body, {"content-type": media_type})
        assert_error(answer, 400, "application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    "where",
    [{"address_string": "Pasar Contoh"}, {"address_id": "7"}, {"lat": "-6.9", "long": "107.6", "jurisdiction_id": ""},
     {"jurisdiction_id": "contoh.go.id", "address_string": "Pasar", "lat": "", "long": ""}],
    ids=lambda where: ",".join(where),
)  # fmt: skip
async def test_each_form_of_a_location_is_taken(client: Client, where: dict[str, str]):
    answer = await client.post("requests.json", {"service_code": "1398", "description": "Lampu mati", **where})
    assert answer.status == 200, answer.text


async def test_jurisdictions(client: Client):
    assert_error(await client.get("services.xml", jurisdiction_id="lain"), 404, "jurisdiction_id", "xml")
    assert (await client.get("services.xml", jurisdiction_id="")).status == 200
    assert (await client.get("services.xml", jurisdiction_id="contoh.go.id")).status == 200
    assert (await Client(client.site, "dinas").get("services.xml", jurisdiction_id="apa saja")).status == 200


async def test_the_same_report_again_has_the_same_id(site: Site, client: Client):
    first = await client.report(account_id="u-1")
    assert await client.report(account_id="u-1") == first
    assert await client.report(account_id="u-2") != first
    assert await client.report(account_id="u-1", description="Lampu lain mati") != first
    assert await client.report(account_id="u-1", lat="-6.91") != first
    assert await Client(site, key=OTHER).report(account_id="u-1") != first
    found = (await client.get("requests.json")).json
    assert [one["service_request_id"] for one in found].count(first) == 1


async def test_nothing_stored_holds_the_key(site: Site, client: Client, monkeypatch: pytest.MonkeyPatch):
    kept: list[bytes] = []
    publish = site.publish

    async def watched(raws: list[Raw]) -> None:
        kept.extend(bytes(raw.body) for raw in raws)
        await publish(raws)

    monkeypatch.setattr(site, "publish", watched)
    await client.report(description="Lampu mati, dilihat")
    assert kept
    assert not [body for body in kept if KEY.encode() in body]


async def test_status_and_code_filter_and_ids_override(site: Site):
    client = Client(site, "saring")
    lamp, road = await client.report(), await client.report(service_code="928", description="Jalan berlubang")
    await act(site, road, act="verify")
    await act(site, road, act="finish", text="Jalan sudah ditambal")

    async def listed(**params: str) -> set[str]:
        return {one["service_request_id"] for one in (await client.get("requests.json", **params)).json}

    assert await listed() == {lamp, road}
    assert await listed(status="open") == {lamp}
    assert await listed(status="closed") == {road}
    assert await listed(status="open,closed") == {lamp, road}
    assert await listed(service_code="928") == {road}
    assert await listed(service_code="928,1398") == {lamp, road}
    assert await listed(service_request_id=f"{lamp}, 0000000000", status="closed", start_date="rubbish") == {lamp}
    assert await listed(start_date=LONG_AGO) == set()
    assert await listed(page="1", page_size="1") | await listed(page="2", page_size="1") == {lamp, road}
    closed = await client.seen(road)
    assert (closed["status"], closed["status_notes"]) == ("closed", "Jalan sudah ditambal")
    assert closed["expected_datetime"] is None
    root = xml(await client.get("requests.xml", status="closed"))
    assert [r.findtext("service_request_id") for r in root.findall("request")] == [road]
    assert root.find("request/zipcode").text is None


@pytest.mark.parametrize(
    "params",
    [
        {"start_date": "2026-01-01T00:00:00"}, {"start_date": "2026-01-01"}, {"end_date": "kemarin"},
        {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-06-01T00:00:00Z"}, {"status": "selesai"},
        {"page": "0"}, {"page_size": "x"},
    ],
    ids=str,
)  # fmt: skip
async def test_a_wrong_question_is_400(client: Client, params: dict[str, str]):
    assert_error(await client.get("requests.json", **params), 400, "")


@pytest.mark.parametrize(
    "start",
    ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123Z", "2026-01-01T07:00:00+07:00", "2026-01-01T07:00:00 07:00"],
)
async def test_times_with_a_zone_are_taken(client: Client, start: str):
    answer = await client.get("requests.json", start_date=start, end_date="2026-02-01T00:00:00Z")
    assert (answer.status, answer.json) == (200, [])


async def test_extensions_show_more(client: Client):
    number = await client.report(**{"attribute[title]": "Gelap sekali"})
    [found] = (await client.get("requests.json", service_request_id=number, extensions="true")).json
    assert found["extended_attributes"] == {"title": "Gelap sekali", "detailed_status": "unverified"}
    assert "extended_attributes" not in await client.seen(number)


async def test_a_secret_report_is_nowhere(client: Client, site: Site, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hub.web.open311_posts.RECENT_WITHIN", 0.1)
    secret = await client.report(description="Pungli di loket", **{"attribute[secret]": "true"})
    await act(site, secret, act="answer", text="Kami selidiki pungli itu")
    for account in ("o311", "dinas"):
        reader = Client(site, account)
        assert_error(await reader.get(f"requests/{secret}.json"), 404, "service_request_id")
        assert_error(await reader.get(f"tokens/{secret}.json"), 404, "service_request_id")
        assert (await reader.get("requests.json", service_request_id=secret)).json == []
        for path in ("requests.json", "requests.xml", "servicerequestupdates.json"):
            answer = await reader.get(path)
            assert answer.status == 200
            assert not [word for word in (secret, "ungli") if word in answer.text]


async def test_an_anonymous_report_has_no_point(client: Client):
    number = await client.report(**{"attribute[anonymous]": "ya", "address_string": "Jl. Contoh 5"})
    found = await client.seen(number)
    assert (found["lat"], found["long"], found["address"]) == (None, None, "Jl. Contoh 5")


async def test_an_account_lists_its_own_reports_or_its_regions(client: Client, site: Site):
    headers = {"authorization": "Bearer kunci-web", "content-type": "application/json", "prefer": "wait=5"}
    filed = await site.call("POST", "/api/v1/reports", b'{"text": "Got mampet di Jalan Contoh"}', headers)
    by_form, by_client = filed.json["number"], await client.report()
    region = Client(site, "dinas")
    await region.recorded(by_form)

    async def listed(reader: Client) -> set[str]:
        return {one["service_request_id"] for one in (await reader.get("requests.json")).json}

    own = await listed(client)
    assert by_client in own
    assert by_form not in own
    assert {by_form, by_client} <= await listed(region)
    closed = Client(site, "tertutup", "kunci-tiga")
    hidden = await closed.report()
    assert await listed(closed) == set()
    assert_error(await closed.get(f"requests/{hidden}.json"), 404, "service_request_id")


async def test_a_token_is_an_id(client: Client):
    number = await client.report()
    [found] = (await client.get(f"tokens/{number}.json")).json
    assert found == {"service_request_id": number, "token": number}


async def test_the_hub_says_what_was_done_as_updates(site: Site):
    client = Client(site, "kabar")
    number = await client.report()
    for acted in ({"act": "verify"}, {"act": "answer", "text": "Petugas berangkat"},
                  {"act": "note", "text": "Catatan dalam"}, {"act": "finish", "text": "Lampu diganti"},
                  {"act": "reopen", "text": "Mati lagi"}):  # fmt: skip
        await act(site, number, **acted)
    found = (await client.get("servicerequestupdates.json")).json
    assert {one["service_request_id"] for one in found} == {number}
    assert len({one["update_id"] for one in found}) == len(found)
    told = [(one["status"], one["description"]) for one in found]
    assert told[0] == ("investigating", "")
    assert ("fixed", "Lampu diganti") in told
    assert told[-1][0] == "reopen"
    assert "Petugas berangkat" in [words for _, words in told]
    assert "Catatan dalam" not in str(told)
    root = xml(await client.get("servicerequestupdates.xml"))
    assert [u.findtext("update_id") for u in root.findall("request_update")] == [one["update_id"] for one in found]


async def test_updates_take_both_dates_or_none(client: Client):
    dates = {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-01-02T00:00:00Z"}
    for name, value in dates.items():
        assert_error(await client.get("servicerequestupdates.json", **{name: value}), 400, "both")
    assert (await client.get("servicerequestupdates.json", **dates)).json == []


def update(number: str, **changes: str) -> dict[str, str]:
    return {
        "service_request_id": number, "update_id": "41", "updated_datetime": "2026-11-29T08:00:00+07:00",
        "status": "OPEN", "description": "Masih gelap", **changes,
    }  # fmt: skip


async def words_of(site: Site, number: str) -> list[str]:
    from sink import export

    lines = await site.opened.outside.pools.io(lambda: list(export(site.opened.storage.record, None)))
    return [m["text"] for line in lines if line["number"] == number for m in line["messages"] if m["direction"] == "in"]


async def test_a_citizens_update_is_added_once(client: Client, site: Site):
    number = await client.report()
    for _ in range(2):
        answer = await client.post("servicerequestupdates.xml", update(number))
        assert xml(answer).findtext("request_update/update_id") == "41"
    for _ in range(100):
        if len(await words_of(site, number)) > 1:
            break
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)
    assert await words_of(site, number) == [REPORT["description"], "Masih gelap"]


async def test_an_offices_update_is_its_answer(site: Site, client: Client):
    number = await client.report()
    office = Client(site, "dinas", "kunci-dinas")
    fields = update(number, status="FIXED", description="Lampu sudah diganti")
    assert (await office.post("servicerequestupdates.json", fields)).status == 200
    for _ in range(100):
        if (await client.seen(number))["status"] == "closed":
            break
        await asyncio.sleep(0.05)
    found = await client.seen(number)
    assert (found["status"], found["status_notes"]) == ("closed", "Lampu sudah diganti")


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"service_request_id": ""}, 400, "service_request_id"), ({"update_id": ""}, 400, "update_id"),
        ({"updated_datetime": ""}, 400, "updated_datetime"), ({"updated_datetime": "2026-11-29T08:00:00"}, 400, "zone"),
        ({"status": ""}, 400, "status"), ({"status": "ON_THE_MOON"}, 400, "status"),
        ({"description": "x" * 4001}, 400, "4000"), ({"service_request_id": "0000000000"}, 404, "service_request_id"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
async def test_a_wrong_update_is_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], status: int, words: str
):
    monkeypatch.setattr("hub.web.open311_posts.RECENT_WITHIN", 0.1)
    fields = update("4719360285", **changes)
    assert_error(await client.post("servicerequestupdates.json", fields), status, words)


async def test_what_cannot_be_stored_is_503(client: Client, site: Site, monkeypatch: pytest.MonkeyPatch):
    async def broken(_: list[Raw]) -> None:
        raise OSError("no space")

    monkeypatch.setattr(site, "publish", broken)
    answer = await client.post("requests.json", REPORT)
    assert_error(answer, 503, "try again")
    assert answer.headers["retry-after"] == "5"


async def test_other_methods_are_405(site: Site):
    assert (await site.call("DELETE", "/in/o311/requests.xml")).status == 405
