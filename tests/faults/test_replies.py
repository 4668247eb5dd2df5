"""A speaker dies between sending a reply and noting it: nobody sends it again, and whoever can tell settles it."""

from __future__ import annotations

import re
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
NUMBER = "106540352242922"
NOWHERE = "http://127.0.0.1:9"
"""Where the accounts of the tests ask for delivery reports."""
STAGES = [("door", "reader", "matcher", "router", "sink"), ("speakers",), ("speakers",)]


class Deaf(Graph):
    """Takes a message, and answers never."""

    def _message(self, message: dict[str, Any]) -> Behaviour:
        super()._message(message)
        return Fault.HANG


class DeafKannel(Kannel):
    def _respond(self, received: Received) -> Behaviour:
        super()._respond(received)
        return Fault.HANG


def test_whatsapp_settles_it_by_our_reference(road: Stack) -> None:
    with Deaf("tests-access") as graph:
        program = road.program(channels(graph=graph.graph_url))
        with started(program, *STAGES) as [rest, *speakers]:
            post(rest.url, whatsapp_body("wamid.1", "6281200000001", "LAPOR jalan rusak"))
            wait_for(lambda: graph.sent, PATIENCE, "the answer to be sent")
            assert "own receipt will settle it" in in_doubt(road, speakers)
            body, headers = signed_status(graph.statuses("delivered", number=NUMBER), APP_SECRET)
            assert requests.post(rest.url + "/in/whatsapp", body, headers=headers, timeout=30).status_code == 200
            wait_for(lambda: state(road) == "delivered", PATIENCE, "the status to settle it")
        assert len(graph.sent) == 1


def test_sms_settles_it_by_its_delivery_report(road: Stack) -> None:
    with DeafKannel("u", "p") as kannel:
        program = road.program(channels(kannel.send_url))
        with started(program, *STAGES) as [rest, *speakers]:
            sms(rest.url, "1")
            wait_for(lambda: kannel.sent, PATIENCE, "the answer to be sent")
            assert "own receipt will settle it" in in_doubt(road, speakers)
            [report] = kannel.reports(1)
            assert requests.get(report.replace(NOWHERE, rest.url), timeout=30).status_code == 200
            wait_for(lambda: state(road) == "delivered", PATIENCE, "the report to settle it")
        assert len(kannel.sent) == 1


def test_sms_without_reports_says_that_nobody_here_can_tell(road: Stack) -> None:
    with DeafKannel("u", "p") as kannel:
        program = road.program(channels(kannel.send_url).replace(f'public_url = "{NOWHERE}"\n', ""))
        with started(program, *STAGES) as [rest, *speakers]:
            sms(rest.url, "1")
            wait_for(lambda: kannel.sent, PATIENCE, "the answer to be sent")
            assert "look at the provider" in in_doubt(road, speakers)
        assert len(kannel.sent) == 1


def in_doubt(road: Stack, speakers: list[Program]) -> str:
    """Kill the speaker that has sent and not noted, let the others have its event, and look long after: the reason."""
    [(claimed_by,)] = road.ask("SELECT claimed_by FROM outbox")
    holder = next(each for each in speakers if each.pid == int(claimed_by.split("-")[0]))
    holder.kill()
    others = [each for each in speakers if each is not holder]
    wait_for(lambda: sum(map(taken, others)) == 1, PATIENCE, "another speaker to be given the reply")
    assert state(road) == "claimed"
    road.write("UPDATE outbox SET claimed_at = '2020-01-01 00:00:00.000000'")
    holder.start("run", "speakers")  # looks at once for claims that nobody finishes
    wait_for(lambda: state(road) == "unknown", PATIENCE, "the claim to be given up")
    return str(road.ask("SELECT reason FROM outbox")[0][0])


def taken(speaker: Program) -> float:
    told = requests.get(speaker.url + "/metrics", timeout=10).text
    found = re.search(r'^satupintu_stage_taken_total\{stage="speakers",worker=""\} (\S+)$', told, re.M)
    assert found
    return float(found[1])


def state(road: Stack) -> str:
    return str(road.ask("SELECT state FROM outbox")[0][0])
