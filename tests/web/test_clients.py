"""Clients generated from the API's description: the TypeScript one compiled strictly and run by Node.js, with
tus-js-client for a file whose connection breaks; the Dart one parsed."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.clients.__main__ import write_description
from deploy.clients.dart import generate_dart, mistakes_in
from deploy.clients.tools import call as run
from deploy.clients.typescript import generate_typescript, node_modules
from tests.web.brittle import brittle_way
from tests.web.conftest import CHANNELS
from tests.web.serving import serving

pytestmark = [pytest.mark.service, pytest.mark.late]
HERE = Path(__file__).parent
PHOTO = b"\xff\xd8\xff" + random.Random(7).randbytes(1_000_000)
DOORS = """
[aplikasi]
kind = "app"
owner = "32.73"

[petugas]
kind = "console"
owner = "32.73"
api_keys = ["kunci-petugas"]
"""
TEXT = "Jalan berlubang di depan sekolah, dua motor sudah jatuh"


def need(program: str) -> None:
    """A missing program is a skip at home and a failure in CI."""
    if shutil.which(program) is None and not os.environ.get("CI"):
        pytest.skip(f"needs {program}")


def test_an_app_goes_its_way_with_the_typescript_client(tmp_path: Path) -> None:
    need("npm")
    client = tmp_path / "typescript"
    generate_typescript(write_description(tmp_path), client)
    shutil.copy(HERE / "journey.ts", client)
    (client / "node_modules").symlink_to(node_modules())
    run(["node", node_modules() / "typescript" / "bin" / "tsc", "--project", client])
    photo, data = tmp_path / "lubang.jpg", tmp_path / "hub"
    photo.write_bytes(PHOTO)
    data.mkdir()
    with serving(data, CHANNELS + DOORS) as url, brittle_way(url, cuts=2, after=300_000) as (brittle, way):
        words = ["node", client / "made" / "journey.js", url, brittle, photo, "kunci-petugas"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert (way.cut, way.asked) == (2, 2)
    assert next(data.rglob(hashlib.sha256(PHOTO).hexdigest())).stat().st_size == len(PHOTO)
    assert seen == {
        "number": seen["number"],
        "listed": [seen["number"]],
        "wrong": ["place.code"],
        "words": [TEXT],
        "answers": ["Lubang ditutup besok pagi"],
        "stranger": None,
    }
    assert len(seen["number"]) == 10


def test_the_dart_client_is_generated_without_a_warning_and_parses(tmp_path: Path) -> None:
    need("mvn")
    generate_dart(write_description(tmp_path), tmp_path / "dart")
    reports = (tmp_path / "dart/lib/api/reports_api.dart").read_text()
    call = "Future<ReportAccepted?> fileReport(ReportInput reportInput, { String? idempotencyKey, String? prefer, })"
    assert call in reports
    models = {file.stem for file in (tmp_path / "dart/lib/model").iterdir()}
    assert {"report_input", "report_status", "problem_details"} <= models
    assert not models & {"phone", "email", "model_null"}  # no class of a nullable field
    (tmp_path / "dart/lib/wrong.dart").write_text("class Wrong { final = ; }")
    assert mistakes_in(tmp_path / "dart").count("wrong.dart") == 1
