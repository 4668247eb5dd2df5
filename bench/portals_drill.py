"""Complaints and answers both ways between a hub and a region's portal, while each of them is killed again and again.

    python -m bench.portals_drill [--complaints 10000] [--share 0.1] [--every 12] [--seed 1]

Half of the complaints are filed in the portal and answered here, half are filed here and answered in the portal
(`tests/fakes/region_portal.py`, with all its faults). Hub (`up`) and portal are processes of their own; every so many
seconds one of them is killed (SIGKILL) and begun again. At the end each side must have each complaint and each answer
once, two answers to one complaint in their order. Exit 1 where it has not.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import requests

from bench._programs import answers, machine
from tests.services.ports import free_port

KEY, OFFICER = "bench-api-key", "bench-officer-key"
MANIFEST = Path(__file__).parent.parent / "tests" / "fakes" / "region_portal.toml"
CHANNELS = """
[web]
kind = "web"
owner = "34.04"
api_keys = ["{key}"]
rate = 1000000
[petugas]
kind = "console"
owner = "34.04"
api_keys = ["{officer}"]
[portal]
kind = "portal"
owner = "34.04"
manifest = "{manifest}"
url = "{url}"
secrets = {{ username = "satupintu", password = "sandi-portal" }}
"""
TWICE = 10
"""Each so many of the portal's complaints are answered here twice."""
AT_ONCE, CALLERS = 300, 6


class Books(NamedTuple):
    """What stands where at the end: how many there are, and which of them not exactly once."""

    name: str
    expected: int
    once: int
    other: dict[str, int]

    @property
    def good(self) -> bool:
        return self.expected == self.once and not self.other


class Drill:
    """A hub, a portal, and what happens to them."""

    def __init__(self, folder: Path, given: argparse.Namespace) -> None:
        self.folder, self.given = folder, given
        self.each = given.complaints // 2
        self.stop = threading.Event()
        self.hub_port, self.portal_port = free_port(), free_port()
        self.kills: Counter[str] = Counter()
        self.programs: dict[str, subprocess.Popen[bytes]] = {}
        data = folder / "hub"
        data.mkdir()
        (data / "channels.toml").write_text(CHANNELS.format(
            key=KEY, officer=OFFICER, manifest=MANIFEST.as_posix(), url=f"http://127.0.0.1:{self.portal_port}"
        ))  # fmt: skip
        self._words = {
            "hub": ["hub", "up", "--data", str(data), "--listen", f"127.0.0.1:{self.hub_port}"],
            "portal": ["tests.fakes.region_portal", str(folder), "--port", str(self.portal_port),
                       "--complaints", str(self.each), "--share", str(given.share), "--seed", str(given.seed)],
        }  # fmt: skip

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.hub_port}"

    def start(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.programs[name] = subprocess.Popen([sys.executable, "-m", *self._words[name]], stdout=log, stderr=log)
        answers(self.hub_port if name == "hub" else self.portal_port)

    def end(self) -> None:
        self.stop.set()
        for program in self.programs.values():
            program.terminate()
        for program in self.programs.values():
            try:
                program.wait(15)
            except subprocess.TimeoutExpired:
                program.kill()

    def kill_forever(self) -> None:
        random = Random(self.given.seed)
        while not self.stop.wait(self.given.every * (0.5 + random.random())):
            name = random.choice(["hub", "portal"])
            self.programs[name].kill()
            self.programs[name].wait()
            self.kills[name] += 1
            self.start(name)

    def file_all(self) -> None:
        """Citizens of the hub, each again until it is answered."""
        with ThreadPoolExecutor(CALLERS) as pool:
            list(pool.map(self._file, range(self.each)))

    def _file(self, n: int) -> None:
        words = f"Lampu jalan mati di depan rumah nomor {n}, gelap sekali"
        self._post("/api/v1/reports", {"text": words, "region": "34.04", "name": f"Warga {n}"}, KEY, f"lapor-{n}")

    def answer_all(self) -> None:
        """Officers of the hub answer what came from the portal, each act again until it is answered."""
        done: set[str] = set()
        while not self.stop.is_set() and len(done) < self.each:
            found = self.unanswered(done)
            with ThreadPoolExecutor(CALLERS) as pool:
                done.update(pool.map(self._answer, found))
            self.stop.wait(0.5)

    def _answer(self, found: tuple[str, str]) -> str:
        number, native = found
        for turn, words in enumerate(wanted(native)):
            path = f"/api/v1/reports/{number}/actions"
            self._post(path, {"act": "answer", "text": words}, OFFICER, f"jawab-{native}-{turn}")
        return number

    def unanswered(self, done: set[str]) -> list[tuple[str, str]]:
        rows = self.query("hub", "SELECT number, external_ids FROM complaints WHERE account = 'portal'")
        natives = ((row[0], row[1].split('"')[3]) for row in rows if row[0] not in done)
        return list(natives)[:AT_ONCE]

    def _post(self, path: str, body: dict[str, Any], key: str, once: str) -> None:
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": once}
        while not self.stop.is_set():
            try:
                found = requests.post(self.url + path, json=body, headers=headers, timeout=20)
            except requests.RequestException:
                self.stop.wait(0.3)
                continue
            if found.status_code == 202:
                return
            if found.status_code not in {404, 503}:
                raise RuntimeError(f"{path}: {found.status_code} {found.text[:200]}")
            self.stop.wait(0.3)

    def query(self, name: str, sql: str) -> list[tuple[Any, ...]]:
        path = self.folder / ("hub/record.db" if name == "hub" else "portal.db")
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
            return connection.execute(sql).fetchall()

    def progress(self) -> dict[str, int]:
        """How far each of the four ways has come."""
        portal, hub = "SELECT count(*) FROM {} WHERE asal = '{}'", "SELECT count(*) FROM {} WHERE {}"
        return {
            "filed in the portal": self._count("portal", portal.format("aduan", "warga")),
            "here of the portal": self._count("hub", hub.format("complaints", "account = 'portal'")),
            "told answers": self._count("portal", portal.format("tanggapan", "satupintu")),
            "filed here": self._count("hub", hub.format("complaints", "account = 'web'")),
            "told complaints": self._count("portal", portal.format("aduan", "satupintu")),
            "answers here": self._count(
                "hub", hub.format("actions", "account = 'portal' AND what = 'answer' AND applied")
            ),
        }

    def _count(self, name: str, sql: str) -> int:
        return int(self.query(name, sql)[0][0])

    def expected(self) -> dict[str, int]:
        twice = len(range(0, self.each, TWICE))
        return dict.fromkeys(self.progress(), self.each) | {"told answers": self.each + twice}

    def books(self) -> list[Books]:
        """Each side has each once, and in order."""
        own = [f"A{n:06d}" for n in range(self.each)]
        here = [
            row[0].split('"')[3]
            for row in self.query("hub", "SELECT external_ids FROM complaints WHERE account = 'portal'")
        ]
        brought = self.query("portal", "SELECT nomor, isi FROM aduan WHERE asal = 'satupintu'")
        told = [words.rpartition("rumah nomor ")[2].partition(",")[0] for _, words in brought]
        said: dict[str, list[str]] = {one: [] for one in own}
        for number, words in self.query(
            "portal", "SELECT nomor, isi FROM tanggapan WHERE asal = 'satupintu' ORDER BY id"
        ):
            said.setdefault(number, []).append(words.partition(" [SP")[0])
        wrong = {one: len(words) for one, words in said.items() if words != wanted(one)}
        heard = self.query("hub", "SELECT text FROM actions WHERE account = 'portal' AND what = 'answer' AND applied")
        return [
            counted("complaints of the portal, here", own, here),
            counted("complaints of ours, in the portal", [str(n) for n in range(self.each)], told),
            Books("complaints with our answers in the portal, in order", self.each, len(said) - len(wrong), wrong),
            counted("answers of the portal, here", [f"Sudah kami tangani, {row[0]}" for row in brought],
                    [row[0] for row in heard]),
        ]  # fmt: skip


def wanted(native: str) -> list[str]:
    """Our answers to a complaint of the portal."""
    return [f"Jawaban {turn} untuk {native}" for turn in ((1, 2) if int(native[1:]) % TWICE == 0 else (1,))]


def counted(name: str, expected: Sequence[str], found: Sequence[str]) -> Books:
    """Each of the expected ones was found once, and nothing else."""
    times, known = Counter(found), set(expected)
    other = {one: times[one] for one in known | times.keys() if times[one] != (one in known)}
    return Books(name, len(expected), sum(times[one] == 1 for one in expected), other)


def main() -> None:
    """Run it, and print the books."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--complaints", type=int, default=10_000)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--every", type=float, default=12.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--within", type=float, default=3600.0)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # its programs end with it
    folder = Path(tempfile.mkdtemp(prefix="portals-"))
    drill, began = Drill(folder, given), time.monotonic()
    print(machine(), folder, flush=True)
    try:
        drill.start("portal")
        drill.start("hub")
        workers = [threading.Thread(target=run, daemon=True) for run in (drill.file_all, drill.answer_all)]
        monkey = threading.Thread(target=drill.kill_forever, daemon=True)
        for thread in (*workers, monkey):
            thread.start()
        last = 0.0
        while drill.progress() != drill.expected() and time.monotonic() - began < given.within:
            time.sleep(2)
            if time.monotonic() - last > 30:
                last = time.monotonic()
                print(f"{last - began:6.0f} s", drill.progress(), dict(drill.kills), flush=True)
        took = time.monotonic() - began
        time.sleep(20)  # what came twice would come now
        books = drill.books()
    finally:
        drill.end()
    print(f"{took:.0f} s, kills: {dict(drill.kills)}")
    for one in books:
        some = dict(list(one.other.items())[:5])
        print(f"{one.name}: {one.once:,} of {one.expected:,} once, {len(one.other)} not: {some}")
    good = all(one.good for one in books)
    if good:
        shutil.rmtree(folder)
    sys.exit(not good)


if __name__ == "__main__":
    main()
