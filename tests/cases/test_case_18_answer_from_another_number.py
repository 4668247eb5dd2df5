"""A citizen is answered from the number that he wrote to, also where it has no account."""

from __future__ import annotations

from tests.cases.conftest import INPUTS, webhook_of
from tests.flow.running_hub import RunningHub


async def test_the_answer_goes_by_the_number_written_to(hub: RunningHub):
    await hub.webhook(webhook_of(INPUTS / "18" / "to-9999.json"))
    assert len(await hub.complaints()) == 1
    await hub.until(lambda: hub.graph.sent, "the answer")
    assert [received.path for received in hub.graph.received] == ["/v23.0/9999/messages"]
    assert hub.graph.sent[0]["to"] == "628120001801"
