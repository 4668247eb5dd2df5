"""The reports API: filing, once and only once, telling what is wrong, and telling no more than is proven."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from hub.limits import WebLimits
from hub.opening import open_hub
from hub.settings import Settings
from hub.web.api.problems import too_many
from schemas import Event, Retry
from tests.web.asgi import Response
from tests.web.building import app_of
from tests.web.conftest import KEY, Site

WORDS = "Jembatan gantung di Kampung Cikareo putus dua kawatnya, anak sekolah memutar lima kilometer."
PHONE = "0812-0000-4455"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


async def file(site: Site, report: Mapping[str, Any] | bytes, client: str = "203.0.113.7", **headers: str) -> Response:
    body = report if isinstance(report, bytes) else json.dumps(report).encode()
    sent = {"content-type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
    return await site.call("POST", "/api/v1/reports", body, sent, client=client)


async def filed(site: Site, **more: Any) -> dict[str, str]:
    response = await file(site, {"text": WORDS, "phone": PHONE, **more}, prefer="wait=20")
    assert response.status == 201
    return response.json


def multipart(*parts: tuple[str, str | tuple[str, bytes]]) -> tuple[bytes, dict[str, str]]:
    body = b""
    for name, value in parts:
        filename, content = (f'; filename="{value[0]}"', value[1]) if isinstance(value, tuple) else ("", value.encode())
        body += (
            f'--batas\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n\r\n'.encode() + content + b"\r\n"
        )
    return body + b"--batas--\r\n", {"content-type": "multipart/form-data; boundary=batas"}


async def test_a_report_is_taken_with_202_and_found_by_its_status_url(quiet: Site) -> None:
    response = await file(quiet, {"text": WORDS})
    assert response.status == 202
    assert response.json.keys() == {"id", "status_url", "token"}
    status = await quiet.call("GET", urlsplit(response.json["status_url"]).path)
    assert (status.status, status.json) == (200, {"id": response.json["id"], "number": None, "status": "unverified"})


async def test_a_caller_who_prefers_to_wait_gets_the_number(site: Site) -> None:
    response = await file(site, {"text": WORDS}, prefer="respond-async, wait=20")
    assert (response.status, response.headers["preference-applied"]) == (201, "wait=20")
    assert len(response.json["number"]) == 10


async def test_a_caller_who_waits_in_vain_gets_202(quiet: Site) -> None:
    response = await file(quiet, {"text": WORDS}, prefer="wait=0")
    assert (response.status, "number" in response.json) == (202, False)


async def test_the_same_key_and_body_give_the_same_answer(site: Site) -> None:
    first = await file(site, {"text": WORDS, "name": "Ujang"}, idempotency_key="a-1", prefer="wait=20", x_api_key=KEY)
    again = await file(site, {"name": "Ujang", "text": WORDS}, idempotency_key="a-1", prefer="wait=20", x_api_key=KEY)
    assert (first.status, again.status) == (201, 201)
    assert first.json == again.json


async def test_the_same_key_with_another_body_is_422(site: Site) -> None:
    await file(site, {"text": WORDS}, idempotency_key="a-1", x_api_key=KEY)
    response = await file(site, {"text": "Lain sama sekali"}, idempotency_key="a-1", x_api_key=KEY)
    assert (response.status, response.json["type"]) == (422, "urn:satupintu:problem:key-reused")


async def test_m6_a_repeat_without_an_api_key_gives_the_id_and_no_token(site: Site) -> None:
    first = await file(site, {"text": WORDS}, idempotency_key="1", prefer="wait=20")
    again = await file(site, {"text": WORDS}, idempotency_key="1", prefer="wait=20")
    assert again.json == {name: value for name, value in first.json.items() if name != "token"}


async def test_m6_nobody_is_refused_for_the_key_of_another_behind_the_same_address(site: Site) -> None:
    mine = await file(site, {"text": WORDS}, idempotency_key="1", prefer="wait=20")
    theirs = await file(site, {"text": "Pohon tumbang di Jalan Riau"}, idempotency_key="1", prefer="wait=20")
    assert (mine.status, theirs.status) == (201, 201)
    assert mine.json["number"] != theirs.json["number"]
    assert theirs.json["token"]


async def test_a_key_belongs_to_its_caller(site: Site) -> None:
    mine = await file(site, {"text": WORDS}, idempotency_key="a-1", prefer="wait=20")
    others = await file(site, {"text": WORDS}, "203.0.113.8", idempotency_key="a-1", prefer="wait=20")
    api = await file(site, {"text": WORDS}, idempotency_key="a-1", prefer="wait=20", authorization=f"Bearer {KEY}")
    assert len({response.json["number"] for response in (mine, others, api)}) == 3


async def test_a_key_is_the_native_id(quiet: Site) -> None:
    seen: list[Event] = []

    async def publish(events: list[Event]) -> None:
        seen.extend(events)

    quiet.publish = publish
    await file(quiet, {"text": WORDS}, idempotency_key="surat/2026/17")
    await file(quiet, {"text": WORDS}, "203.0.113.8", idempotency_key="surat/2026/17")
    natives = [json.loads(raw.body)["native"] for raw in seen]  # type: ignore[attr-defined]
    assert natives[0] == "surat/2026/17"
    assert natives[1].startswith("surat/2026/17~")


async def test_a_report_that_was_remembered_and_not_stored_is_stored_by_the_next_try(quiet: Site) -> None:
    async def broken(_: object) -> None:
        raise Retry("the log cannot be written")

    async def publish(raws: list[Event]) -> None:
        stored.extend(raws)

    stored: list[Event] = []
    quiet.publish = broken
    assert (await file(quiet, {"text": WORDS}, idempotency_key="a-1")).status == 503
    quiet.publish = publish
    assert (await file(quiet, {"text": WORDS}, idempotency_key="a-1")).status == 202
    assert len(stored) == 1


async def test_case_13_what_cannot_be_stored_is_503(quiet: Site) -> None:
    async def broken(_: object) -> None:
        raise OSError("disk full")

    quiet.publish = broken
    response = await file(quiet, {"text": WORDS})
    assert (response.status, response.headers["retry-after"]) == (503, "5")
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("report", "field"),
    [
        ({}, "text"),
        ({"text": "  "}, "text"),
        ({"text": 5}, "text"),
        ({"text": WORDS, "phone": "12345"}, "phone"),
        ({"text": WORDS, "phone": "08123"}, "phone"),
        ({"text": WORDS, "place": 5}, "place"),
        ({"text": WORDS, "place": {"code": "99.99"}}, "place.code"),
        ({"text": WORDS, "region": "99.99"}, "region"),
        ({"text": WORDS, "extra": {"k" * 65: "v"}}, "extra"),
        ({"text": WORDS, "latitude": 91, "longitude": 181, "region": "x"}, "latitude longitude region"),
        ({"text": "x" * 10_001}, "text"),
        ({"text": WORDS, "judul": "x"}, "judul"),
        ({"text": WORDS, "native": "x"}, "native"),
        ({"text": WORDS, "files": []}, "files"),
        ({"text": "\u200b \ufeff"}, "text"),
        ({"text": WORDS, "region": "3273"}, "region"),
        ({"text": WORDS, "phone": "delapan"}, "phone"),
        ({"text": WORDS, "sender": "@warga"}, "sender"),
        ({"text": WORDS, "email": "warga"}, "email"),
        ({"text": WORDS, "email": "warga@kantor"}, "email"),
        ({"text": WORDS, "sender": "warga@kantor"}, "sender"),
        ({"text": WORDS, "nik": "123"}, "nik"),
        ({"text": WORDS, "incident_date": "2026-02-30"}, "incident_date"),
        ({"text": WORDS, "incident_date": "2999-01-01"}, "incident_date"),
        ({"text": WORDS, "latitude": -6.9}, "place"),
        ({"text": WORDS, "latitude": 99, "longitude": 107.6}, "latitude"),
        ({"text": WORDS, "place": {"kota": "x"}}, "place.kota"),
        ({"text": WORDS, "anonymous": "ya"}, "anonymous"),
    ],
)
async def test_every_wrong_field_is_named(quiet: Site, report: dict[str, Any], field: str) -> None:
    response = await file(quiet, report)
    assert (response.status, [e["field"] for e in response.json["errors"]]) == (422, field.split())


@pytest.mark.parametrize(("day", "status"), [("2026-03-03", 202), ("2026-03-04", 422)])
async def test_a_day_that_has_begun_in_papua_is_none_to_come(quiet: Site, day: str, status: int) -> None:
    late = datetime(2026, 3, 2, 16, 30, tzinfo=UTC)  # 23.30 in Jakarta
    quiet.app = app_of(quiet.settings, quiet.opened, quiet.publish, clock=lambda: late)
    assert (await file(quiet, {"text": WORDS, "incident_date": day})).status == status


async def test_too_many_uploads_are_said_to_be_too_many(quiet: Site) -> None:
    answer = await file(quiet, {"text": WORDS, "uploads": ["a", "b", "c", "d", "e", "f"]}, x_api_key=KEY)
    assert answer.json["errors"] == [{"field": "uploads", "detail": "Paling banyak 5 berkas."}]


@pytest.mark.parametrize("before", [b"", BOM_UTF8], ids=["plain", "after a byte order mark"])
async def test_a_field_that_stands_twice_is_named_and_no_words_vanish(quiet: Site, before: bytes) -> None:
    body = before + b'{"text": "Jembatan putus", "extra": {"a": "1"}, "text": "Lampu mati"}'
    response = await quiet.call("POST", "/api/v1/reports", body, {"content-type": "application/json"})
    assert (response.status, [e["field"] for e in response.json["errors"]]) == (422, ["text"])
    deep = b'{"text": "Jembatan putus", "place": ' + b"[" * 990 + b"]" * 990 + b"}"
    assert (await quiet.call("POST", "/api/v1/reports", deep, {"content-type": "application/json"})).status in (
        400,
        422,
    )


@pytest.mark.parametrize("code", ["3273", "99.99", 32.73])
async def test_a_region_that_is_none_is_said_to_be_one(quiet: Site, code: object) -> None:
    response = await file(quiet, {"text": WORDS, "region": code})
    assert [e["detail"] for e in response.json["errors"]] == ["Kode wilayah ini tidak dikenal; contoh: 32.73."]


async def test_a_problem_speaks_indonesian_and_on_demand_english(quiet: Site) -> None:
    ours = await file(quiet, {})
    english = await file(quiet, {}, accept_language="fr, en-GB;q=0.8, id;q=0.3")
    assert (ours.json["errors"][0]["detail"], ours.headers["content-language"]) == (
        "Isi laporan belum diisi.",
        "id",
    )
    assert english.json["errors"][0]["detail"] == "The report is still empty."
    assert ours.json["type"] == english.json["type"] == "urn:satupintu:problem:invalid"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"x" * 300_000, "application/json", 413),
        (b"<a/>", "text/xml", 415),
        (b'{"text": "Jalan & trotoar rusak"}', "application/x-www-form-urlencoded", 415),
        (b"x", "multipart/form-data", 400),
        (b"x", "multipart/form-data; boundary=a", 400),
    ],
)
async def test_a_body_that_cannot_be_read_is_a_problem(quiet: Site, body: bytes, kind: str, status: int) -> None:
    response = await file(quiet, body, content_type=kind)
    assert (response.status, response.headers["content-type"]) == (status, "application/problem+json")


async def test_a_report_without_files_that_is_too_large_is_told_its_own_limit(quiet: Site) -> None:
    response = await file(quiet, b"x" * 300_000, accept_language="en")
    assert response.status == 413
    assert response.json["detail"].startswith("A request without files has at most 256 kB.")


async def test_json_with_a_byte_order_mark_is_read(site: Site) -> None:
    response = await file(site, b"\xef\xbb\xbf" + json.dumps({"text": WORDS}).encode(), prefer="wait=20")
    assert response.status == 201


async def test_case_16_half_an_emoji_does_not_hide_the_rest(site: Site) -> None:
    response = await file(site, b'{"text": "Banjir \\ud83d di Dayeuhkolot"}', prefer="wait=20")
    report = await site.call("GET", f"/api/v1/reports/{response.json['number']}?token={response.json['token']}")
    assert report.json["words"][0]["text"] == "Banjir \N{REPLACEMENT CHARACTER} di Dayeuhkolot"


async def test_case_17_nul_bytes_and_the_id_null_are_taken(site: Site) -> None:
    response = await file(site, {"text": f"\0{WORDS}\0", "title": "a\0b"}, idempotency_key="null", prefer="wait=20")
    assert response.status == 201


async def test_files_come_by_multipart_and_lie_with_the_blobs(site: Site) -> None:
    body, kind = multipart(("text", WORDS), ("tags", "jembatan"), ("files", ("foto.png", PNG)), ("secret", "true"))
    response = await site.call("POST", "/api/v1/reports", body, {**kind, "prefer": "wait=20"})
    assert response.status == 201
    [kept] = [p for p in (site.settings.data / "blobs").glob("??/*") if p.is_file()]
    assert kept.read_bytes() == PNG


@pytest.mark.parametrize(
    "files",
    [[("skrip.sh", b"#!/bin/sh\n")], [("besar.png", PNG + bytes(5 * 1024 * 1024))], [("a.png", PNG)] * 6],
)
async def test_files_that_are_none_or_too_large_or_too_many_are_named(quiet: Site, files: list[Any]) -> None:
    body, kind = multipart(("text", WORDS), *(("files", f) for f in files))
    response = await quiet.call("POST", "/api/v1/reports", body, kind)
    assert (response.status, [e["field"] for e in response.json["errors"]]) == (422, ["files"])


async def test_a_wrong_api_key_is_401(quiet: Site) -> None:
    response = await file(quiet, {"text": WORDS}, x_api_key="tebakan")
    assert (response.status, response.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_key_files_into_its_own_account(site: Site) -> None:
    response = await file(site, {"text": WORDS}, x_api_key="kunci-kedua", prefer="wait=20")
    assert response.status == 201
    metrics = (await site.call("GET", "/metrics")).text
    assert 'satupintu_requests_total{account="web-kedua",status="202"} 1.0' in metrics


async def test_without_a_key_an_address_files_so_often_only(quiet: Site) -> None:
    for _ in range(20):
        await file(quiet, {}, x_forwarded_for="198.51.100.1")
    response = await file(quiet, {"text": WORDS}, x_forwarded_for="198.51.100.2")
    assert (response.status, int(response.headers["retry-after"]) > 0) == (429, True)
    assert (await file(quiet, {"text": WORDS}, "203.0.113.99")).status == 202
    assert (await file(quiet, {"text": WORDS}, x_api_key=KEY)).status == 202


async def test_the_number_alone_shows_the_status_only(site: Site) -> None:
    mine = await filed(site)
    for reference in (mine["number"], mine["id"]):
        response = await site.call("GET", f"/api/v1/reports/{reference}")
        assert response.status == 200
        assert response.json.keys() == {"number", "status", "received_at", "updated_at", "proven"}


async def test_the_token_or_the_last_four_digits_show_the_words(site: Site) -> None:
    mine = await filed(site)
    at = f"/api/v1/reports/{mine['number']}"
    by_token = await site.call("GET", f"{at}?token={mine['token']}")
    by_header = await site.call("GET", at, headers={"x-report-token": mine["token"]})
    by_phone = await site.call("GET", f"{at}?phone=4455")
    assert {r.json["words"][0]["text"] for r in (by_token, by_header, by_phone)} == {WORDS}


async def test_a_wrong_proof_shows_no_more_than_none(site: Site) -> None:
    mine, other = (
        await filed(site),
        await filed(site, text="Saluran air mampet di Pasar Kosambi", phone="081200009999"),
    )
    at = f"/api/v1/reports/{mine['number']}"
    none = await site.call("GET", at)
    for proof in ("phone=0000", "phone=9999", "phone=", f"token={other['token']}", "token=%F0%9F%9A%AA"):
        response = await site.call("GET", f"{at}?{proof}")
        assert (response.status, response.body) == (none.status, none.body)


async def test_wrong_digits_shut_out_only_their_sender(site: Site) -> None:
    mine = await filed(site)
    at = f"/api/v1/reports/{mine['number']}"
    responses = [await site.call("GET", f"{at}?phone={n:04}", client="198.51.100.1") for n in range(11)]
    assert [r.status for r in responses] == [200] * 10 + [429]
    assert (responses[-1].headers["retry-after"], responses[-1].json["detail"]) == (
        "7200",
        "Silakan coba lagi dalam 2 jam.",
    )
    assert (await site.call("GET", f"{at}?phone=4455")).json["proven"]


@pytest.mark.slow
async def test_wrong_digits_are_few_for_a_number_wherever_they_come_from(site: Site) -> None:
    mine = await filed(site)
    at = f"/api/v1/reports/{mine['number']}"
    responses = [await site.call("GET", f"{at}?phone={n:04}", client=f"198.51.100.{n}") for n in range(101)]
    assert [r.status for r in responses] == [200] * 100 + [429]
    assert (await site.call("GET", f"{at}?phone=4455", client="198.51.100.177")).status == 429
    assert (await site.call("GET", f"{at}?token={mine['token']}")).json["proven"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "2 seconds"), (90, "90 seconds"), (91, "2 minutes"), (5401, "2 hours")]
)
def test_the_wait_is_given_in_a_unit_that_people_use(seconds: float, words: str) -> None:
    assert too_many(seconds).detail.to("en") == f"Please try again in {words}."


async def test_attempts_while_the_record_is_unavailable_cost_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object, **__: object) -> None:
        raise Retry("the record does not answer")

    at = f"/api/v1/reports/{(await filed(site))['number']}?phone=4455"
    with monkeypatch.context() as patch:
        patch.setattr("hub.web.reports.track_report", unavailable)
        assert {(await site.call("GET", at)).status for _ in range(25)} == {503}
    assert (await site.call("GET", at)).json["proven"]


@pytest.mark.slow
async def test_a_right_token_is_never_limited(quiet: Site) -> None:
    mine = (await file(quiet, {"text": WORDS})).json
    responses = [await quiet.call("GET", f"/api/v1/reports/{mine['id']}?token={mine['token']}") for _ in range(70)]
    wrong = [await quiet.call("GET", f"/api/v1/reports/{mine['id']}?token=tebakan") for _ in range(61)]
    assert {r.status for r in responses} == {200}
    assert wrong[-1].status == 429


async def test_an_unknown_query_parameter_is_named(quiet: Site) -> None:
    response = await quiet.call("GET", "/api/v1/reports/1234567897?last4=4455&lang=en")
    assert (response.status, response.json["errors"]) == (
        422,
        [{"field": "last4", "detail": "This field is not known."}],
    )


async def test_a_body_that_never_ends_is_408(quiet: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.web.submissions.PATIENCE", 0.01)
    response = await quiet.call("POST", "/api/v1/reports", b"{", {"content-type": "application/json"}, hangs=True)
    assert (response.status, response.headers["connection"]) == (408, "close")


async def test_a_slow_line_has_the_longer_the_more_it_sent(quiet: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.web.submissions.PATIENCE", 0.1)
    body, kind = multipart(("text", WORDS), ("files", ("foto.png", PNG + bytes(20_000))))
    parts = [body[at : at + 1000] for at in range(0, len(body), 1000)]
    slow = await quiet.call("POST", "/api/v1/reports", parts, kind, pause=0.02)
    monkeypatch.setattr("hub.web.submissions.SLOWEST", 10**9)
    too_slow = await quiet.call("POST", "/api/v1/reports", parts, kind, pause=0.02)
    assert (slow.status, too_slow.status) == (202, 408)


async def test_a_full_disk_of_temporary_files_is_503(quiet: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.SpooledTemporaryFile.write", full)
    body, kind = multipart(("text", WORDS), ("files", ("foto.png", PNG)))
    response = await quiet.call("POST", "/api/v1/reports", body, kind)
    assert (response.status, response.headers["retry-after"]) == (503, "5")


async def test_l6_deep_json_in_a_form_field_is_named(quiet: Site) -> None:
    body, kind = multipart(("text", WORDS), ("extra", "[" * 100_000), ("external_ids", "{"))
    response = await quiet.call("POST", "/api/v1/reports", body, kind)
    assert (response.status, sorted(e["field"] for e in response.json["errors"])) == (422, ["external_ids", "extra"])


async def test_l7_many_unknown_fields_are_not_answered_with_a_larger_body(quiet: Site) -> None:
    response = await file(quiet, {"text": WORDS, **{f"k{n}": n for n in range(10_000)}})
    assert (response.status, len(response.json["errors"])) == (422, 20)
    assert len(response.body) < 5000


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://jahat.example"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"origin": "https://lapor.test"}, 202),
        ({"origin": "https://jahat.example", "x_api_key": KEY}, 202),
        ({}, 202),
    ],
)
async def test_l5_another_site_files_nothing_without_a_key(quiet: Site, headers: dict[str, str], status: int) -> None:
    assert (await file(quiet, {"text": WORDS}, **headers)).status == status


async def test_l4_links_name_the_public_address_and_not_the_host_header(quiet: Site) -> None:
    response = await file(quiet, {"text": WORDS}, host="evil.example")
    slash = await quiet.call("POST", "/api/v1/reports/", b"{}", {"host": "evil.example"})
    assert response.json["status_url"] == f"https://lapor.test/api/v1/reports/{response.json['id']}"
    assert response.headers["location"] == response.json["status_url"]
    assert (slash.status, "location" in slash.headers) == (404, False)


async def test_l15_wrong_api_keys_are_limited_and_shut_out_no_right_one(quiet: Site) -> None:
    wrong = [await file(quiet, {"text": WORDS}, x_api_key=f"tebakan {n}") for n in range(21)]
    assert [r.status for r in wrong] == [401] * 20 + [429]
    assert (await file(quiet, {"text": WORDS}, x_api_key=KEY)).status == 202


async def test_bytes_from_one_address_are_limited(settings: Settings) -> None:
    few = msgspec.structs.replace(settings, limits=WebLimits(upload=1))
    async with open_hub(few) as opened:
        site = Site(few, opened)
        body, kind = multipart(("text", WORDS), ("files", ("foto.png", PNG + bytes(600_000))))
        statuses = [(await site.call("POST", "/api/v1/reports", body, kind)).status for _ in range(3)]
        with_key = await site.call("POST", "/api/v1/reports", body, {**kind, "x-api-key": KEY})
        other = await site.call("POST", "/api/v1/reports", body, kind, client="203.0.113.8")
    assert (statuses, with_key.status, other.status) == ([202, 429, 429], 202, 202)


async def test_h6_behind_a_named_proxy_every_citizen_has_limits_of_his_own(settings: Settings) -> None:
    proxied = msgspec.structs.replace(settings, proxies=(ip_network("10.0.0.5/32"),))
    async with open_hub(proxied) as opened:
        site = Site(proxied, opened)
        for _ in range(61):
            await site.call("GET", "/api/v1/reports/1234567897", b"", {"x-forwarded-for": "6.6.6.6"}, client="10.0.0.5")
        answers = [
            await site.call("GET", "/api/v1/reports/1234567897", b"", {"x-forwarded-for": address}, client="10.0.0.5")
            for address in ("6.6.6.6", "7.7.7.7", "6.6.6.6, 8.8.8.8")
        ]
    assert [r.status for r in answers] == [429, 404, 404]


async def test_h6_a_right_token_opens_a_report_by_number_whatever_others_did(site: Site) -> None:
    mine = await filed(site)
    for _ in range(61):
        await site.call("GET", "/api/v1/reports/1234567897")
    limited = await site.call("GET", f"/api/v1/reports/{mine['number']}")
    opened = await site.call("GET", f"/api/v1/reports/{mine['number']}?token={mine['token']}")
    assert (limited.status, opened.status, opened.json["proven"]) == (429, 200, True)


async def test_m1_noise_washes_no_attempt_out(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.web.limits.MOST_BUCKETS", 10)
    mine = await filed(site)
    at = f"/api/v1/reports/{mine['number']}"
    for n in range(100):
        await site.call("GET", f"{at}?phone={n:04}", client=f"198.51.100.{n}")
    for n in range(200):
        await site.call("GET", "/api/v1/reports/1234567897?phone=1111", client=f"198.51.{n}.1")
    assert (await site.call("GET", f"{at}?phone=0101", client="192.0.2.1")).status == 429
    assert (await site.call("GET", f"/api/v1/reports/{mine['id']}?phone=0101", client="192.0.2.2")).status == 429


async def test_a_callers_key_waits_for_the_record(quiet: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: object) -> None:
        raise Retry("the record does not answer")

    monkeypatch.setattr("hub.web.idempotency.remember_request", unavailable)
    assert (await file(quiet, {"text": WORDS}, idempotency_key="a-1")).status == 503


async def test_right_digits_are_never_limited(site: Site) -> None:
    mine = await filed(site)
    for _ in range(30):
        response = await site.call("GET", f"/api/v1/reports/{mine['number']}?phone=4455")
        assert response.json["proven"]


async def test_unknown_reports_are_404_and_guessing_ends(quiet: Site) -> None:
    unknown = ("1234567897", "1234567890", "x", "01a203cb-32dd-7501-870e-f120df78b069", "٠١٢٣٤٥٦٧٨٩")
    responses = [await quiet.call("GET", f"/api/v1/reports/{u}") for u in unknown]
    assert {r.status for r in responses} == {404}
    assert len({r.body for r in responses}) == 1
    guesses = [await quiet.call("GET", "/api/v1/reports/1234567897") for _ in range(60)]
    assert guesses[-1].status == 429


async def test_other_paths_and_methods_of_the_api_are_problems(quiet: Site) -> None:
    lost = await quiet.call("GET", "/api/v1/laporan")
    wrong = await quiet.call("DELETE", "/api/v1/reports")
    assert (lost.status, wrong.status) == (404, 405)
    assert {h.headers["content-type"] for h in (lost, wrong)} == {"application/problem+json"}
