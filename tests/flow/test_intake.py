"""The Raws of a request: one for each account and conversation, a large body stored once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

from connectors import Channel, Request, Secret
from hub.intake import INLINE_BODY, UNCLAIMED, split_into_raws
from schemas import Raw
from tests.channels.made_up.kiosk import Kiosk, KioskSettings

NOW = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)


def kiosk(name: str = "kios") -> Kiosk:
    return Kiosk(name, "32.73", KioskSettings(token=Secret("t")))


class Addressed(Kiosk):
    """A kiosk whose items name the account that they are meant for."""

    address = "here"  # type: ignore[assignment]

    def parts(self, payload: Any) -> Any:
        for part in super().parts(payload):
            yield part._replace(address=part.payload.get("to"))


async def made_of(
    channel: Channel, body: bytes, sibling: Callable[[str], Channel | None] = lambda address: None, **more: Any
) -> tuple[list[Raw], list[bytes]]:
    """The Raws, and what was stored with the blobs."""
    stored: list[bytes] = []
    ids = count()

    async def store(body: bytes) -> str:
        stored.append(body)
        return "f" * 64

    request = Request(body=body, **more)
    raws = await split_into_raws(
        channel, request, store=store, clock=lambda: NOW, new_id=lambda: str(next(ids)), sibling=sibling
    )
    return raws, stored


def items(*senders: str, **more: str) -> bytes:
    found = [{"id": f"n{n}", "from": sender, "text": "Jalan rusak"} | more for n, sender in enumerate(senders)]
    return json.dumps({"items": found}).encode()


async def test_each_conversation_has_its_raw_with_the_positions_of_its_parts() -> None:
    raws, stored = await made_of(kiosk(), items("budi", "siti", "budi"))
    assert [(raw.conversation, raw.parts) for raw in raws] == [("budi", (0, 2)), ("siti", (1,))]
    assert len({raw.id for raw in raws}) == 2
    assert stored == []


async def test_one_conversation_has_the_whole_request() -> None:
    [raw] = (await made_of(kiosk(), items("budi", "budi")))[0]
    assert (raw.conversation, raw.parts) == ("budi", None)


async def test_a_request_that_cannot_be_taken_apart_is_one_raw_of_the_account() -> None:
    [raw] = (await made_of(kiosk(), b"no items"))[0]
    assert (raw.conversation, raw.parts, bytes(raw.body)) == (None, None, b"no items")


async def test_a_body_that_many_raws_share_is_stored_once_with_the_blobs() -> None:
    raws, stored = await made_of(kiosk(), items(*(f"warga{n}" for n in range(100)), text="x" * (INLINE_BODY // 50)))
    assert len(raws) == 100
    assert len(stored) == 1
    assert {(raw.blob, bytes(raw.body)) for raw in raws} == {("f" * 64, b"")}


async def test_parts_for_a_sibling_go_to_its_account_and_the_sibling_is_asked_for_once() -> None:
    there, asked = kiosk("there"), []

    def sibling(address: str) -> Channel:
        asked.append(address)
        return there

    raws, _ = await made_of(Addressed("here", "32.73", KioskSettings()), items("budi", "siti", to="there"), sibling)
    assert [raw.account for raw in raws] == ["there", "there"]
    assert asked == ["there"]


async def test_parts_for_an_address_without_an_account_stay_here_and_are_marked() -> None:
    [raw] = (await made_of(Addressed("here", "32.73", KioskSettings()), items("budi", to="9999")))[0]
    assert (raw.account, raw.headers[UNCLAIMED]) == ("here", "9999")


async def test_secret_parameters_and_other_headers_are_not_stored() -> None:
    class Tokened(Kiosk):
        secret_parameters = frozenset({"token"})
        kept_headers = ("content-type",)

    headers = {"content-type": "application/json", "authorization": "Bearer x"}
    request = {"query": "a=1&token=rahasia&b=2", "headers": headers}
    [raw] = (await made_of(Tokened("kios", "32.73", KioskSettings()), items("budi"), **request))[0]
    assert (raw.query, dict(raw.headers)) == ("a=1&b=2", {"content-type": "application/json"})


class Poisoned(Kiosk):
    """A kiosk that fails at the files inside a request."""

    def enclosed_files(self, request: Request) -> Any:
        yield b"foto"
        raise UnicodeError("a codec that does not replace")


async def test_a_request_whose_files_cannot_be_read_is_taken_in_all_the_same() -> None:
    """Else it would stand before all others of its mailbox for ever."""
    raws, stored = await made_of(Poisoned("kios", "32.73", KioskSettings(token=Secret("t"))), items("budi"))
    assert ([raw.conversation for raw in raws], stored) == (["budi"], [])
