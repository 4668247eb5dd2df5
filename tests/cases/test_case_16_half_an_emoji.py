"""Half an emoji turns nobody away: it stands as U+FFFD in the words as written, and is gone from the cleaned ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.conftest import INPUTS, Satupintu
from tests.flow.running_hub import RunningHub
from tests.programs import API_KEY

FOLDER = INPUTS / "16"


def test_a_row_with_half_an_emoji_is_recorded(satupintu: Satupintu):
    assert satupintu.ingest(FOLDER / "rows.ndjson") == ({"received": 2, "recorded": 2}, [])
    written = satupintu("parse", "file", FOLDER / "rows.ndjson").out[1]
    read = satupintu("read", FOLDER / "rows.ndjson").out[1]
    assert (written["text"], read["text_read"]) == ("Lampu mati di Dago \ufffd", "Lampu mati di Dago")


@pytest.mark.parametrize("half", [b"\\ud83d", b"\\ude00", b"\xf0\x9f\x98", b"\\ud83d\\ud83d\\ude00"])
def test_any_half_of_any_form(satupintu: Satupintu, tmp_path: Path, half: bytes):
    (tmp_path / "rows.ndjson").write_bytes(b'{"text":"Lampu mati di Dago ' + half + b'"}\n')
    (written,) = satupintu("parse", "file", tmp_path / "rows.ndjson").out
    (read,) = satupintu("read", tmp_path / "rows.ndjson").out
    assert "\ufffd" in written["text"]
    assert "\ufffd" not in read["text_read"]


@pytest.mark.parametrize("name", ["text", "title", "name", "address"])
async def test_the_api_takes_it(hub: RunningHub, name: str):
    body = (FOLDER / "api.json").read_bytes()
    if name != "text":
        body = b'{"text":"Jalan rusak di Cihampelas","' + name.encode() + b'":"Bu Sari \\ud83d"}'
    headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json", "Prefer": "wait=5"}
    answer = await hub.request("POST", "/api/v1/reports", data=body, headers=headers)
    assert answer.status_code in {201, 202}, answer.text
    (complaint,) = await hub.complaints()
    assert complaint["text"].startswith("Jalan rusak di Cihampelas")
