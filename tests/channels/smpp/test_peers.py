"""Messages both ways with centres that others wrote: smpp34 (Rust) and jSMPP (Java)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectors._smpp_alphabets import encode_gsm7
from schemas import AccountFault
from tests.channels.smpp.bytes import SARI
from tests.channels.smpp.running import Intake, reply, session
from tests.services.jsmpp import JSmpp, a_jsmpp
from tests.services.ports import free_ports

smpp34 = pytest.importorskip("smpp34")
pytestmark = pytest.mark.service
LONG = "Laporan Anda sedang ditangani oleh Dinas Pekerjaan Umum Kota Bandung. " * 3
WORDS = "Lampu jalan mati [RT 05] @balai"


class Rust:
    """smpp34's server."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self._server = smpp34.Server("127.0.0.1", port, system_id="pusat")

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()

    async def next(self, kind: type) -> Any:
        while not isinstance(found := await self._server.next(), kind):
            pass
        return found


@pytest.fixture
async def rust() -> AsyncIterator[Rust]:
    server = Rust(free_ports(1)[0])
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def java() -> AsyncIterator[JSmpp]:
    async with a_jsmpp("sandi-8x") as centre:
        yield centre


async def test_smpp34_brings_messages_and_gets_each_acknowledged(rust: Rust):
    intake = Intake()
    async with asyncio.timeout(20), session(rust, intake=intake):
        esme = await rust.next(smpp34.Esme)
        assert esme.system_id == "pengaduan"
        wide = "Banjir 😡".encode("utf-16-be")
        sent = [
            await esme.deliver_sm("1708", encode_gsm7(WORDS), source_addr=SARI, source_addr_ton=1),
            await esme.deliver_sm("1708", wide, source_addr=SARI, source_addr_ton=1, data_coding=8),
            *[
                await esme.deliver_sm(
                    "1708", bytes((6, 8, 4, 0, 9, 2, n)) + text, source_addr=SARI, source_addr_ton=1, esm_class=0x40
                )
                for n, text in ((2, b"dua"), (1, b"satu "))
            ],
            await esme.deliver_sm(
                "1708", source_addr=SARI, source_addr_ton=1, tlvs=[smpp34.Tlv(smpp34.TLV_MESSAGE_PAYLOAD, b"x" * 900)]
            ),
        ]
        await intake.until(5)
    assert all(response.is_success for response in sent)
    assert intake.texts == [WORDS, "Banjir 😡", "satu dua", "x" * 900]


async def test_smpp34_takes_a_long_reply_refuses_one_and_brings_a_receipt(rust: Rust):
    intake = Intake()
    async with asyncio.timeout(20), session(rust, intake=intake) as (door, outbound, _):
        esme = await rust.next(smpp34.Esme)
        sending = asyncio.create_task(door.send(reply(LONG), outbound))
        texts = []
        for id in ("AB01", "AB02"):
            event = await rust.next(smpp34.SubmitSmEvent)
            texts.append(event.short_message[6:])
            event.accept(id)
        assert (await sending).native_ids == ("AB01", "AB02")
        assert b"".join(texts).decode() == LONG
        receipt = (
            f"id:{0xAB02} sub:001 dlvrd:001 submit date:2508180855 done date:2508180857 stat:DELIVRD err:000 text:"
        )
        await esme.deliver_sm("1708", receipt.encode(), source_addr=SARI, source_addr_ton=1, esm_class=4)
        (item,) = await intake.until(1)
        assert (item.native_id, item.state) == ("AB02", "delivered")
        refused = asyncio.create_task(door.send(reply(), outbound))
        (await rust.next(smpp34.SubmitSmEvent)).reject(smpp34.ESME_RINVSRCADR)
        with pytest.raises(AccountFault, match="wrong_sender"):
            await refused


async def test_smpp34_sees_us_unbind(rust: Rust):
    async with asyncio.timeout(20):
        async with session(rust):
            await rust.next(smpp34.Esme)
        await rust.next(smpp34.Unbound)


async def test_jsmpp_exchanges_messages_and_receipts_with_ids_in_decimal(java: JSmpp):
    intake = Intake()
    async with asyncio.timeout(60), session(java, intake=intake) as (door, outbound, _):
        assert await java.line() == "bound"
        java.bring(SARI, 0, 0, encode_gsm7(WORDS))
        java.bring(SARI, 0x40, 8, b"\5\0\3\0\2\2" + "macet 🚧".encode("utf-16-be"))
        java.bring(SARI, 0x40, 8, b"\5\0\3\0\2\1" + "Simpang ".encode("utf-16-be"))
        assert [await java.line() for _ in range(3)] == ["brought"] * 3
        sent = await door.send(reply("Baik 👍"), outbound)
        assert await java.line() == f"taken {SARI} 8 {'Baik 👍'.encode('utf-16-be').hex()}"
        *_, receipt = await intake.until(4)
    assert intake.texts == [WORDS, "Simpang macet 🚧"]
    assert sent.native_ids == ("A0000001",)
    assert (receipt.native_id, receipt.state) == ("A0000001", "delivered")


async def test_jsmpp_takes_a_pair_and_refuses_a_wrong_password(java: JSmpp):
    async with asyncio.timeout(60):
        async with session(java, bind="pair") as (door, outbound, _):
            assert [await java.line(), await java.line()] == ["bound", "bound"]
            assert (await door.send(reply(), outbound)).native_ids == ("A0000001",)
        with pytest.raises(AccountFault, match="wrong_password"):
            async with session(java, password="lain"):
                pass
