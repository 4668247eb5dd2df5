"""Open311: documents in both forms, and a client of a server that fails in every way that is known of real ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest

from connectors import ForwardCall, ProviderConnections, secret_hook
from connectors._open311_client import MOST_FAILED, description_of
from connectors._open311_documents import CHILDREN, Document, encode_document, read_items
from connectors._open311_form import Form, FormFault, instant_of, report_form
from connectors._open311_query import SPAN, request_query
from connectors._open311_words import MEANINGS, WORDS, meaning_of
from connectors.open311 import Open311
from schemas import AccountFault, Category, Forward, Office, Party, Place, Reject, Retry, Unanswered
from tests.channels.recording import raw, read
from tests.fakes.server import Accepted, Fault, Received, Server, answer

NOW = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
FORWARD = Forward(
    what="complaint", number="4719360285", reference="4719360285", at=NOW, owner="32.73", title="Lampu mati",
    text="Lampu mati & gelap <sekali> di pasar", category=Category(id="1398"),
    place=Place(code="32.73.05", lat=-6.9, lon=107.6, words="Pasar Contoh"),
)  # fmt: skip
EMPTY = "<service_requests></service_requests>"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(lambda _: answer(500, "no answer is planned")) as server:
        yield server


def client(url: str, **settings: Any) -> Open311:
    fields = {"url": url, "api_key": "rahasia", "service_code": "LAIN", "service_codes": {"1398": "001"}} | settings
    made = Open311("kota", "32.73", msgspec.convert(fields, Open311.settings_type, dec_hook=secret_hook))
    made.now = lambda: NOW
    return made


def call(forward: Forward = FORWARD, *, age: float = 0, **results: Any) -> ForwardCall:
    async def files() -> list[Any]:
        return []

    return ForwardCall(forward, results, files, NOW - timedelta(seconds=age), NOW)


def form_of(received: Received) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(received.body.decode()).items()}


def request_xml(**fields: str) -> str:
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return f'<?xml version="1.0" encoding="utf-8"?><service_requests><request>{inner}</request></service_requests>'


@pytest.mark.parametrize("form", ["xml", "json"])
def test_a_document_is_read_back_in_both_forms(form: str):
    items = [{"service_code": "001", "description": "Got & <parit> \x07", "lat": None}, {"service_code": "2"}]
    found = read_items(encode_document(Document("services", "service", items), form), "service")
    assert [one["service_code"] for one in found] == ["001", "2"]
    assert found[0]["description"].startswith("Got & <parit> ")
    assert found[0].get("lat", "") == ""


def test_containers_name_their_children():
    values = [{"key": 1, "name": "Ya"}]
    body = encode_document(Document("service_definition", None, {"service_code": "1", "values": values}), "xml")
    assert b"<values><value><key>1</key><name>Ya</name></value></values>" in body
    assert CHILDREN["attributes"] == "attribute"


@pytest.mark.parametrize(
    "body",
    [
        '[{"service_request_id":006,"service_code":001}]',
        '[{"service_request_id":"006","service_code":"001"}]',
        '{"service_requests":[{"service_request_id":"006","service_code":"001"}]}',
        '{"service_requests":{"request":{"service_request_id":"006","service_code":"001"}}}',
        '\ufeff[{"service_request_id":"006","service_code":"001","lat":null,"attributes":[]}]',
        request_xml(service_request_id="006", service_code="001"),
        request_xml(service_request_id=" 006 ", service_code="001", description="\x0b"),
        '<r xmlns="urn:x"><request><service_request_id>006</service_request_id>'
        "<service_code>001</service_code></request></r>",
    ],
)
def test_ids_keep_their_zeros_in_whatever_form_they_come(body: str):
    [found] = read_items(body.encode(), "request")
    assert (found["service_request_id"], found["service_code"]) == ("006", "001")


@pytest.mark.parametrize("body", ["", "no", "<a", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "[1", '"x'])
def test_what_is_no_answer_is_said_to_be_none(body: str):
    with pytest.raises(ValueError, match="not"):
        read_items(body.encode(), "request")


def test_every_word_of_theirs_is_one_of_ours_and_back():
    assert {meaning_of(word.upper()).status for word in MEANINGS} <= WORDS.keys()
    assert {meaning_of(word).status for word in WORDS.values()} == {
        "unverified", "in_progress", "done", "archived", "rejected"
    }  # fmt: skip
    assert meaning_of("REOPEN").reopens
    assert meaning_of("in the works").status == "unknown"


@pytest.mark.parametrize(
    ("query", "start", "end"),
    [
        ("", NOW - SPAN, NOW),
        ("start_date=&end_date=", NOW - SPAN, NOW),
        ("start_date=2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC) + SPAN),
        ("end_date=2026-11-01T00:00:00%2B00:00", datetime(2026, 11, 1, tzinfo=UTC) - SPAN,
         datetime(2026, 11, 1, tzinfo=UTC)),
        ("start_date=2026-11-01T07:00:00+07:00&end_date=2026-11-02T00:00:00.5Z", datetime(2026, 11, 1, tzinfo=UTC),
         datetime(2026, 11, 2, 0, 0, 0, 500_000, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_the_span_is_of_90_days(query: str, start: datetime, end: datetime):
    found = request_query(Form(query), NOW)
    assert (found.start, found.end) == (start, end)


@pytest.mark.parametrize("written", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-13-01T00:00:00Z"])
def test_times_beyond_the_calendar_are_refused(written: str):
    with pytest.raises(FormFault, match="start_date"):
        instant_of(written, "start_date")


@pytest.mark.parametrize(
    ("query", "limit", "offset"),
    [("", 1000, 0), ("page_size=5000", 1000, 0), ("page=3&page_size=5000", 1000, 2000), ("page=2&page_size=7", 7, 7),
     ("page_size=5", 5, 0)],
)  # fmt: skip
def test_a_list_has_at_most_1000_rows(query: str, limit: int, offset: int):
    asked = request_query(Form(query), NOW)
    assert (asked.limit, asked.offset) == (limit, offset)


def test_a_list_of_values_comes_with_brackets_or_without():
    where = "service_code=1398&description=Lampu&address_string=Pasar"
    form = report_form(Form(f"{where}&attribute[jenis][]=tiang&attribute[jenis][]=kabel&attribute[warna]=putih"))
    assert form.extra == {"jenis": "tiang, kabel", "warna": "putih"}


def test_too_many_arguments_are_refused():
    with pytest.raises(FormFault, match="300"):
        Form("&".join(f"attribute[{n}]=1" for n in range(301)))


async def test_a_report_is_posted_and_its_id_kept(server: Server, outbound: ProviderConnections):
    server.then(answer(200, request_xml(service_request_id="7001", account_id="")))
    result = await client(server.url, jurisdiction_id="kota.go.id").do_step("create", call(), outbound)
    assert (result.value, result.native) == ({"id": "7001"}, "7001")
    [received] = server.received
    assert received.path == "/requests.xml"
    form = form_of(received)
    assert form["description"] == "Lampu mati & gelap <sekali> di pasar\n[SP 4719360285]"
    assert {name: form[name] for name in form if name != "description"} == {
        "jurisdiction_id": "kota.go.id", "api_key": "rahasia", "service_code": "001", "lat": "-6.9", "long": "107.6",
        "address_string": "Pasar Contoh",
    }  # fmt: skip


def test_long_words_are_cut_and_keep_our_mark():
    words = description_of(msgspec.structs.replace(FORWARD, text="kata " * 2000))
    assert len(words) == 4000
    assert words.endswith("…\n[SP 4719360285]")


async def test_a_reporter_is_named_where_he_may_be(server: Server, outbound: ProviderConnections):
    server.then(answer(200, request_xml(service_request_id="7001")))
    party = Party(name="Siti Nur Contoh", phone="+628120000001", email="siti@contoh.id")
    named = msgspec.structs.replace(FORWARD, reporter=party, category=None, place=None)
    await client(server.url).do_step("create", call(named), outbound)
    form = form_of(server.received[0])
    assert (form["first_name"], form["last_name"], form["email"]) == ("Siti", "Nur Contoh", "siti@contoh.id")
    assert (form["service_code"], form["address_string"]) == ("LAIN", "wilayah 32.73")


async def test_a_token_is_a_second_step_and_never_a_second_report(server: Server, outbound: ProviderConnections):
    door = client(server.url)
    server.then(answer(200, request_xml(token="T 1")), answer(200, request_xml(token="T 1")), answer(404, ""),
                answer(200, request_xml(service_request_id="7001", token="T 1")))  # fmt: skip
    created = await door.do_step("create", call(), outbound)
    assert created.native is None
    assert door.steps(FORWARD, {"create": created.value}) == ["create", "token"]
    waiting = call(create=created.value)
    for _ in range(2):
        with pytest.raises(Retry) as caught:
            await door.do_step("token", waiting, outbound)
        assert type(caught.value) is Retry
    assert (await door.do_step("token", waiting, outbound)).native == "7001"
    assert [r.method for r in server.received] == ["POST", "GET", "GET", "GET"]
    assert await door.look_up("token", waiting, outbound) is None


ERROR = "<errors><error><code>{}</code><description>{}</description></error></errors>"


@pytest.mark.parametrize(
    ("planned", "error", "code"),
    [
        (answer(200, request_xml(service_request_id="")), Unanswered, None),
        (answer(200, EMPTY), Unanswered, None),
        (answer(200, "<html>ok"), Unanswered, None),
        (answer(200, ERROR.format(1, "kode salah")), Reject, "refused_by_server"),
        (answer(400, ERROR.format(400, "lat was not provided")), Reject, "http_400"),
        (answer(400, ERROR.format(400, "base is a duplicate")), Unanswered, None),
        (answer(403, ERROR.format(403, "api_key")), AccountFault, "api_key_refused"),
        (answer(500, "<html>"), Unanswered, None),
        (Accepted(Fault.DROP), Unanswered, None),
        (answer(429, "", retry_after="7"), Retry, None),
    ],
    ids=str,
)
async def test_an_answer_without_an_id_is_named_for_what_it_is(
    server: Server, outbound: ProviderConnections, planned: Any, error: type[Exception], code: str | None
):
    server.then(planned)
    with pytest.raises((Retry, AccountFault, Reject)) as caught:
        await client(server.url).do_step("create", call(), outbound)
    assert type(caught.value) is error
    assert getattr(caught.value, "code", None) == code


async def test_no_service_is_a_persons_matter(outbound: ProviderConnections):
    with pytest.raises(Reject, match="service_code"):
        await client("http://127.0.0.1:1", service_code="", service_codes={}).do_step("create", call(), outbound)


async def test_what_had_no_answer_is_looked_for_by_our_mark(server: Server, outbound: ProviderConnections):
    listed = [
        {"service_request_id": "1", "description": "lain"},
        {"service_request_id": 7001, "description": description_of(FORWARD)},
    ]
    server.then(answer(200, listed))
    found = await client(server.url, format="json").look_up("create", call(), outbound)
    assert found is not None
    assert found.native == "7001"
    assert server.received[0].params == {"start_date": "2026-11-29T07:50:00Z", "end_date": "2026-11-29T08:10:00Z"}


async def test_a_full_list_is_asked_for_in_halves(outbound: ProviderConnections):
    """The standard cuts a list at 1,000: what is not in it may stand there all the same."""
    begun: list[str] = []

    def respond(received: Received) -> Any:
        begun.append(received.params["start_date"])
        ours = {"service_request_id": "9", "description": "Lampu mati [SP 4719360285]"}
        full = [{"service_request_id": str(n), "description": "Lain"} for n in range(1000)]
        return answer(200, full if len(begun) == 1 else [ours] if len(begun) == 3 else [])

    with Server(respond) as server:
        found = await client(server.url, format="json").look_up("create", call(age=60), outbound)
    assert found is not None
    assert (found.native, len(begun)) == ("9", 3)


async def test_what_is_not_there_is_posted_again_only_after_a_while(server: Server, outbound: ProviderConnections):
    door = client(server.url, settles="2m")
    server.then(answer(200, EMPTY), answer(404, ""), answer(400, ""))
    with pytest.raises(Retry):
        await door.look_up("create", call(age=100), outbound)
    assert await door.look_up("create", call(age=121), outbound) is None
    with pytest.raises(Retry, match="cannot be asked"):
        await door.look_up("create", call(age=121), outbound)


class BadRow:
    """A server that cannot show one of its rows: any range that holds it is a 500."""

    def __init__(self, bad: datetime, rows: dict[datetime, str]) -> None:
        self.bad, self.rows = bad, rows

    def __call__(self, received: Received) -> Any:
        start, end = (datetime.fromisoformat(received.params[name]) for name in ("start_date", "end_date"))
        if start <= self.bad <= end:
            return answer(500, "<html>")
        return answer(200, [_update(id, at) for at, id in self.rows.items() if start <= at <= end])


def _update(id: str, at: datetime) -> dict[str, str]:
    return {"service_request_id": "9", "update_id": id, "status": "closed", "updated_datetime": at.isoformat()}


async def test_one_bad_row_does_not_hide_the_others(outbound: ProviderConnections):
    rows = {NOW - timedelta(hours=hours): str(hours) for hours in range(1, 20)}
    with Server(BadRow(NOW - timedelta(hours=5, minutes=30), rows)) as server:
        polled = await client(server.url, format="json", updates=True).follow("9", None, outbound)
    [request] = polled.requests
    assert {one["update_id"] for one in json.loads(request.body)} == set(rows.values())
    assert len(server.received) < 60


async def test_a_server_that_is_down_moves_no_cursor(server: Server, outbound: ProviderConnections):
    with pytest.raises(Unanswered):
        await client(server.url, updates=True).follow("9", None, outbound)
    assert len(server.received) == MOST_FAILED + 1
    server.then(Fault.DROP)
    with pytest.raises(Unanswered):
        await client(server.url, updates=True).follow("9", None, outbound)
    assert len(server.received) == MOST_FAILED + 2


async def test_updates_come_once_though_each_look_goes_back(server: Server, outbound: ProviderConnections):
    door = client(server.url, format="json", updates=True, poll_every="10m")
    early, late = _update("1", NOW - timedelta(minutes=3)), _update("2", NOW - timedelta(minutes=1))
    strange = _update("7", NOW) | {"service_request_id": "10"}
    server.then(answer(200, [early, strange]), answer(200, [early, early, late]), answer(200, [early, late]))
    cursor, told = None, []
    for minutes in (0, 6, 12):
        door.now = lambda minutes=minutes: NOW + timedelta(minutes=minutes)
        looked = await door.follow("9", cursor, outbound)
        cursor = looked.cursor
        told.append([one["update_id"] for r in looked.requests for one in json.loads(r.body)])
    assert told == [["1"], ["2"], []]
    assert server.received[1].params == {"start_date": "2026-11-28T08:06:00Z", "end_date": "2026-11-29T08:06:00Z"}


async def test_one_answer_serves_the_looks_at_all_requests(server: Server, outbound: ProviderConnections):
    door = client(server.url, format="json", updates=True, poll_every="10m")
    server.then(answer(200, [_update("1", NOW) | {"service_request_id": str(n)} for n in range(5)]))
    looks = await asyncio.gather(*(door.follow(str(n), None, outbound) for n in range(7)))
    assert [len(look.requests) for look in looks] == [1, 1, 1, 1, 1, 0, 0]
    assert len(server.received) == 1


async def test_after_a_long_silence_the_look_goes_further_back(server: Server, outbound: ProviderConnections):
    door = client(server.url, format="json", updates=True)
    server.then(answer(200, []), answer(200, [_update("1", NOW - timedelta(days=5))]), answer(200, []))
    for old in (None, '{"until":"2026-11-20T08:00:00Z"}', '{"until":"2020-11-20T08:00:00Z"}'):
        await door.follow("9", old, outbound)
    starts = [received.params["start_date"] for received in server.received]
    assert starts == ["2026-11-28T08:00:00Z", "2026-11-20T07:45:00Z", "2026-08-31T08:00:00Z"]


async def test_without_the_extension_a_status_is_followed(server: Server, outbound: ProviderConnections):
    door, cursor, told = client(server.url), None, []
    answers = [("open", "1"), ("closed", "2"), ("closed", "2"), ("open", "3")]
    for status, n in answers:
        fields = {"service_request_id": "9", "status": status, "updated_datetime": f"2026-11-29T0{n}:00:00Z"}
        server.then(answer(200, request_xml(**fields)))
    for _ in answers:
        polled = await door.follow("9", cursor, outbound)
        cursor = polled.cursor
        told += [item for request in polled.requests for item in read(door, raw("open311", request))]
    assert [(item.status, item.reopens, item.of) for item in told] == [
        ("done", False, {"kota": "9"}), ("in_progress", True, {"kota": "9"}),
    ]  # fmt: skip
    assert len({item.id for item in told}) == 2


@pytest.mark.parametrize(("there", "status"), [("closed", "done"), ("open", "unverified"), ("fixed", "done")])
async def test_the_reconciliation_asks_for_the_status(
    there: str, status: str, server: Server, outbound: ProviderConnections
):
    server.then(answer(200, request_xml(service_request_id="9", status=there)))
    assert await client(server.url).status_of("9", outbound) == status


async def test_the_reconciliation_hears_of_a_request_that_is_gone(server: Server, outbound: ProviderConnections):
    server.then(answer(404, ""), answer(200, EMPTY), answer(400, ""))
    door = client(server.url)
    assert [await door.status_of("9", outbound) for _ in range(2)] == [None, None]
    with pytest.raises(Reject):
        await door.status_of("9", outbound)


async def test_a_picture_of_an_update_comes_with_it(server: Server, outbound: ProviderConnections):
    picture, photo = "https://foto.test/7.jpg", b"\xff\xd8\xff"
    server.then(answer(200, [_update("1", NOW) | {"description": "", "media_url": picture}]))
    looked = await client(server.url, format="json", updates=True).follow("9", None, outbound)
    [action] = [item for request in looked.requests for item in read(client(server.url), raw("open311", request))]
    assert ([file.url for file in action.attachments], action.refusal) == ([picture], None)
    with pytest.raises(Reject):
        await client(server.url).fetch(action.attachments[0], outbound)
    server.then(answer(200, photo))
    near = msgspec.structs.replace(action.attachments[0], url=f"{server.url}/7.jpg")
    assert (await client(server.url).fetch(near, outbound)).body == photo


async def test_a_request_that_is_gone_is_said_to_be(server: Server, outbound: ProviderConnections):
    server.then(answer(404, ""), answer(200, EMPTY))
    for _ in range(2):
        with pytest.raises(Reject):
            await client(server.url).follow("9", None, outbound)


async def test_what_is_said_later_is_told_as_an_update(server: Server, outbound: ProviderConnections):
    server.then(answer(200, "<u><request_update><update_id>55</update_id></request_update></u>"))
    said = Forward(
        what="status", number="4719360285", reference="4719360285-1a2b3c4d", at=NOW, native="7001", status="rejected",
        text="Bukan wewenang kami", offices=(Office(id="dinas"),),
    )  # fmt: skip
    door = client(server.url, updates=True)
    assert door.steps(said, {}) == ["update"]
    assert (await door.do_step("update", call(said), outbound)).value == {"id": "55"}
    assert form_of(server.received[0]) == {
        "api_key": "rahasia", "service_request_id": "7001", "update_id": "4719360285-1a2b3c4d",
        "updated_datetime": "2026-11-29T08:00:00Z", "status": "NOT_COUNCILS_RESPONSIBILITY",
        "description": "Bukan wewenang kami\n[SP 4719360285-1a2b3c4d]",
    }  # fmt: skip
    found = [{"update_id": "55", "service_request_id": "7001", "description": "x [SP 4719360285-1a2b3c4d]"}]
    server.then(answer(200, found))
    assert await door.look_up("update", call(said), outbound) is not None


def test_secret_reports_and_other_regions_stay_here():
    door = client("http://127.0.0.1:1")
    assert door.wants(FORWARD)
    assert not door.wants(msgspec.structs.replace(FORWARD, secret=True))
    assert not door.wants(msgspec.structs.replace(FORWARD, place=Place(code="32.77.01")))
    assert not door.wants(msgspec.structs.replace(FORWARD, place=None, owner="32.7"))
    later = msgspec.structs.replace(FORWARD, what="answer")
    telling = client("http://127.0.0.1:1", updates=True)
    assert telling.steps(later, {}) == ["update"]
    assert not door.steps(later, {}), "the other server takes no updates"
    assert not telling.steps(msgspec.structs.replace(later, secret=True), {})
    assert not client("").wants(FORWARD)


@pytest.mark.parametrize(
    ("settings", "missing"),
    [({"url": "", "api_key": ""}, "url"), ({"api_key": ""}, "api_key"), ({}, None),
     ({"url": "", "api_key": "", "keys": ["k"]}, None)],
    ids=str,
)  # fmt: skip
async def test_a_missing_setting_is_named(settings: dict[str, Any], missing: str | None, outbound: ProviderConnections):
    door = client(**{"url": "http://127.0.0.1:1"} | settings)
    assert door.missing_setting == missing
    if door.settings.url == "" or missing:
        with pytest.raises(AccountFault, match="set "):
            await door.do_step("create", call(), outbound)


@pytest.mark.parametrize(("settings", "name"), [({"poll_every": "x"}, "poll_every"), ({"settles": ""}, "settles")])
def test_a_wrong_setting_stops_the_account(settings: dict[str, str], name: str):
    with pytest.raises(ValueError, match=f"^{name}:"):
        client("http://127.0.0.1:1", **settings)
