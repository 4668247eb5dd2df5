"""Kill the whole program at random moments under load: nothing accepted is lost, nothing stands twice."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sink.vault import Vault
from tests.fakes.graph import Graph
from tests.fakes.kannel import Kannel
from tests.programs import SMS_TOKEN, Program, channels, signed, wait_for, whatsapp_body

KILLS = 6
PHONES = [f"62812000{n:05d}" for n in range(400)]


class Load(threading.Thread):
    """Posts WhatsApp and SMS messages until it is over; remembers which were accepted."""

    def __init__(self, url: str, seed: int) -> None:
        super().__init__(daemon=True)
        self.url, self.chance, self.over = url, random.Random(seed), threading.Event()
        self.accepted: list[str] = []
        self.malformed = 0
        self.bodies: list[tuple[str, bytes]] = []

    def run(self) -> None:
        n = 0
        while not self.over.is_set():
            n += 1
            try:
                self._one(n)
            except requests.RequestException:
                time.sleep(0.02)  # the door is down: the provider comes again

    def _one(self, n: int) -> None:
        dice = self.chance.random()
        if dice < 0.01:
            self._post(None, b'{"object": "whatsapp_business_account", "entry": [{"changes"')
        elif dice < 0.06 and self.bodies:
            self._post(*self.chance.choice(self.bodies))
        elif dice < 0.5:
            self._sms(n)
        else:
            native = f"wamid.{self.name}{n}"
            body = whatsapp_body(
                native, self.chance.choice(PHONES), f"LAPOR jalan berlubang nomor {n} dari {self.name}"
            )
            self.bodies.append((native, body))
            self._post(native, body)

    def _post(self, native: str | None, body: bytes) -> None:
        answer = requests.post(self.url + "/in/whatsapp", body, headers=signed(body), timeout=5)
        assert answer.status_code in (200, 503)
        if answer.ok and native:
            self.accepted.append(f"whatsapp/whatsapp/{native}")
        elif answer.ok:
            self.malformed += 1

    def _sms(self, n: int) -> None:
        native = f"sms{self.name}-{n}"
        text = f"LAPOR lampu padam nomor {n} dari {self.name}"
        query = {"token": SMS_TOKEN, "from": "+" + self.chance.choice(PHONES), "to": "1708", "text": text, "id": native}
        answer = requests.get(self.url + "/in/sms", query, timeout=5)
        assert answer.status_code in (200, 503)
        if answer.ok:
            self.accepted.append(f"sms/sms/{native}")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_kills_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    chance = random.Random(1708)
    with Graph("tests-access") as graph, Kannel("u", "p") as kannel:
        program = Program(tmp_path / "hub", channels(kannel.send_url, graph.graph_url))
        program.start()
        loads = [Load(program.url, seed) for seed in range(2)]
        for load in loads:
            load.start()
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.1, 1.5))
            program.kill()
            program.start()
        for load in loads:
            load.over.set()
            load.join(10)
        wait_for(lambda: program.ledger()["all"]["in_flight"] == 0, 60, "the pipeline to be empty")
        wait_for(lambda: not _owed(program.folder), 30, "the replies to be sent")
        ledger = program.ledger()["all"]
        program.stop()
        _whole(program.folder, loads, ledger)
        by_sms = [parse_qs(urlsplit(sent["dlr-url"]).query)["ref"][0] for sent in kannel.sent]
        _answered_once(program.folder, [sent["biz_opaque_callback_data"] for sent in graph.sent] + by_sms)


def _owed(folder: Path) -> int:
    return _query(folder, "SELECT count(*) FROM outbox WHERE state IN ('owed', 'claimed')")[0][0]


def _query(folder: Path, sql: str) -> list[tuple]:
    db = sqlite3.connect(f"file:{folder / 'record.db'}?mode=ro", uri=True)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def _whole(folder: Path, loads: list[Load], ledger: dict[str, int]) -> None:
    accepted = Counter(m for load in loads for m in load.accepted)
    recorded = {bytes(row[0]) for row in _query(folder, "SELECT key FROM messages WHERE direction = 'in'")}
    vault = Vault.load(folder / "keys.toml")
    assert len(accepted) > 200
    assert {vault.message_key(message) for message in accepted} <= recorded
    assert ledger["lost"] == 0
    ends = ("recorded", "added", "redelivered", "refused", "dead", "in_flight")
    assert ledger["received"] == sum(ledger[end] for end in ends)
    # a request that was durable but killed before its "yes" may add to these, never lack
    assert ledger["recorded"] + ledger["added"] >= len(accepted)
    assert ledger["recorded"] + ledger["added"] == len(recorded)
    assert ledger["dead"] >= sum(load.malformed for load in loads) > 0
    assert ledger["redelivered"] > 0
    assert _query(folder, "SELECT raw, item_index FROM outcomes GROUP BY raw, item_index HAVING count(*) > 1") == []
    # every message that was recorded or added is owed one answer
    owed = _query(folder, "SELECT count(*) FROM outbox WHERE template IN ('number_given', 'added', 'joined')")
    assert owed == [(len(recorded),)]


def _answered_once(folder: Path, sent: list[str]) -> None:
    twice = [reply for reply, times in Counter(sent).items() if times > 1]
    assert twice == []
    rows = dict(_query(folder, "SELECT id, state FROM outbox"))
    doubtful = {reply for reply, state in rows.items() if state in ("claimed", "unknown")}
    assert {reply for reply, state in rows.items() if state in ("sent", "delivered", "read")} <= set(sent)
    assert {reply for reply, state in rows.items() if state not in ("suppressed",)} - set(sent) <= doubtful
    # only what was claimed at a kill may be in doubt
    assert len(doubtful) <= KILLS * 16
