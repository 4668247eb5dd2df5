"""The door: every status it gives, and that yes is only said over what is stored."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors import Answer, Channel, Listens, Request, Secret, Spoken, channel_type
from hub.web.ingress import Door
from schemas import Raw, Retry
from tests.web.asgi import Heard, call

NOW = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
SECRET = "rahasia-meta"


def whatsapp(name: str, phone: str = "", secret: str = SECRET) -> Channel:
    kind = channel_type("whatsapp")
    settings = kind.settings_type(app_secret=Secret(secret), verify_token=Secret("betul"), phone_number_id=phone)  # type: ignore[call-arg]
    return kind(name, "32.73", settings)


def post(*said: tuple[str, str, str]) -> bytes:
    """A webhook: our number, the citizen's, the words."""
    changes = [
        {
            "field": "messages",
            "value": {
                "metadata": {"phone_number_id": ours},
                "contacts": [{"wa_id": citizen, "profile": {"name": "Siti"}}],
                "messages": [
                    {
                        "id": f"wamid.{n}",
                        "from": citizen,
                        "timestamp": "1772418600",
                        "type": "text",
                        "text": {"body": words},
                    }
                ],
            },
        }
        for n, (ours, citizen, words) in enumerate(said)
    ]
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}).encode()


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


class Folder:
    def __init__(self) -> None:
        self.kept: list[bytes] = []

    def put(self, body: bytes) -> str:
        self.kept.append(body)
        return hashlib.sha256(body).hexdigest()


class House:
    """A door with its accounts, its log and its blobs."""

    def __init__(self, *channels: Channel) -> None:
        self.log: list[Sequence[Raw]] = []
        self.fault: Exception | None = None
        self.blobs = Folder()
        self.door = Door({c.account: c for c in channels}, self.publish, self.blobs, lambda: NOW)

    async def publish(self, raws: Sequence[Raw]) -> None:
        if self.fault:
            raise self.fault
        self.log.append(raws)

    async def post(self, body: bytes, account: str = "wa", headers: dict[str, str] | None = None, **more: Any) -> Heard:
        return await call(
            self.door, "POST", f"/in/{account}", body, signed(body) if headers is None else headers, **more
        )


@pytest.fixture
def house() -> House:
    return House(whatsapp("wa", "111"), whatsapp("wa-cimahi", "222"), whatsapp("wa-stranger", "333", "lain"))


async def test_a_signed_webhook_is_stored_as_it_came(house: House) -> None:
    body = post(("111", "6281200001111", "Jalan rusak"))
    heard = await house.post(body)
    [[raw]] = house.log
    assert heard.status == 200
    assert (raw.account, raw.channel, raw.owner, raw.body, raw.received_at) == ("wa", "whatsapp", "32.73", body, NOW)
    assert raw.conversation == "111:6281200001111"
    assert not raw.rest


async def test_an_unknown_account_is_404(house: House) -> None:
    assert (await house.post(b"{}", "tidak-ada")).status == 404
    assert (await house.post(b"{}", "wa/lebih")).status == 404


async def test_an_account_that_takes_no_requests_is_404() -> None:
    kind = channel_type("file")
    house = House(kind("berkas", "32", kind.settings_type()))
    assert (await house.post(b"{}", "berkas")).status == 404


async def test_a_method_not_its_own_is_405(house: House) -> None:
    heard = await call(house.door, "PUT", "/in/wa")
    assert (heard.status, heard.headers["allow"]) == (405, "GET, POST")


async def test_a_body_that_says_it_is_too_large_is_refused_unread(house: House) -> None:
    heard = await house.post(b"", headers={"content-length": str(4 * 1024 * 1024)})
    assert (heard.status, heard.headers["connection"]) == (413, "close")


@pytest.mark.parametrize("said", [{}, {"content-length": "5"}, {"content-length": "-1"}])
async def test_a_body_that_is_larger_than_it_says_is_refused_while_reading(house: House, said: dict[str, str]) -> None:
    parts = [b"x" * 1024 * 1024] * 4
    assert (await call(house.door, "POST", "/in/wa", parts, said)).status == 413
    assert (await house.post(b"x" * 4 * 1024 * 1024, headers=said)).status == 413


async def test_a_body_in_parts_is_put_together(house: House) -> None:
    body = post(("111", "6281200001111", "Lampu mati"))
    heard = await call(house.door, "POST", "/in/wa", [body[:7], b"", body[7:]], signed(body))
    assert (heard.status, house.log[0][0].body) == (200, body)


async def test_who_leaves_before_the_end_leaves_nothing(house: House) -> None:
    heard = await call(house.door, "POST", "/in/wa", [b"{"], breaks=True)
    assert (heard.status, house.log) == (0, [])


async def test_case_11_the_signature_is_checked_over_the_bytes_as_received(house: House) -> None:
    message = b'{"from": "1", "text": "caf\\u00e9 \\/ \xf0\x9f\x9a\xa7"}'
    body = b'{"entry": [{"changes": [{"value": {"messages": [' + message + b"]}}]}]}"
    assert (await house.post(body)).status == 200
    assert house.log[0][0].body == body


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-hub-signature-256": "sha256="},
        {"x-hub-signature-256": "sha256=" + "0" * 64},
        {"x-hub-signature-256": "sha256=\xe9\xff"},
        {"x-forwarded-for": "157.240.1.1", "x-real-ip": "157.240.1.1", "user-agent": "facebookexternalua"},
        signed(b'{"entry": []}'),
        signed(post(("111", "6281200001111", "palsu")), "tebakan"),
    ],
)
async def test_case_12_a_forged_webhook_is_refused(house: House, headers: dict[str, str]) -> None:
    heard = await house.post(post(("111", "6281200001111", "palsu")), headers=headers)
    assert (heard.status, house.log) == (403, [])


@pytest.mark.parametrize("fault", [Retry("the log cannot be written"), OSError("disk full"), RuntimeError("a bug")])
async def test_case_13_what_cannot_be_stored_is_503(house: House, fault: Exception) -> None:
    house.fault = fault
    heard = await house.post(post(("111", "6281200001111", "Banjir")))
    assert (heard.status, heard.headers["retry-after"]) == (503, "5")


async def test_case_07_one_webhook_of_several_citizens_is_one_append(house: House) -> None:
    said = [
        ("111", "62812000011", "a"),
        ("222", "62812000022", "b"),
        ("333", "62812000033", "c"),
        ("111", "62812000011", "d"),
    ]
    body = post(*said)
    assert (await house.post(body)).status == 200
    [raws] = house.log
    assert [(r.account, r.conversation) for r in raws] == [
        ("wa", "111:62812000011"),
        ("wa-cimahi", "222:62812000022"),
        ("wa", "333:62812000033"),  # wa-stranger has another secret: this request proves nothing to it
    ]
    assert {r.body for r in raws} == {body}
    assert len({r.id for r in raws}) == 3


async def test_what_belongs_to_no_conversation_travels_beside_the_others() -> None:
    house = House(Told([Spoken("a"), Spoken(None)]))
    await house.post(b"x", "told")
    assert [(r.conversation, r.rest) for r in house.log[0]] == [("a", False), (None, True)]


@pytest.mark.parametrize("spoken", [[], [Spoken(None)], RuntimeError("a bug")])
async def test_what_cannot_be_listed_goes_under_the_account(spoken: Any) -> None:
    house = House(Told(spoken))
    assert (await house.post(b"\xff not json", "told")).status == 200
    assert [(r.conversation, r.rest) for r in house.log[0]] == [(None, False)]


async def test_a_large_body_lies_with_the_blobs_first() -> None:
    house, body = House(Told([])), b"x" * 300_000
    await house.post(body, "told")
    [[raw]] = house.log
    assert (raw.body, raw.blob, house.blobs.kept) == (b"", hashlib.sha256(body).hexdigest(), [body])


async def test_secrets_of_the_query_are_not_stored() -> None:
    house = House(Told([]))
    await call(house.door, "POST", "/in/told?a=1&tok%65n=geheim&b=%20x", b"")
    assert house.log[0][0].query == "a=1&b=%20x"


async def test_only_the_headers_that_are_read_are_kept() -> None:
    house = House(Told([]))
    await house.post(b"", "told", headers={"content-type": "text/x", "cookie": "a=b"})
    assert house.log[0][0].headers == {"content-type": "text/x"}


async def test_a_handshake_is_answered_and_not_stored(house: House) -> None:
    asked = "/in/wa?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
    heard = await call(house.door, "GET", asked + "betul")
    assert (heard.status, heard.body, house.log) == (200, b"1158201444", [])
    assert (await call(house.door, "GET", asked + "salah")).status == 403


async def test_a_bug_in_a_check_is_not_final_for_the_sender() -> None:
    house = House(Told([], bug=RuntimeError("a bug")))
    assert ((await house.post(b"", "told")).status, house.log) == (503, [])


async def test_answers_are_counted_by_account_and_status(house: House) -> None:
    body = post(("111", "6281200001111", "Jalan rusak"))
    await house.post(body)
    await house.post(body, headers={})
    await house.post(body, "tidak-ada")
    assert house.door.answered == {("wa", 200): 1, ("wa", 403): 1, ("", 404): 1}


class Told(Listens):
    """A channel that lists what it is told to."""

    kind = "told"
    secret_parameters = frozenset({"token"})

    def __init__(self, spoken: Any, bug: Exception | None = None) -> None:
        super().__init__("told", "32", None)
        self.spoken = spoken
        self.bug = bug

    def verify(self, request: Request) -> None:
        if self.bug:
            raise self.bug

    def conversations(self, request: Request) -> Sequence[Spoken]:
        if isinstance(self.spoken, Exception):
            raise self.spoken
        return self.spoken

    def accepted(self) -> Answer:
        return Answer(200, b"OK")

    def parse(self, raw: Raw) -> list[Any]:
        return []
