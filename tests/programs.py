"""The program as its users start it: a process of its own, on a free port, in a throwaway folder, ended by its id."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

import requests

from tests.services.ports import free_port

APP_SECRET = "tests-app-secret"
SMS_TOKEN = "tests-sms-token"
API_KEY = "tests-api-key"


def channels(kannel: str = "", graph: str = "") -> str:
    """A channels file with an account of four kinds; gateways where given."""
    login = 'username = "u"\npassword = "p"\nsender = "1708"\npublic_url = "http://127.0.0.1:9"\n'
    sends = f'send_url = "{kannel}"\n{login}' if kannel else ""
    talks = f'graph_url = "{graph}"\naccess_token = "tests-access"\n' if graph else ""
    return f"""
[web]
kind = "web"
owner = "32.73"
api_keys = ["{API_KEY}"]
rate = 100000
[sms]
kind = "sms"
owner = "32.73"
token = "{SMS_TOKEN}"
{sends}
[whatsapp]
kind = "whatsapp"
owner = "32.73"
app_secret = "{APP_SECRET}"
verify_token = "tests-verify"
phone_number_id = "106540352242922"
{talks}
[file]
kind = "file"
owner = "32.73"
"""


class Program:
    """`satupintu` on one data folder; `flags` are added to every call."""

    def __init__(self, folder: Path, channels_toml: str, *flags: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "channels.toml").write_text(channels_toml)
        self.folder, self.log, self._flags = folder, folder / "up.log", flags
        self._at(free_port())

    def _at(self, port: int, *, listens: bool = True) -> None:
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        listen = ("--listen", f"127.0.0.1:{port}") if listens else ()
        self._words = ["--data", str(self.folder), *listen, *self._flags]
        self._up: subprocess.Popen[bytes] | None = None

    def beside(self, name: str, *, listens: bool = True) -> Program:
        """Another process with the same bus and record, with a log of its own, and a port where it listens."""
        other = copy(self)
        other.log = self.folder / f"{name}.log"
        other._at(free_port(), listens=listens)
        return other

    def start(self, *words: str) -> None:
        """`up`, or other words; returns once it answers."""
        self.begin(*words)
        wait_for(self._answers, 60, "the program to answer")

    def begin(self, *words: str) -> None:
        """The same, without waiting."""
        with self.log.open("ab") as log:
            self._up = subprocess.Popen(
                [sys.executable, "-m", "hub", *(words or ("up",)), *self._words], stdout=log, stderr=log
            )

    def ended(self, within: float) -> int:
        """Its exit code."""
        assert self._up
        return self._up.wait(within)

    def _answers(self) -> bool:
        assert self._up
        assert self._up.poll() is None, self.log.read_text()
        try:
            return requests.get(self.url + "/healthz", timeout=2).ok
        except requests.RequestException:
            return False

    @property
    def pid(self) -> int:
        assert self._up
        return self._up.pid

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._up and self._up.poll() is None:
            self._up.send_signal(how)
            self._up.wait(30)

    def run(self, *words: str, code: int = 0, stdin: str | None = None) -> str:
        """A command beside it; its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "hub", *words, *self._words],
            capture_output=True,
            text=True,
            timeout=170,
            input=stdin,
        )
        assert done.returncode == code, done.stderr
        return done.stdout

    def ledger(self) -> dict[str, Any]:
        return json.loads(self.run("ledger", "--json"))

    def export(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run("export").splitlines()]


def wait_for(done: Callable[[], Any], within: float, what: str) -> Any:
    """Returns what `done` gives once that is true."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        if found := done():
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {within} s for {what}")


def whatsapp_body(native: str, phone: str, text: str, number_id: str = "106540352242922") -> bytes:
    """A text message as Meta's Cloud API posts it."""
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": number_id},
        "contacts": [{"profile": {"name": "Sri Wahyuni"}, "wa_id": phone}],
        "messages": [{"from": phone, "id": native, "timestamp": "1767600000", "type": "text", "text": {"body": text}}],
    }
    change = {"field": "messages", "value": value}
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}).encode()


def signed(body: bytes, secret: str = APP_SECRET) -> dict[str, str]:
    sign = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={sign}", "Content-Type": "application/json"}


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
