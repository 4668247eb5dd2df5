"""The hub: its stages in one process, and two processes `accounts` that share the three doors."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from signal import SIGKILL
from typing import Any, Self

from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from bench._programs import answers
from bench.doors.books import Stored
from bench.doors.tokens import CLIENT, SECRET
from bench.drill.member import Member
from tests.channels.mail.dovecot import USER
from tests.services.ports import free_port

STAGES = ("door", "reader", "matcher", "router", "sink")
ACCOUNTS = ("accounts 1", "accounts 2")
CHANNELS = """
[seluler]
kind = "smpp"
owner = "32.73"
hosts = ["127.0.0.1:{centre}", "127.0.0.1:{second}"]
system_id = "satupintu"
password = "sandi"
address = "1708"
enquire_every = 5
answer_within = 10
[surel]
kind = "email"
owner = "32.73"
imap = "imap://127.0.0.1:{imap}"
smtp = "smtp://127.0.0.1:{smtp}"
address = "{user}"
oauth = {{ token_url = "http://127.0.0.1:{tokens}/token", client_id = "{client}", client_secret = "{secret}" }}
idle_for = 30
answer_within = 10
[telegram]
kind = "telegram"
owner = "32.73"
token = "1708:rahasia-bot"
mode = "poll"
poll_wait = 5
api_url = "http://127.0.0.1:{bot}"
"""


class Hub:
    """`with Hub(folder, ports, urls) as hub:`; it starts its members and ends them. `urls` are settings that name
    another bus and another record than SQLite's."""

    def __init__(self, folder: Path, ports: Mapping[str, int], urls: Mapping[str, str]) -> None:
        self._data, self._port = folder / "data", free_port()
        self._data.mkdir(parents=True)
        (self._data / "channels.toml").write_text(CHANNELS.format(user=USER, client=CLIENT, secret=SECRET, **ports))
        self._env = {"SATUPINTU_DATA": str(self._data), **urls}
        record = urls.get("SATUPINTU_RECORD", f"sqlite:///file:{self._data / 'record.db'}?mode=ro&uri=true")
        self._record = create_engine(record, poolclass=NullPool)
        stages = Member("stages", [*STAGES, "--listen", f"127.0.0.1:{self._port}"], self._env, folder / "stages.log")
        self.members = {"stages": stages} | {
            name: Member(name, ["accounts"], self._env, folder / f"{name.replace(' ', '-')}.log") for name in ACCOUNTS
        }
        self.surprises: list[str] = []
        """Members that ended though nobody stopped them; they were started again."""

    def __enter__(self) -> Self:
        try:
            self.members["stages"].start()
            answers(self._port)
            for name in ACCOUNTS:
                self.members[name].start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for member in self.members.values():
            member.resume()
            member.end(SIGKILL)

    def look_after(self) -> None:
        """Start again what ended by itself, and remember it."""
        for member in self.members.values():
            if surprise := member.ended_by_itself():
                self.surprises.append(surprise)
                member.start()

    def unfinished(self) -> int:
        """Replies that are owed or claimed."""
        return int(self._query("SELECT count(*) FROM outbox WHERE state IN ('owed', 'claimed')")[0][0])

    def takeovers(self) -> int:
        """How often an account got another holder after its first."""
        return sum(int(epoch) - 1 for (epoch,) in self._query("SELECT epoch FROM leases"))

    def complaints(self) -> int:
        return int(self._query("SELECT count(*) FROM complaints")[0][0])

    def ledger(self) -> dict[str, Any]:
        return json.loads(self._run("ledger", "--json"))

    def stored(self) -> Iterator[Stored]:
        """The record, as `export` shows it, with the states of the replies."""
        replies = defaultdict[str, list[str]](list)
        for complaint, state in self._query("SELECT complaint, state FROM outbox"):
            replies[str(complaint)].append(state)
        for line in map(json.loads, self._run("export").splitlines()):
            texts = [message["text"] for message in line["messages"] if message["direction"] == "in"]
            yield Stored(line["number"], line["account"], texts, replies[line["id"]])

    def _run(self, *words: str) -> str:
        env, call = {**Member.environment(), **self._env}, [sys.executable, "-m", "hub", *words]
        done = subprocess.run(call, check=False, env=env, capture_output=True, text=True, timeout=600)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"satupintu {words[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        """Again and again while the database is away."""
        while True:
            try:
                with self._record.connect() as connection:
                    return [tuple(row) for row in connection.execute(text(sql))]
            except OperationalError:
                time.sleep(0.5)
