"""A provider gives a new refresh token with an access token: it is kept, and the old one is used no more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from connectors import Http, HttpResponse
from connectors._email_oauth import TokenSource
from hub.renewed_secret import AccountSecret
from schemas import AccountFault, Retry
from sink.record import Record
from sink.vault import Vault
from tests.channels.recording import channel
from tests.fakes.server import Received, Server, answer


class TokenServer:
    """Takes each refresh token once, and gives the next one."""

    def __init__(self) -> None:
        self.right, self.given = "segar-0", 0

    def __call__(self, request: Received) -> HttpResponse:
        (asked,) = parse_qs(request.body.decode())["refresh_token"]
        if asked != self.right:
            return answer(400, {"error": "invalid_grant"})
        self.given += 1
        self.right = f"segar-{self.given}"
        return answer(200, {"access_token": f"masuk-{self.given}", "expires_in": 3600, "refresh_token": self.right})


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    with Record.open(f"sqlite:///{tmp_path / 'record.db'}", Vault.create(tmp_path / "keys.toml")) as opened:
        yield opened


def secret_of(record: Record, account: str = "surel", **more: Any) -> AccountSecret:
    async def call(work: Callable[..., Any], *args: Any) -> Any:
        return work(record, *args)

    return AccountSecret(call, account, **more)


async def token(url: str, renewed: AccountSecret | None, refresh_token: str = "segar-0") -> str:
    """As a session that has just begun gets it."""
    oauth = {"token_url": url, "client_id": "k", "client_secret": "rahasia", "refresh_token": refresh_token}
    async with Http() as http:
        return await TokenSource(channel("email", oauth=oauth).settings, http, renewed).token()


async def test_every_later_session_uses_the_newest_refresh_token(record: Record):
    with Server(TokenServer()) as server:
        tokens = [await token(server.url, secret_of(record)) for _ in range(3)]
    assert tokens == ["masuk-1", "masuk-2", "masuk-3"]


async def test_another_consent_takes_the_place_of_the_kept_token(record: Record):
    provider = TokenServer()
    with Server(provider) as server:
        await token(server.url, secret_of(record))
        provider.right = "izin-baru"
        assert await token(server.url, secret_of(record), "izin-baru") == "masuk-2"
        assert await token(server.url, secret_of(record), "izin-baru") == "masuk-3"


async def test_an_account_uses_no_token_of_another(record: Record):
    with Server(TokenServer()) as server:
        await token(server.url, secret_of(record))
        with pytest.raises(AccountFault, match="consent"):
            await token(server.url, secret_of(record, "surel-lain"))


async def test_answers_that_go_out_together_renew_once():
    provider = TokenServer()
    oauth = {"client_id": "k", "client_secret": "rahasia", "refresh_token": "segar-0"}
    with Server(provider) as server:
        async with Http() as http:
            tokens = TokenSource(channel("email", oauth=oauth | {"token_url": server.url}).settings, http)
            assert set(await asyncio.gather(*(tokens.token() for _ in range(4)))) == {"masuk-1"}


async def test_the_new_token_is_kept_once_the_record_is_there_again(record: Record):
    calls: list[str] = []

    async def call(work: Callable[..., Any], *args: Any) -> Any:
        calls.append(work.__name__)
        if len(calls) == 2:
            raise Retry("the record is away")
        return work(record, *args)

    with Server(TokenServer()) as server:
        assert await token(server.url, AccountSecret(call, "surel", _at_once)) == "masuk-1"
        assert await token(server.url, secret_of(record)) == "masuk-2"


async def test_the_kept_token_is_sealed(record: Record, tmp_path: Path):
    with Server(TokenServer()) as server:
        await token(server.url, secret_of(record))
    assert not [path for path in tmp_path.glob("record.db*") if b"segar-1" in path.read_bytes()]


def _at_once(_: float) -> Awaitable[None]:
    return asyncio.sleep(0)
