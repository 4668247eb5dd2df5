"""LAPOR! and webhooks, step by step against the fake: what is sent, what comes back, what each fault means."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from connectors import (
    ForwardCall,
    ForwardedFile,
    Http,
    NeedsPerson,
    ProviderConnections,
    StepResult,
    channel_type,
    secret_hook,
)
from connectors._durations import seconds_of, seconds_until, window_of
from connectors._lapor_body import followup_texts
from connectors._lapor_reading import local_time, status_word
from schemas import AccountFault, Attachment, Category, Forward, Office, Party, Place, Reject, Retry, Unanswered
from tests.fakes.lapor import AUTH, TOKEN, Complaint, LaporServer
from tests.fakes.server import Accepted, Fault, Server, answer

NOW = datetime(2025, 8, 18, 3, 0, tzinfo=UTC)
REPORT = Forward(
    what="complaint", number="4719360285", reference="4719360285", at=NOW, owner="34.04", channel="whatsapp",
    report_class="aspiration", title="Lampu jalan mati", text="Lampu di Jalan Kaliurang KM 9 mati sejak Senin.",
    category=Category(id="213"), place=Place(code="34.04.12", name="Ngaglik", words="dekat pasar", lat=-7.7, lon=110.4),
    incident_date="2025-08-16", offices=(Office(id="dishub", name="Dinas Perhubungan"),),
    reporter=Party(name="Sri Wahyuni", phone="+6281200000340"),
)  # fmt: skip
PHOTO = ForwardedFile("foto.jpg", "image/jpeg", b"\xff\xd8 bukan foto")
LETTER = ForwardedFile('surat"\r\n.pdf', "application/pdf", b"%PDF")
HUGE = ForwardedFile("video.mp4", "video/mp4", bytes(6 * 1024 * 1024))


def account(url: str, kind: str = "lapor", **settings: Any) -> Any:
    made = channel_type(kind)
    own = {
        "lapor": {"token": TOKEN, "auth_value": AUTH, "user_id": 501, "institution_id": "77", "channel_code": "3",
                  "institutions": {"dishub": 9}, "locations": {"34.04": 1204, "34": 34},
                  "find_path": "/complaints?search={number}"},
        "lapor-xml": {"token": TOKEN}, "webhook": {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
    }[kind]  # fmt: skip
    fields = {"url": url} | own | settings
    return made(kind, "34.04", msgspec.convert(fields, made.settings_type, dec_hook=secret_hook))


def call(forward: Forward = REPORT, *files: ForwardedFile, ago: float = 0.0, **results: Any) -> ForwardCall:
    async def load() -> list[ForwardedFile]:
        return list(files)

    return ForwardCall(forward, results, load, NOW - timedelta(seconds=ago), NOW)


def do(channel: Any, step: str, *args: Any, look: bool = False, **kwargs: Any) -> StepResult | None:
    async def done() -> StepResult | None:
        async with Http(connect=2, total=2) as http:
            outbound = ProviderConnections(http)
            work = channel.look_up if look else channel.do_step
            return await work(step, call(*args, **kwargs), outbound)

    return asyncio.run(done())


@pytest.fixture
def lapor() -> Iterator[LaporServer]:
    with LaporServer() as server:
        yield server


def test_a_complaint_goes_by_its_files_the_complaint_itself_and_on_to_the_institution(lapor: LaporServer) -> None:
    report = msgspec.structs.replace(REPORT, attachments=("a", "b", "c"))
    to = account(lapor.url)
    assert list(to.steps(report, {})) == ["files", "create", "dispose"]
    files = do(to, "files", report, PHOTO, LETTER, HUGE)
    assert files.value == {"ids": [11, 12], "missing": 1}
    assert lapor.files[11] == ("image/jpeg", PHOTO.body)
    created = do(to, "create", report, files=files.value)
    [there] = lapor.complaints.values()
    assert created == StepResult({"id": there.id}, there.id)
    body = there.body
    assert body["attachments"] == "[11,12]."
    assert "1 lampiran tidak dapat disertakan" in body["content"]
    assert (body["classification_id"], body["category_id"], body["location_id"]) == (2, 213, 1204)
    assert (body["channel"], body["disposition_id"], body["date_of_incident"]) == (3, 77, "2025-08-16")
    assert (body["nameUser"], body["phoneUser"], body["is_new_user_slider"]) == ("Sri Wahyuni", "+6281200000340", True)
    assert "4719360285" in body["content"]
    assert "4719360285" in body["tags_raw"]
    assert do(to, "dispose", report, create=created.value).value == {"to": 9}
    assert there.disposition == "9"
    [passed] = [json.loads(r.body) for r in lapor.received if r.path.endswith("/reject")]
    assert passed == {
        "is_request": 1, "reason": "9", "not_authority": 1,
        "reason_description": "Diteruskan kepada Dinas Perhubungan. [SP 4719360285]",
    }  # fmt: skip


def test_without_files_the_attachments_are_false_and_an_anonymous_report_is_our_own_users(lapor: LaporServer) -> None:
    report = msgspec.structs.replace(REPORT, reporter=None, anonymous=True, secret=True, place=None, category=None)
    to = account(lapor.url, institutions={})
    assert list(to.steps(report, {})) == ["create"]
    do(to, "create", report)
    [there] = lapor.complaints.values()
    assert there.body["attachments"] is False
    assert (there.body["user_id"], there.body["is_anonymous"], there.body["is_secret"]) == (501, True, True)
    assert not {"nameUser", "phoneUser", "emailUser"} & there.body.keys()
    assert there.body["location_id"] == 34


@pytest.mark.parametrize("place", ["top", "results", "data"])
def test_the_id_is_read_from_each_place_where_answers_have_had_it(place: str) -> None:
    with LaporServer(id_at=place) as lapor:
        assert do(account(lapor.url), "create").native == next(iter(lapor.complaints))


@pytest.mark.parametrize("token", [TOKEN, TOKEN.strip("{}").lower()])
def test_the_token_leaves_upper_case_with_its_braces(lapor: LaporServer, token: str) -> None:
    do(account(lapor.url, token=token), "create")
    assert lapor.received[0].headers["token"] == TOKEN


def test_the_second_credential_goes_by_the_header_of_the_settings(lapor: LaporServer) -> None:
    with pytest.raises(AccountFault):
        do(account(lapor.url, auth_header="auth", auth_value="tanpa-bearer"), "create")
    assert lapor.received[0].headers["auth"] == "tanpa-bearer"
    assert "authorization" not in lapor.received[0].headers


@pytest.mark.parametrize(
    ("then", "error"),
    [
        (Accepted(answer(500, "broken")), Unanswered), (Accepted(Fault.DROP), Unanswered),
        (Accepted(answer(200, {"message": "Berhasil"})), Unanswered), (Accepted(answer(200, "<html>")), Unanswered),
        (answer(429, {}), Retry), (answer(422, {"message": "isi"}), Reject),
        (answer(404, "<html>no such path</html>"), AccountFault), (answer(401, {}), AccountFault),
    ],
)  # fmt: skip
def test_a_2xx_without_an_id_is_a_failure_and_only_what_surely_was_not_done_is_tried_again(
    lapor: LaporServer, then: Any, error: type[Exception]
) -> None:
    lapor.then(then)
    with pytest.raises(error) as caught:
        do(account(lapor.url), "create")
    assert type(caught.value) is error


def test_lapors_own_words_of_a_fault_are_kept(lapor: LaporServer) -> None:
    lapor.then(answer(422, {"message": "kategori tidak sah"}))
    with pytest.raises(Reject) as caught:
        do(account(lapor.url), "create")
    assert "kategori tidak sah" in (caught.value.answer or "")
    assert "kategori" not in caught.value.reason


def test_case_25_an_unanswered_create_is_looked_for_by_our_number_before_it_is_repeated(lapor: LaporServer) -> None:
    to = account(lapor.url)
    lapor.then(Accepted(Fault.DROP))
    with pytest.raises(Unanswered):
        do(to, "create")
    [there] = lapor.complaints
    assert do(to, "create", look=True) == StepResult({"id": there}, there)
    lapor.complaints.clear()
    with pytest.raises(Retry):  # it may still be under way there
        do(to, "create", look=True, ago=100)
    assert do(to, "create", look=True, ago=181) is None


def test_a_complaint_that_only_looks_alike_is_not_ours(lapor: LaporServer) -> None:
    with Server(lambda _: answer(200, {"results": {"data": [{"id": 5, "content": "nomor 1111111111"}]}})) as other:
        assert do(account(other.url), "create", look=True, ago=999) is None


def test_of_several_the_oldest_is_taken(lapor: LaporServer) -> None:
    for id in ("10000001", "9999999"):
        lapor.complaints[id] = Complaint(id, {"content": "… 4719360285"})
    assert do(account(lapor.url), "create", look=True).native == "9999999"


def test_without_a_way_to_look_a_person_decides(lapor: LaporServer) -> None:
    with pytest.raises(NeedsPerson, match="forwards stands"):
        do(account(lapor.url, find_path=""), "create", look=True, ago=9999)


def test_an_answer_longer_than_lapor_takes_goes_in_parts_and_is_found_there(lapor: LaporServer) -> None:
    lapor.complaints["7123456"] = Complaint("7123456", {"content": "…"})
    words = "Kami sudah meninjau lokasi bersama warga. " * 40
    said = Forward(
        what="answer", number="4719360285", reference="4719360285-0a1b2c3d", at=NOW, text=words, native="7123456",
        offices=(Office(id="dishub"),),
    )  # fmt: skip
    to = account(lapor.url)
    assert list(to.steps(said, {})) == ["answer.1", "answer.2"]
    assert all(len(part) <= 1000 for part in followup_texts(said))
    do(to, "answer.1", said)
    assert do(to, "answer.1", said, look=True) == StepResult({})
    assert do(to, "answer.2", said, look=True, ago=999) is None
    do(to, "answer.2", said)
    assert do(to, "answer.2", said, look=True) == StepResult({})
    told = " ".join(f["content"].partition("\n[SP")[0] for f in lapor.complaints["7123456"].followups)
    assert told.split() == words.split()


def test_a_disposition_goes_to_the_institution_of_the_registry_else_it_is_told(lapor: LaporServer) -> None:
    lapor.complaints["7123456"] = Complaint("7123456", {"content": "…"})
    passed = Forward(
        what="disposition", number="4719360285", reference="4719360285-0a1b2c3d", at=NOW, native="7123456",
        text="Ini jalan provinsi", offices=(Office(id="pu-diy", name="Dinas PU DIY"),),
    )  # fmt: skip
    to = account(lapor.url)
    assert list(to.steps(passed, {})) == ["answer.1"]
    do(to, "answer.1", passed)
    assert "Diteruskan kepada Dinas PU DIY. Ini jalan provinsi" in lapor.complaints["7123456"].followups[0]["content"]
    known = msgspec.structs.replace(passed, institutions={"pu-diy": 35})
    assert list(to.steps(known, {})) == ["dispose"]
    assert do(to, "dispose", known, look=True, ago=999) is None
    do(to, "dispose", known)
    assert lapor.complaints["7123456"].disposition == "35"
    assert do(to, "dispose", known, look=True) == StepResult({"to": 35})


def test_a_look_brings_what_is_new_once_though_pages_shift(lapor: LaporServer) -> None:
    lapor.complaints["7123456"] = Complaint("7123456", {"content": "…"})
    for n in range(25):
        lapor.say("7123456", f"Jawaban {n}")
    lapor.set_status("7123456", "Dalam Proses")
    lapor.shifts = 9
    to = account(lapor.url)
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        found = asyncio.run(_follow(to, cursor))
        cursor = found.cursor
        for request in found.requests:
            data = json.loads(request.body)["results"]["data"]
            seen += [f["content"] for f in data] if isinstance(data, list) else ["status"]
    assert sorted(word for word in seen if word.startswith("Jawaban")) == sorted(f"Jawaban {n}" for n in range(25))
    assert seen.count("status") == 1


async def _follow(to: Any, cursor: str | None) -> Any:
    async with Http() as http:
        return await to.follow("7123456", cursor, ProviderConnections(http))


def test_case_25_one_item_that_is_repeated_six_hundred_times_is_brought_once(lapor: LaporServer) -> None:
    there = lapor.complaints["7123456"] = Complaint("7123456", {"content": "…"})
    lapor.say("7123456", "Sudah kami perbaiki.")
    there.followups *= 600
    lapor.page = 15
    first = asyncio.run(_follow(account(lapor.url), None))
    [request] = first.requests
    assert len(json.loads(request.body)["results"]["data"]) == 1
    second = asyncio.run(_follow(account(lapor.url), first.cursor))
    assert (second.requests, second.cursor) == ([], first.cursor)
    assert len(first.cursor or "") < 100


def test_regions_and_the_window_of_the_night() -> None:
    to = account("http://127.0.0.1:9", regions=["34.04"], window="20:00-05:00", oldest="90d")
    assert to.wants(REPORT)
    assert not to.wants(msgspec.structs.replace(REPORT, place=Place(code="34.71")))
    assert to.wants(msgspec.structs.replace(REPORT, place=None))
    assert to.wants(msgspec.structs.replace(REPORT, sent_at=NOW - timedelta(days=89)))
    old = msgspec.structs.replace(REPORT, sent_at=NOW - timedelta(days=91))
    assert not to.wants(old)
    assert account("http://127.0.0.1:9").wants(old)
    assert to.pause(datetime(2025, 8, 18, 14, 0, tzinfo=UTC)) == 0  # 21:00 WIB
    assert to.pause(datetime(2025, 8, 18, 12, 30, tzinfo=UTC)) == 1800  # 19:30 WIB
    assert seconds_until(window_of("08:00-16:00", "w"), datetime(2025, 8, 18, 9, 0, tzinfo=UTC)) == 16 * 3600


@pytest.mark.parametrize("wrong", [{"poll_every": "sometimes"}, {"window": "night"}, {"find_path": "/search"}])
def test_settings_that_make_no_sense_are_named(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        account("http://127.0.0.1:9", **wrong)


@pytest.mark.parametrize(("written", "seconds"), [("3h", 10800), ("15m", 900), (90, 90), ("1.5s", 1.5), ("2d", 172800)])
def test_durations(written: str | int, seconds: float) -> None:
    assert seconds_of(written, "x") == seconds


def test_statuses_and_times_of_lapor() -> None:
    words = {"SELESAI": "done", " dalam  proses": "in_progress", "Laporan Ditutup": "archived", "Rapat": "unknown"}
    assert {word: status_word(word) for word in words} == words
    assert local_time("18-08-2025 09:30:00") == datetime(2025, 8, 18, 2, 30, tzinfo=UTC)
    assert local_time("01-01-0001 00:00:00") is None
    assert local_time("besok") is None


def test_the_older_api_takes_one_free_text_escaped(lapor: LaporServer) -> None:
    report = msgspec.structs.replace(REPORT, text='Lampu <mati> & "gelap" \x00 ]]>', secret=True)
    url = f"{lapor.url}/api/stream/addstream"
    created = do(account(url, "lapor-xml"), "create", report)
    [there] = lapor.complaints.values()
    assert created.native == there.id
    assert 'Lampu <mati> & "gelap" \ufffd ]]>' in there.body["isi"]
    assert "4719360285" in there.body["isi"]
    assert (there.body["rahasia"], there.body["anonim"]) == ("1", "0")
    assert (there.body["namadepan"], there.body["namabelakang"]) == ("Sri", "Wahyuni")
    lapor.then(Accepted(answer(200, "<lapor><pesan>ok</pesan></lapor>")))
    with pytest.raises(Unanswered):
        do(account(url, "lapor-xml"), "create")
    with pytest.raises(NeedsPerson):
        do(account(url, "lapor-xml"), "create", look=True)


def test_an_office_is_told_by_a_signed_cloud_event() -> None:
    with Server(lambda _: answer(202, {})) as office:
        do(account(office.url, "webhook"), "tell")
        do(account(office.url, "webhook"), "tell")
    first, again = office.received
    event = first.json
    assert (event["specversion"], event["type"], event["subject"]) == ("1.0", "id.go.satupintu.complaint", "4719360285")
    assert first.headers["webhook-id"] == again.headers["webhook-id"] == event["id"]
    signed = f"{event['id']}.{first.headers['webhook-timestamp']}.".encode() + first.body
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    wanted = base64.b64encode(hmac.digest(key, signed, sha256)).decode()
    assert first.headers["webhook-signature"] == f"v1,{wanted}"


@pytest.mark.parametrize("secret", ["rahasia", "whsec_x", "whsec_rahasia sekali"])
def test_a_secret_that_cannot_sign_is_refused_with_the_settings(secret: str) -> None:
    with pytest.raises(ValueError, match="secret takes whsec_"):
        account("https://contoh.go.id", "webhook", secret=secret)


@pytest.mark.parametrize(
    ("status", "error"), [(410, AccountFault), (503, Retry), (302, Retry), (404, Retry), (500, Retry)]
)
def test_what_an_offices_answers_mean(status: int, error: type[Exception]) -> None:
    with Server(lambda _: answer(status, {})) as office, pytest.raises(error) as caught:
        do(account(office.url, "webhook"), "tell")
    assert type(caught.value) is error


@pytest.mark.parametrize("named", [(), ("127.0.0.1",)])
async def test_a_file_elsewhere_comes_from_no_private_network_but_the_regions_own(named: tuple[str, ...]) -> None:
    with Server(lambda _: answer(200, b"%PDF")) as elsewhere:
        channel = account("http://lapor.example", file_hosts=named)
        file = Attachment(url=f"{elsewhere.url}/surat.pdf")
        async with Http(connect=2, total=2) as http:
            if named:
                assert (await channel.fetch(file, ProviderConnections(http))).body == b"%PDF"
            else:
                with pytest.raises(Reject, match="private network"):
                    await channel.fetch(file, ProviderConnections(http))
        headers = [received.headers for received in elsewhere.received]
    assert (len(headers), any("authorization" in one for one in headers)) == (len(named), False)
