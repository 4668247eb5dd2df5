"""Stages as processes: their status, their end, and the supervisor of one machine."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from tests.cli.program import one_line, satupintu
from tests.programs import SMS_TOKEN, Program, alive, channels, signed, wait_for, whatsapp_body

pytestmark = pytest.mark.slow
WITHIN = 12
"""Seconds in which a process ends once it was signalled: ten, and what a busy machine takes to signal."""
BROKEN = b'{"object": "whatsapp_business_account", "entry": [{"changes"'


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    program = Program(tmp_path / "hub", channels())
    yield program
    program.stop()


def ready(program: Program) -> tuple[int, dict]:
    answer = requests.get(program.url + "/readyz", timeout=10)
    return answer.status_code, answer.json()


def figure(program: Program, name: str) -> float | None:
    """A figure of /metrics; None where there is none."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", requests.get(program.url + "/metrics", timeout=10).text, re.M)
    return float(found[1]) if found else None


def workers(program: Program) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text().split()]


def at_work(program: Program) -> int:
    return program.log.read_text().count("at work: ")


def post(program: Program, body: bytes) -> None:
    assert requests.post(program.url + "/in/whatsapp", body, headers=signed(body), timeout=20).status_code == 200


def stopped(program: Program) -> int:
    """Its exit code after SIGTERM."""
    os.kill(program.pid, signal.SIGTERM)
    return program.ended(WITHIN)


def test_a_stage_without_a_door_reports_its_status(program: Program) -> None:
    program.start("run", "reader", "router")
    assert wait_for(lambda: ready(program)[0] == 200, 10, "it to be ready")
    code, found = ready(program)
    assert (code, found["bus"], found["record"]) == (200, "ok", "ok")
    assert {"reader", "router"} <= set(found["stages"])
    assert set(found["stages"].values()) == {"ok"}
    assert requests.get(program.url + "/", timeout=5).status_code == 404
    door = program.beside("door")
    door.start("run", "door")
    post(door, whatsapp_body("wamid.1", "6281200000001", "LAPOR jalan berlubang"))
    committed = 'satupintu_stage_committed_total{stage="reader",worker=""}'
    wait_for(lambda: figure(program, committed) == 1, 10, "the reader to count")
    assert figure(program, 'satupintu_stage_published_total{stage="reader",worker=""}') == 1
    assert figure(program, 'satupintu_stage_running{stage="reader",worker=""}') == 1
    assert figure(program, "process_cpu_seconds_total")
    door.stop()


def test_many_stages_stand_on_one_machine_and_listen_nowhere(tmp_path: Path) -> None:
    first = Program(tmp_path, channels())
    several = [first.beside(f"reader-{n}", listens=False) for n in range(2)]
    for program in several:
        program.begin("run", "reader")
    for program in several:
        wait_for(lambda p=program: at_work(p), 60, "both to work")
    assert [stopped(program) for program in several] == [0, 0]


def test_a_stage_that_is_told_to_listen_on_a_taken_port_says_so(program: Program) -> None:
    program.start("run", "door")
    done = satupintu("run", "reader", "--listen", f"127.0.0.1:{program.port}", data=program.folder)
    assert "cannot listen on" in one_line(done, 64)


def test_an_account_of_which_all_dies_is_put_aside_and_the_others_go_on_until_it_is_released(tmp_path: Path) -> None:
    program = Program(tmp_path / "hub", channels(), "--guard-run", "3")
    program.start()
    try:
        for _ in range(3):
            post(program, BROKEN)
        held = 'satupintu_aside{account="whatsapp",stage="reader"}'
        wait_for(lambda: figure(program, held) == 1, 60, "the account to be put aside")
        post(program, whatsapp_body("wamid.1", "6281200000001", "LAPOR jalan berlubang di depan pasar"))
        sms = {"token": SMS_TOKEN, "from": "+6281200000002", "to": "1708", "text": "LAPOR lampu jalan mati", "id": "k1"}
        assert requests.get(program.url + "/in/sms", sms, timeout=20).ok
        wait_for(lambda: program.ledger()["all"]["recorded"] == 1, 60, "the other account")
        assert (program.ledger()["all"]["in_flight"], program.ledger()["all"]["lost"]) == (1, 0)
        assert "put aside by reader" in program.run("doctor", code=1)
        assert ready(program)[0] == 200
        program.run("channels", "release", "whatsapp")
        wait_for(lambda: program.ledger()["all"]["recorded"] == 2, 60, "what had waited")
    finally:
        program.stop()


def test_a_worker_that_dies_is_started_again_and_all_leave_together(program: Program) -> None:
    program.start("up", "--workers", "2")
    wait_for(lambda: at_work(program) == 2, 60, "both workers")
    first = workers(program)
    os.kill(first[0], signal.SIGKILL)
    wait_for(lambda: at_work(program) == 3, 60, "another worker")
    again = workers(program)
    assert len(again) == 2
    assert first[1] in again
    post(program, whatsapp_body("wamid.1", "6281200000001", "LAPOR jalan berlubang"))
    wait_for(lambda: program.ledger()["all"]["recorded"] == 1, 60, "the workers to work")
    assert figure(program, 'satupintu_stage_running{stage="reader",worker="1"}') == 1
    assert figure(program, 'satupintu_stage_running{stage="reader",worker=""}') is None  # the ingress is alone there
    assert figure(program, 'satupintu_worker_resident_bytes{worker="2"}')
    committed = [f'satupintu_stage_committed_total{{stage="reader",worker="{n}"}}' for n in (1, 2)]
    wait_for(lambda: sum(figure(program, name) or 0 for name in committed) == 1, 5, "a worker to report its count")
    assert stopped(program) == 0
    assert [pid for pid in again if alive(pid)] == []


def test_workers_do_not_outlive_a_parent_that_is_killed(program: Program) -> None:
    program.start("up", "--workers", "2")
    wait_for(lambda: at_work(program) == 2, 60, "both workers")
    orphans = workers(program)
    program.kill()
    wait_for(lambda: not any(map(alive, orphans)), 10, "the workers to leave")
    assert "Traceback" not in program.log.read_text()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_0_also_when_it_comes_twice(program: Program, how: signal.Signals) -> None:
    program.start()
    began = time.monotonic()
    os.kill(program.pid, how)
    with suppress(ProcessLookupError):
        os.kill(program.pid, how)
    assert program.ended(WITHIN) == 0
    assert time.monotonic() - began < 10
    assert "Traceback" not in program.log.read_text()
