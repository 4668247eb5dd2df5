"""Processes that share a bus and a record: two doors and two matchers with one webhook, a crash between deciding and
recording, and a stop while there is work in hand."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests

from tests.fakes.kannel import Kannel
from tests.fakes.server import Behaviour, Received
from tests.programs import SMS_TOKEN, Program, alive, channels, signed, wait_for, whatsapp_body
from tests.stacks import Distributed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
MESSAGES = 20
WITHIN = 12
"""Seconds in which a process ends once it was signalled: ten, and what a busy machine takes to signal."""
PATIENCE = 60
"""Seconds for the pipeline to carry something on."""


@contextmanager
def started(program: Program, *several: tuple[str, ...]) -> Iterator[list[Program]]:
    """Processes of these stages, the first of them `program` itself."""
    others = [program.beside("-".join(stages) + f"-{n}") for n, stages in enumerate(several[1:])]
    running = [program, *others]
    try:
        for each, stages in zip(running, several, strict=True):
            each.start("run", *stages)
        yield running
    finally:
        for each in running:
            each.kill()


def post(url: str, body: bytes) -> None:
    assert requests.post(url + "/in/whatsapp", body, headers=signed(body), timeout=30).status_code == 200


def bodies() -> list[bytes]:
    return [whatsapp_body(f"wamid.{n}", f"62812000{n:05d}", f"LAPOR jalan nomor {n} rusak") for n in range(MESSAGES)]


def settled(program: Program, received: int) -> dict[str, int]:
    """The ledger, once so much has come in and none of it is in flight."""

    def ended() -> dict[str, int] | None:
        ledger = program.ledger()["all"]
        return ledger if ledger["received"] == received and not ledger["in_flight"] else None

    ledger: dict[str, int] = wait_for(ended, PATIENCE, "the pipeline to be empty")
    return ledger


def end(process: Program) -> int:
    """Its exit code after SIGTERM."""
    os.kill(process.pid, signal.SIGTERM)
    return process.ended(WITHIN)


def test_case_02_two_copies_within_a_second_at_two_doors_are_one_message(shared: Distributed) -> None:
    program = shared.program(channels())
    stages = [("door",), ("door",), ("matcher",), ("matcher",), ("reader", "router", "sink")]
    with started(program, *stages) as running, ThreadPoolExecutor(2) as two:
        doors = [running[0].url, running[1].url]
        for body in bodies():
            list(two.map(lambda door, body=body: post(door, body), doors))
        ledger = settled(program, 2 * MESSAGES)
        assert (ledger["recorded"], ledger["redelivered"], ledger["lost"]) == (MESSAGES, MESSAGES, 0)
        assert shared.query("SELECT count(*), count(DISTINCT key) FROM messages") == [(MESSAGES, MESSAGES)]
        assert shared.query("SELECT count(*), count(DISTINCT number) FROM complaints") == [(MESSAGES, MESSAGES)]
        assert [end(each) for each in running] == [0] * len(running)


def test_case_03_a_crash_after_the_decision_makes_no_duplicate_of_the_message(shared: Distributed) -> None:
    program = shared.program(channels())
    with started(program, ("door", "reader", "router", "sink"), ("matcher",)) as [rest, matcher]:
        with ExitStack() as bus:
            with shared.record_held():
                for body in bodies():
                    post(rest.url, body)
                wait_for(lambda: shared.record_awaited(), PATIENCE, "the matcher to have a batch in hand")
                bus.enter_context(shared.bus_held())
            wait_for(lambda: shared.query("SELECT count(*) FROM decisions")[0][0], PATIENCE, "the matcher to decide")
            matcher.kill()  # it has decided, and published nothing
        assert shared.query("SELECT count(*) FROM messages") == [(0,)]
        matcher.start("run", "matcher")
        ledger = settled(program, MESSAGES)
        assert (ledger["recorded"], ledger["redelivered"], ledger["lost"]) == (MESSAGES, 0, 0)


def test_a_process_that_is_stopped_finishes_what_it_is_sending(shared: Distributed) -> None:
    with Slow("u", "p") as kannel:
        program = shared.program(channels(kannel.send_url))
        with started(program, ("door", "reader", "matcher", "router", "sink"), ("accounts",)) as [rest, accounts]:
            sms(rest.url, "1")
            wait_for(lambda: kannel.received, PATIENCE, "the answer to be on its way")
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
                os.kill(accounts.pid, number)
            assert alive(accounts.pid)
            kannel.free.set()
            assert accounts.ended(WITHIN) == 0
            wait_for(
                lambda: shared.query("SELECT state FROM outbox") == [("sent",)],
                PATIENCE,
                "the result to be stored",
            )
            accounts.start("run", "accounts")
            sms(rest.url, "2")
            wait_for(lambda: len(kannel.sent) == 2, PATIENCE, "the next answer")
    assert len({sent["to"] for sent in kannel.sent}) == 2


@pytest.mark.parametrize("held", ["record", "bus"])
def test_a_process_that_is_stopped_while_record_or_bus_hang_drops_the_batch(shared: Distributed, held: str) -> None:
    program = shared.program(channels())
    with started(program, ("door", "reader", "router", "sink"), ("matcher",)) as [rest, matcher]:
        with ExitStack() as unavailable:
            with shared.record_held():
                post(rest.url, bodies()[0])
                wait_for(lambda: shared.record_awaited(), PATIENCE, "the matcher to have a batch in hand")
                if held == "bus":
                    unavailable.enter_context(shared.bus_held())
                else:
                    assert end(matcher) == 0
            if held == "bus":
                assert end(matcher) == 0
        matcher.start("run", "matcher")
        ledger = settled(program, 1)
        assert (ledger["recorded"], ledger["redelivered"], ledger["lost"]) == (1, 0, 0)


def test_a_process_that_is_stopped_in_the_middle_of_its_start_ends(shared: Distributed) -> None:
    program = shared.program(channels())
    with (shared.folder / ".setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        program.begin("run", "reader")
        wait_for(lambda: _handles(program.pid, signal.SIGTERM), PATIENCE, "it to handle signals")
        os.kill(program.pid, signal.SIGTERM)
    assert program.ended(WITHIN) == 0
    assert "Traceback" not in program.log.read_text()


def test_a_process_that_starts_while_broker_and_record_are_unavailable_waits_for_them(shared: Distributed) -> None:
    with ExitStack() as running:
        program = shared.program(channels())
        program.start("run", "door")  # makes the keys, once
        program.stop()
        stages = program.beside("stages", listens=False)
        running.callback(program.kill)
        running.callback(stages.kill)
        with shared.unavailable():
            stages.begin("run", "reader", "matcher", "router", "sink")
            program.start("run", "door")
            post(program.url, bodies()[0])  # spooled
            wait_for(lambda: "at work: " in stages.log.read_text(), PATIENCE, "the stages to wait at work")
        assert settled(program, 1)["recorded"] == 1
        assert end(stages) == 0


class Slow(Kannel):
    """A gateway whose answers wait for `free`."""

    def __init__(self, *login: str) -> None:
        super().__init__(*login)
        self.free = threading.Event()

    def _respond(self, received: Received) -> Behaviour:
        self.free.wait(30)
        return super()._respond(received)


def sms(url: str, native: str) -> None:
    query = {
        "token": SMS_TOKEN,
        "from": f"+62812000000{native}",
        "to": "1708",
        "text": "LAPOR lampu mati",
        "id": native,
    }
    assert requests.get(url + "/in/sms", query, timeout=30).status_code == 200


def _handles(pid: int, number: signal.Signals) -> bool:
    caught = re.search(r"^SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text(), re.M)
    return bool(caught and int(caught[1], 16) >> (number - 1) & 1)
