"""A citizen is answered from the number that he wrote to, also where it has no account."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.cases.conftest import INPUTS, webhook_of
from tests.cli.program import satupintu
from tests.flow.running_hub import RunningHub, running_hub


async def test_the_answer_goes_by_the_number_written_to(hub: RunningHub):
    await hub.webhook(webhook_of(INPUTS / "18" / "to-9999.json"))
    assert len(await hub.complaints()) == 1
    await hub.until(lambda: hub.graph.sent, "the answer")
    assert [received.path for received in hub.graph.received] == ["/v23.0/9999/messages"]
    assert hub.graph.sent[0]["to"] == "628120001801"


async def test_doctor_names_the_number_without_an_account(tmp_path: Path):
    async with running_hub(tmp_path / "hub", f"sqlite:///{tmp_path}/hub/bus.db") as hub:
        await hub.webhook(webhook_of(INPUTS / "18" / "to-9999.json"))
        await hub.complaints()
        doctor = await asyncio.to_thread(satupintu, "doctor", data=hub.settings.data)
        assert "messages came for 9999" in doctor.stdout + doctor.stderr
