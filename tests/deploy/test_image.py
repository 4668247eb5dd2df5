"""The Dockerfile: pinned, hashed, not root, complete; and its health check tells alive from dead."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from hub.cli import COMMANDS

ROOT = Path(__file__).parents[2]
TEXT = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
LINES = [line.split(maxsplit=1) for line in TEXT.splitlines() if line and not line.startswith("#")]
FINAL = LINES[max(n for n, (word, _) in enumerate(LINES) if word == "FROM") :]
ROOMS = ("schemas", "bus", "connectors", "normalizer", "router", "sink", "hub")


def instructions(word: str, lines: list[list[str]] = LINES) -> list[str]:
    return [rest for first, rest in lines if first == word]


def test_the_base_is_pinned_by_version() -> None:
    foreign = [image for image in instructions("FROM") if image.split()[0] not in {"base", "build"}]
    assert [re.fullmatch(r"python:3\.11\.\d+-slim-\w+ AS base", image) is not None for image in foreign] == [True]


def test_every_package_that_is_installed_has_a_hash() -> None:
    installs = [run for runs in instructions("RUN") for run in runs.split("&&") if "pip install" in run]
    assert len(installs) == 3
    for install in installs:
        assert "--require-hashes" in install or "--no-deps /wheels/" in install
        assert "--only-binary :all:" in install or "--no-deps" in install
    assert not re.search(r"apt-get|apk |curl|wget", TEXT)


@pytest.mark.parametrize("lock", ["requirements.lock", "deploy/build.lock"])
def test_the_locks_have_hashes_and_no_index(lock: str) -> None:
    text = (ROOT / lock).read_text()
    pins = re.findall(r"^[a-z0-9._\[\]-]+==\S+", text, re.MULTILINE | re.IGNORECASE)
    assert pins
    assert text.count("--hash=sha256:") >= len(pins)
    assert "index-url" not in text


def test_the_build_uses_what_the_project_asks_for() -> None:
    asked = re.search(r'requires = \["([^"]+)"\]', (ROOT / "pyproject.toml").read_text())
    assert asked is not None
    assert (ROOT / "deploy" / "build.in").read_text().strip() == asked[1]


def test_files_that_are_no_code_are_installed() -> None:
    shipped = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["*"]
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*") if path.is_file()]
    left = {path.name for path in files if "__pycache__" not in path.parts and path.suffix != ".py"}
    assert left
    assert [name for name in sorted(left) if not any(fnmatch(name, pattern) for pattern in shipped)] == []


def test_it_does_not_run_as_root() -> None:
    assert instructions("USER", FINAL) == ["10001:10001"]
    assert not [word for word, _ in FINAL[[w for w, _ in FINAL].index("USER") :] if word == "RUN"]


def test_files_that_are_copied_exist_and_are_not_ignored() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [words.split()[:-1] for words in instructions("COPY") if not words.startswith("--from=")]
    sources = {source for words in copied for source in words}
    assert sources == let_in
    assert all((ROOT / source).exists() for source in sources)
    assert set(ROOMS) <= sources


def test_every_package_is_a_room_that_is_copied() -> None:
    asked = re.search(r"include = \[(.+)\]", (ROOT / "pyproject.toml").read_text())
    assert asked is not None
    assert {name.strip(' "*') for name in asked[1].split(",")} == set(ROOMS)


def test_it_starts_a_command_that_exists() -> None:
    [entry], [command] = instructions("ENTRYPOINT", FINAL), instructions("CMD", FINAL)
    assert shlex.split(entry.strip("[]")) == ["satupintu"]
    assert command.strip('[]"') in COMMANDS
    assert instructions("STOPSIGNAL", FINAL) == ["SIGTERM"]
    assert instructions("VOLUME", FINAL) == ["/data"]


class Answer(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def answering(request: pytest.FixtureRequest) -> Iterator[int]:
    handler = type("Server", (Answer,), {"status": request.param})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def checked(port: int, setting: str) -> int:
    """The exit code of the check, as the container runs it, with that port in that setting."""
    environment = {"SATUPINTU_LISTEN": "0.0.0.0:1", setting: f"0.0.0.0:{port}"}
    command = [sys.executable, "-I", "-S", ROOT / "deploy" / "compose" / "alive.py"]
    return subprocess.run(command, env=environment, timeout=20, check=False).returncode


@pytest.mark.parametrize("setting", ["SATUPINTU_LISTEN", "SATUPINTU_INSIDE"])
@pytest.mark.parametrize("answering", [200], indirect=True)
def test_a_hub_that_answers_is_alive(answering: int, setting: str) -> None:
    assert checked(answering, setting) == 0


@pytest.mark.parametrize("answering", [503], indirect=True)
def test_a_hub_that_answers_503_is_not_alive(answering: int) -> None:
    assert checked(answering, "SATUPINTU_LISTEN") == 1


def test_a_hub_that_does_not_answer_is_not_alive() -> None:
    with HTTPServer(("127.0.0.1", 0), Answer) as closed:
        port = closed.server_port
    assert checked(port, "SATUPINTU_LISTEN") == 1
