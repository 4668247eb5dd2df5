"""A process dies between sending a reply and storing the result: it is not sent again, and a receipt settles it."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.fakes.graph import Graph
from tests.fakes.graph import signed as signed_status
from tests.fakes.kannel import Kannel
from tests.fakes.server import Behaviour, Fault, Received
from tests.faults.test_stages import PATIENCE, post, sms, started
from tests.programs import APP_SECRET, Program, channels, wait_for, whatsapp_body
from tests.stacks import Stack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
"""The drill does the same on Kafka and PostgreSQL."""
NUMBER = "106540352242922"
NOWHERE = "http://127.0.0.1:9"
"""Where the accounts of the tests ask for delivery reports."""
STAGES = [("door", "reader", "matcher", "router", "sink"), ("accounts",), ("accounts",)]


class HangingGraph(Graph):
    """Takes a message and never answers."""

    def _message(self, message: dict[str, Any]) -> Behaviour:
        super()._message(message)
        return Fault.HANG


class HangingKannel(Kannel):
    """The same."""

    def _respond(self, received: Received) -> Behaviour:
        super()._respond(received)
        return Fault.HANG


def test_whatsapp_settles_it_by_our_reference(stack: Stack) -> None:
    with HangingGraph("tests-access") as graph:
        program = stack.program(channels(graph=graph.graph_url))
        with started(program, *STAGES) as [rest, *processes]:
            post(rest.url, whatsapp_body("wamid.1", "6281200000001", "LAPOR jalan rusak"))
            wait_for(lambda: graph.sent, PATIENCE, "the answer to be sent")
            assert "a receipt of the channel settles it" in in_doubt(stack, processes)
            body, headers = signed_status(graph.statuses("delivered", number=NUMBER), APP_SECRET)
            assert requests.post(rest.url + "/in/whatsapp", body, headers=headers, timeout=30).status_code == 200
            wait_for(lambda: state(stack) == "delivered", PATIENCE, "the status to settle it")
        assert len(graph.sent) == 1


def test_sms_settles_it_by_its_delivery_report(stack: Stack) -> None:
    with HangingKannel("u", "p") as kannel:
        program = stack.program(channels(kannel.send_url))
        with started(program, *STAGES) as [rest, *processes]:
            sms(rest.url, "1")
            wait_for(lambda: kannel.sent, PATIENCE, "the answer to be sent")
            assert "a receipt of the channel settles it" in in_doubt(stack, processes)
            [report] = kannel.reports(1)
            assert requests.get(report.replace(NOWHERE, rest.url), timeout=30).status_code == 200
            wait_for(lambda: state(stack) == "delivered", PATIENCE, "the report to settle it")
        assert len(kannel.sent) == 1


def test_sms_without_reports_says_that_only_the_provider_can_tell(stack: Stack) -> None:
    with HangingKannel("u", "p") as kannel:
        program = stack.program(channels(kannel.send_url).replace(f'public_url = "{NOWHERE}"\n', ""))
        with started(program, *STAGES) as [rest, *processes]:
            sms(rest.url, "1")
            wait_for(lambda: kannel.sent, PATIENCE, "the answer to be sent")
            assert "only the provider can tell" in in_doubt(stack, processes)
        assert len(kannel.sent) == 1


def in_doubt(stack: Stack, processes: list[Program]) -> str:
    """Kill the process that has sent the reply and not stored the result: the reason that its successor states."""
    process = holder(stack, processes)
    process.kill()
    wait_for(lambda: state(stack) == "unknown", PATIENCE, "the claim to be given up")
    return str(stack.query("SELECT reason FROM outbox")[0][0])


def holder(stack: Stack, processes: list[Program]) -> Program:
    """The process that holds the account of the reply that was claimed."""
    [(name,)] = stack.query("SELECT holder FROM leases JOIN outbox USING (account) WHERE state = 'claimed'")
    return next(each for each in processes if f":{each.pid}/" in name)


def state(stack: Stack) -> str:
    return str(stack.query("SELECT state FROM outbox")[0][0])
