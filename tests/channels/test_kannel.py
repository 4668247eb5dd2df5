"""A real Kannel between a centre and the account: bearerbox and smsbox, set up by the words that `channels` prints."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from connectors import Item, ProviderConnections, Request
from connectors._smpp_alphabets import encode_gsm7
from connectors._smpp_pdu import ShortMessage
from schemas import Message, Receipt
from tests.channels.recording import channel, raw, read, reply
from tests.fakes.smsc import Smsc
from tests.services.kannel import KannelPorts, SmppLogin, kannel_config
from tests.services.ports import free_port

pytestmark = pytest.mark.service
SARI = "+628120000001"


class ConnectedAccount:
    """The account, and what Kannel brought to it."""

    def __init__(self, smsc: Smsc, door: Any, outbound: ProviderConnections) -> None:
        self.smsc, self.door, self.outbound = smsc, door, outbound
        self.items: list[Item] = []
        self._came = asyncio.Event()

    async def take(self, request: web.Request) -> web.Response:
        """As the ingress does."""
        taken = Request("GET", query=request.rel_url.raw_query_string)
        self.door.verify(taken)
        self.items += read(self.door, raw("sms", taken))
        self._came.set()
        return web.Response(body=self.door.accepted().body)

    async def until(self, condition: Callable[[], Any]) -> None:
        while not condition():
            self._came.clear()
            await self._came.wait()


def setup_options(url: str) -> tuple[dict[str, str], dict[str, str]]:
    """What `channels` says about the two groups."""
    lines = [line.strip() for line in channel("sms").setup_help(url).splitlines()]
    service = [line.replace("TOKEN", "rahasia-gerbang") for line in lines if line.startswith(("get-url", "max-mess"))]
    user = next(line for line in lines if line.startswith("in group sendsms-user: ")).partition(": ")[2].split(", ")
    return _options(service), _options(user)


def _options(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(" = ") for line in lines)
    return {name: value for name, _, value in pairs}


@pytest.fixture
async def connected(tmp_path: Path, outbound: ProviderConnections) -> AsyncIterator[ConnectedAccount]:
    if not shutil.which("bearerbox"):
        assert not os.environ.get("CI"), "Kannel is not installed: apt-get install kannel"
        pytest.skip("needs Kannel")
    async with AsyncExitStack() as stack:
        smsc = await stack.enter_async_context(Smsc())
        ports, own = KannelPorts.free(), free_port()
        hub = f"http://127.0.0.1:{own}"
        door = channel("sms", send_url=f"http://127.0.0.1:{ports.send}/cgi-bin/sendsms", public_url=hub)
        connected = ConnectedAccount(smsc, door, outbound)
        app = web.Application()
        app.router.add_get("/in/rekam", connected.take)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", own).start()
        service, user = setup_options(f"{hub}/in/rekam")
        login = {"username": "satupintu", "password": "sandi-kannel"}
        groups = {"smsc": {"smsc-id": "pusat"}, "sms-service": service, "sendsms-user": login | user}
        config = tmp_path / "kannel.conf"
        config.write_text(kannel_config(tmp_path, ports, SmppLogin(smsc.port, "satupintu", "sandi"), groups))
        for name, port in (("bearerbox", ports.box), ("smsbox", ports.send)):
            log = stack.enter_context((tmp_path / f"{name}.log").open("wb"))
            process = subprocess.Popen([shutil.which(name) or "", str(config)], stdout=log, stderr=log)
            stack.callback(process.wait, 30)
            stack.callback(process.kill)  # ended in order it would wait for a centre that this very loop is
            await _answers(port)
        await asyncio.wait_for(smsc.until(lambda: smsc.links), 60)
        yield connected


async def _answers(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return


def sms(text: bytes, **more: Any) -> ShortMessage:
    return ShortMessage(SARI[1:], "1708", 1, 1, text=text, **more)


async def test_kannel_brings_words_takes_an_answer_and_reports_it(connected: ConnectedAccount) -> None:
    parts = ["LAPOR lampu jalan padam ", "sejak Senin di depan pasar"]
    connected.smsc.deliver(
        sms(encode_gsm7("Jalan rusak @ Cihampelas [dekat pasar] €")),
        sms("Banjir 😡 di Dayeuhkolot".encode("utf-16-be"), data_coding=8),
        *(sms(bytes((5, 0, 3, 7, 2, n)) + encode_gsm7(one), esm_class=0x40) for n, one in enumerate(parts, 1)),
    )
    await asyncio.wait_for(connected.until(lambda: len(connected.items) == 3), 60)
    messages = [one for one in connected.items if isinstance(one, Message)]
    assert sorted(one.text for one in messages) == [
        "Banjir 😡 di Dayeuhkolot", "Jalan rusak @ Cihampelas [dekat pasar] €", "".join(parts),
    ]  # fmt: skip
    assert {(one.conversation, one.extra["to"], one.extra["smsc"]) for one in messages} == {(SARI, "1708", "pusat")}
    assert len({one.id for one in messages}) == 3

    one = reply("sms", "Nomor laporan Anda 4719360285. " * 8, to=SARI, conversation=SARI)
    await connected.door.send(one, connected.outbound)
    await asyncio.wait_for(connected.smsc.until(lambda: len(connected.smsc.sent) == 2), 60)
    assert {part.destination for part in connected.smsc.sent} == {SARI[1:]}
    assert b"4719360285" in connected.smsc.sent[0].text
    for id in ("smsc-1", "smsc-2"):
        words = f"id:{id} sub:001 dlvrd:001 submit date:2611291400 done date:2611291401 stat:DELIVRD err:000 text:x"
        connected.smsc.deliver(sms(words.encode(), esm_class=0x04))
    await asyncio.wait_for(connected.until(lambda: any(_delivered(item, one.id) for item in connected.items)), 60)


def _delivered(item: Item, reply_id: str) -> bool:
    return isinstance(item, Receipt) and (item.reply, item.state) == (reply_id, "delivered")
