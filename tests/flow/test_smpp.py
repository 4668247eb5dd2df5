"""From an operator's centre to the record and back: SMPP through a whole hub."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.channels.smpp.bytes import BUDI, SARI, part, short
from tests.fakes.smsc import Smsc
from tests.flow.running_hub import RunningHub

STORY = ("LAPOR jalan di depan Pasar Kosambi ", "berlubang besar, sudah dua orang ", "jatuh minggu ini.")


@pytest.fixture
async def smsc(hub: RunningHub) -> AsyncIterator[Smsc]:
    """Bound by an account that is added while the hub runs."""
    async with Smsc("sandi") as smsc:
        table = f'[seluler]\nkind = "smpp"\nowner = "32.73"\nhosts = ["{smsc.host}"]\nsystem_id = "satupintu"\n'
        with hub.settings.channels.open("a") as file:
            file.write(f'{table}password = "sandi"\naddress = "1708"\njoin_within = 2\n')
        await hub.until(lambda: smsc.links, "the bind")
        yield smsc


async def test_a_long_sms_is_one_complaint_answered_through_the_centre(hub: RunningHub, smsc: Smsc) -> None:
    smsc.deliver(*(part(STORY[n - 1], n, 3) for n in (3, 1, 3, 2)))
    await smsc.until(lambda: len(smsc.taken) == 4)
    [complaint] = await hub.complaints()
    assert (complaint["text"], complaint["channel"]) == ("".join(STORY), "smpp")
    await hub.until(lambda: smsc.sent, "the answer")
    assert complaint["number"] in "".join(message.text.decode("latin-1") for message in smsc.sent)
    assert {message.destination for message in smsc.sent} == {SARI}
    await hub.until(lambda: _states(hub) == {"sent"}, "the reply's id in the record")
    smsc.deliver(short(b"id:smsc-1 stat:DELIVRD err:000", esm_class=4))
    await smsc.until(lambda: len(smsc.taken) == 5)
    ledger = await hub.settled()
    assert _states(hub) == {"delivered"}
    assert (ledger["received"], ledger["recorded"], ledger["lost"], ledger["receipts"]) == (1, 1, 0, 1)


async def test_case_15_a_gap_is_marked_then_filled_in_the_same_complaint(hub: RunningHub, smsc: Smsc) -> None:
    smsc.deliver(part(STORY[0], 1, 3), part(STORY[2], 3, 3))
    [marked] = await hub.until(lambda: _complaints(hub), "the text with its gap")
    assert "[bagian 2 dari 3 belum diterima]" in marked["text"]
    smsc.deliver(part(STORY[1], 2, 3), short("LAPOR lampu mati di Jalan Naripan", BUDI))
    await smsc.until(lambda: len(smsc.taken) == 4)
    complaints = {c["number"]: c for c in await hub.complaints()}
    assert len(complaints) == 2
    words = [m["text"] for m in complaints[marked["number"]]["messages"] if m["direction"] == "in"]
    assert "".join(STORY) in words


async def test_what_was_not_acknowledged_comes_again_and_is_recorded_once(hub: RunningHub, smsc: Smsc) -> None:
    smsc.deliver(*(part(STORY[n - 1], n, 3) for n in (1, 2, 3)), short("LAPOR banjir di Jalan Naripan", BUDI))
    await smsc.until(lambda: len(smsc.taken) == 4)
    await hub.settled()
    smsc.taken.clear()  # as if no acknowledgement had arrived
    smsc.hang_up()
    await smsc.until(lambda: len(smsc.taken) == 4)
    ledger = await hub.settled()
    assert len(await hub.complaints()) == 2
    assert (ledger["recorded"], ledger["lost"]) == (2, 0)


async def _complaints(hub: RunningHub) -> list[dict]:
    return await hub.complaints()


def _states(hub: RunningHub) -> set[str]:
    with hub.record.read() as connection:
        return {state for (state,) in connection.exec_driver_sql("SELECT state FROM outbox")}
