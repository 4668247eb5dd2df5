"""CEK and TL as people write them, and words that only look like them."""

from __future__ import annotations

import pytest

from tests.cases.conftest import INPUTS
from tests.flow.running_hub import RunningHub

LINES = (INPUTS / "19" / "sms.txt").read_text().splitlines()
SIBLINGS = [
    "CEK {N}", "cek: {N}", "Cek, {N}.", "cek#{N}", "CEK  {N}", "tolong cek {N}", "Mohon CEK laporan {N}", "STATUS {N}",
    "cek no. {N}", "cek nomor laporan {N}", "TL {N} masih rusak", "tl:{N}:masih rusak", "TL#{N}#masih rusak",
    "lapor tl {N} masih rusak", "Cek status laporan saya {N} terima kasih", "CEK “{N}”", "*CEK* {N}",
]  # fmt: skip
WORDS = ["cek 2 lampu mati", "TL jalan Ambengan mati", "cek nomor 081200001234 penipu", "cek jalan rusak di Dago"]


async def filed(hub: RunningHub) -> str:
    await hub.sms("081200001901", "LAPOR Jalan rusak di Dago depan pasar", id="f")
    (complaint,) = await hub.complaints()
    number: str = complaint["number"]
    return number


@pytest.fixture
async def number(hub: RunningHub) -> str:
    return await filed(hub)


async def test_every_form_is_understood(hub: RunningHub, number: str):
    for count, line in enumerate(LINES + SIBLINGS):
        before = await hub.settled()
        await hub.sms("081200001901", line.replace("{N}", number), id=f"c{count}")
        after = await hub.settled()
        outcome = "added" if "TL" in line.upper() else "asked"
        assert after[outcome] == before[outcome] + 1, line
    (complaint,) = await hub.complaints()
    added = [entry["why"] for entry in complaint["timeline"] if entry["what"] == "added"]
    assert set(added) == {"TL by its reporter"}


async def test_words_stay_words(hub: RunningHub, number: str):
    for count, line in enumerate(WORDS):
        await hub.sms(f"08120000195{count}", line, id=f"w{count}")
    ledger = await hub.settled()
    assert (ledger["recorded"], ledger["asked"]) == (1 + len(WORDS), 0)
