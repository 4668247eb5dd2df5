"""The ingress: every status it gives, and that yes is only said over what is stored."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors import Channel, IngressResponse, Listens, Part, Payload, Request, Secret, channel_type
from hub.web.bodies import BodyBudget
from hub.web.ingress import Ingress
from schemas import Message, Raw, Reject, Retry
from tests.web.accounts import TheseAccounts
from tests.web.asgi import Response, call

NOW = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
SECRET = "rahasia-meta"


def whatsapp(name: str, phone: str = "", secret: str = SECRET) -> Channel:
    kind = channel_type("whatsapp")
    settings = kind.settings_type(app_secret=Secret(secret), verify_token=Secret("betul"), phone_number_id=phone)  # type: ignore[call-arg]
    return kind(name, "32.73", settings)


def webhook(*messages: tuple[str, str, str]) -> bytes:
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
        for n, (ours, citizen, words) in enumerate(messages)
    ]
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}).encode()


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


class Site:
    """An ingress with its accounts, its log and its blobs."""

    def __init__(self, *channels: Channel, budget: float = 1e9) -> None:
        self.log: list[Sequence[Raw]] = []
        self.blobs: list[bytes] = []
        self.fault: Exception | None = None
        self.accounts = TheseAccounts(*channels)
        self.ingress = Ingress(self.accounts, self.publish, self.store, clock=lambda: NOW, budget=BodyBudget(budget))

    async def publish(self, raws: Sequence[Raw]) -> None:
        if self.fault:
            raise self.fault
        self.log.append(raws)

    async def store(self, body: bytes) -> str:
        self.blobs.append(body)
        return hashlib.sha256(body).hexdigest()

    async def post(
        self, body: bytes, account: str = "wa", headers: dict[str, str] | None = None, **more: Any
    ) -> Response:
        headers = signed(body) if headers is None else headers
        return await call(self.ingress, "POST", f"/in/{account}", body, headers, **more)


@pytest.fixture
def site() -> Site:
    return Site(whatsapp("wa", "111"), whatsapp("wa-cimahi", "222"), whatsapp("wa-stranger", "333", "lain"))


async def test_a_signed_webhook_is_stored_as_it_came(site: Site) -> None:
    body = webhook(("111", "6281200001111", "Jalan rusak"))
    response = await site.post(body)
    [[raw]] = site.log
    assert response.status == 200
    assert (raw.account, raw.channel, raw.owner, raw.body, raw.received_at) == ("wa", "whatsapp", "32.73", body, NOW)
    assert raw.conversation == "111:6281200001111"
    assert raw.parts is None


async def test_an_unknown_account_is_404(site: Site) -> None:
    assert (await site.post(b"{}", "tidak-ada")).status == 404
    assert (await site.post(b"{}", "")).status == 404


async def test_an_account_that_takes_no_requests_is_404() -> None:
    kind = channel_type("file")
    site = Site(kind("berkas", "32", kind.settings_type()))
    assert (await site.post(b"{}", "berkas")).status == 404


async def test_a_method_not_its_own_is_405(site: Site) -> None:
    response = await call(site.ingress, "PUT", "/in/wa")
    assert (response.status, response.headers["allow"]) == (405, "GET, POST")


async def test_a_body_that_says_it_is_too_large_is_refused_unread() -> None:
    response = await Site(Listed()).post(b"", "listed", headers={"content-length": str(4 * 1024 * 1024)})
    assert (response.status, response.headers["connection"], response.parts_left) == (413, "close", 1)


@pytest.mark.parametrize("length", [{}, {"content-length": "5"}, {"content-length": "-1"}])
async def test_a_body_that_is_larger_than_it_says_is_refused_while_reading(length: dict[str, str]) -> None:
    site, parts = Site(Listed()), [b"x" * 1024 * 1024] * 4
    assert (await call(site.ingress, "POST", "/in/listed", parts, length)).status == 413
    assert (await site.post(b"x" * 4 * 1024 * 1024, "listed", headers=length)).status == 413


async def test_a_request_without_the_header_of_its_proof_is_refused_unread(site: Site) -> None:
    response = await call(site.ingress, "POST", "/in/wa", [b"x" * 100_000] * 30)
    assert (response.status, response.headers["connection"], response.parts_left) == (403, "close", 30)


async def test_bodies_that_are_read_at_one_moment_share_a_budget() -> None:
    site, parts = Site(Listed(), budget=1_000_000), [b"x" * 100_000] * 6
    full = await call(site.ingress, "POST", "/in/listed", parts)
    after = await call(site.ingress, "POST", "/in/listed", parts[:4])
    assert (full.status, full.headers["retry-after"], after.status) == (503, "5", 200)


async def test_a_closed_account_is_503_and_open_again_with_the_next_edition(site: Site) -> None:
    body = webhook(("111", "6281200001111", "Jalan rusak"))
    site.accounts.change(whatsapp("wa", "111"), state="closed")
    closed = await site.post(body)
    site.accounts.change(whatsapp("wa", "111"))
    assert (closed.status, "retry-after" in closed.headers, len(site.log)) == (503, True, 0)
    assert (await site.post(body)).status == 200


async def test_a_new_edition_counts_without_a_restart(site: Site) -> None:
    body = webhook(("222", "6281200001111", "Jalan rusak"))
    assert (await site.post(body, "wa-baru")).status == 404
    site.accounts.change(whatsapp("wa", "111"), whatsapp("wa-baru", "222"))
    assert (await site.post(body)).status == 200
    assert site.log[0][0].account == "wa-baru"


async def test_the_rest_of_the_path_is_given_to_the_channel() -> None:
    site = Site(Listed())
    await call(site.ingress, "POST", "/in/listed/v2/requests.json?a=1", b"x")
    [[raw]] = site.log
    assert (raw.path, raw.query) == ("/v2/requests.json", "a=1")


async def test_the_headers_of_a_channels_answer_are_sent() -> None:
    response = await Site(Listed()).post(b"x", "listed", headers={})
    assert (response.body, response.headers["x-listed"]) == (b"OK", "yes")


async def test_a_body_in_parts_is_put_together(site: Site) -> None:
    body = webhook(("111", "6281200001111", "Lampu mati"))
    response = await call(site.ingress, "POST", "/in/wa", [body[:7], b"", body[7:]], signed(body))
    assert (response.status, site.log[0][0].body) == (200, body)


async def test_who_leaves_before_the_end_leaves_nothing(site: Site) -> None:
    response = await call(site.ingress, "POST", "/in/wa", [b"{"], signed(b"{"), breaks=True)
    assert (response.status, site.log) == (0, [])


async def test_case_11_the_signature_is_checked_over_the_bytes_as_received(site: Site) -> None:
    message = b'{"from": "1", "text": "caf\\u00e9 \\/ \xf0\x9f\x9a\xa7"}'
    body = b'{"entry": [{"changes": [{"value": {"messages": [' + message + b"]}}]}]}"
    assert (await site.post(body)).status == 200
    assert site.log[0][0].body == body


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-hub-signature-256": "sha256="},
        {"x-hub-signature-256": "sha256=" + "0" * 64},
        {"x-hub-signature-256": "sha256=\xe9\xff"},
        {"x-forwarded-for": "157.240.1.1", "x-real-ip": "157.240.1.1", "user-agent": "facebookexternalua"},
        signed(b'{"entry": []}'),
        signed(webhook(("111", "6281200001111", "palsu")), "tebakan"),
    ],
)
async def test_case_12_a_forged_webhook_is_refused(site: Site, headers: dict[str, str]) -> None:
    response = await site.post(webhook(("111", "6281200001111", "palsu")), headers=headers)
    assert (response.status, site.log) == (403, [])


@pytest.mark.parametrize("fault", [Retry("the log cannot be written"), OSError("disk full"), RuntimeError("a bug")])
async def test_case_13_what_cannot_be_stored_is_503(site: Site, fault: Exception) -> None:
    site.fault = fault
    response = await site.post(webhook(("111", "6281200001111", "Banjir")))
    assert (response.status, response.headers["retry-after"]) == (503, "5")


async def test_case_07_one_webhook_of_several_citizens_is_one_append(site: Site) -> None:
    messages = [
        ("111", "62812000011", "a"),
        ("222", "62812000022", "b"),
        ("333", "62812000033", "c"),
        ("111", "62812000011", "d"),
    ]
    body = webhook(*messages)
    assert (await site.post(body)).status == 200
    [raws] = site.log
    assert [(r.account, r.conversation, r.parts) for r in raws] == [
        ("wa", "111:62812000011", (0, 3)),
        ("wa-cimahi", "222:62812000022", (1,)),
        ("wa", "333:62812000033", (2,)),  # wa-stranger has another secret: this request proves nothing to it
    ]
    assert {r.body for r in raws} == {body}
    assert len({r.id for r in raws}) == 3


async def test_a_body_of_many_conversations_is_stored_once(site: Site) -> None:
    body = webhook(*(("111", f"62812{n:08}", "Banjir") for n in range(1000)))
    assert (await site.post(body)).status == 200
    [raws] = site.log
    assert site.blobs == [body]
    assert [(r.body, r.blob) for r in raws] == [(b"", hashlib.sha256(body).hexdigest())] * 1000
    assert sorted(position for r in raws for position in r.parts or ()) == list(range(1000))


async def test_what_belongs_to_no_conversation_has_a_raw_of_its_own() -> None:
    site = Site(Listed(Part(1, "a"), Part(2), Part(3, "a")))
    await site.post(b"x", "listed", headers={})
    assert [(r.conversation, r.parts) for r in site.log[0]] == [("a", (0, 2)), (None, (1,))]


@pytest.mark.parametrize("parts", [(), (Part(1),), (RuntimeError("a bug"),), (Reject("not_json"),)])
async def test_what_cannot_be_taken_apart_is_stored_whole(parts: Any) -> None:
    site = Site(Listed(*parts))
    assert (await site.post(b"\xff not json", "listed", headers={})).status == 200
    assert [(r.conversation, r.parts, r.body) for r in site.log[0]] == [(None, None, b"\xff not json")]


async def test_a_large_body_lies_with_the_blobs_first() -> None:
    site, body = Site(Listed()), b"x" * 300_000
    await site.post(body, "listed", headers={})
    [[raw]] = site.log
    assert (raw.body, raw.blob, site.blobs) == (b"", hashlib.sha256(body).hexdigest(), [body])


async def test_secrets_of_the_query_are_not_stored() -> None:
    site = Site(Listed())
    await call(site.ingress, "POST", "/in/listed?a=1&tok%65n=geheim&b=%20x", b"")
    assert site.log[0][0].query == "a=1&b=%20x"


async def test_only_the_headers_that_are_read_are_kept() -> None:
    site = Site(Listed())
    await site.post(b"", "listed", headers={"content-type": "text/x", "cookie": "a=b"})
    assert site.log[0][0].headers == {"content-type": "text/x"}


async def test_a_handshake_is_answered_and_not_stored(site: Site) -> None:
    asked = "/in/wa?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
    response = await call(site.ingress, "GET", asked + "betul")
    assert (response.status, response.body, site.log) == (200, b"1158201444", [])
    assert (await call(site.ingress, "GET", asked + "salah")).status == 403


async def test_a_bug_in_a_check_is_not_final_for_the_sender() -> None:
    site = Site(Listed(bug=RuntimeError("a bug")))
    assert ((await site.post(b"", "listed", headers={})).status, site.log) == (503, [])


async def test_answers_are_counted_by_account_and_status(site: Site) -> None:
    body = webhook(("111", "6281200001111", "Jalan rusak"))
    await site.post(body)
    await site.post(body, headers={})
    await site.post(body, "tidak-ada")
    assert site.ingress.answered == {("wa", 200): 1, ("wa", 403): 1, ("", 404): 1}


class Listed(Listens):
    """A channel with the parts that it is given."""

    kind = "listed"
    secret_parameters = frozenset({"token"})

    def __init__(self, *parts: Part | Exception, bug: Exception | None = None) -> None:
        super().__init__("listed", "32", None)
        self._parts = parts
        self._bug = bug

    def verify(self, request: Request) -> None:
        if self._bug:
            raise self._bug

    def parts(self, payload: Payload) -> Iterator[Part]:
        for part in self._parts:
            if isinstance(part, Exception):
                raise part
            yield part

    def read(self, part: Part, raw: Raw) -> Message:
        raise NotImplementedError

    def accepted(self) -> IngressResponse:
        return IngressResponse(200, b"OK", headers={"x-listed": "yes"})
