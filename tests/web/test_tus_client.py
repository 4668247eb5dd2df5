"""Uploads with a client that others wrote: tuspy."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator

import pytest
import requests
from tusclient.client import TusClient

from tests.web.conftest import CHANNELS, KEY
from tests.web.serving import serving

PHOTO = b"\xff\xd8\xff" + random.Random(7).randbytes(1_000_000)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("hub"), CHANNELS) as url:
        yield url


@pytest.mark.parametrize("checksum", [False, True])
def test_tuspy_uploads_in_parts_and_goes_on_after_a_break(url: str, checksum: bool) -> None:
    client = TusClient(f"{url}/api/v1/uploads", headers={"Authorization": f"Bearer {KEY}"})
    file = io.BytesIO(PHOTO)
    settings = {"chunk_size": 300_000, "metadata": {"filename": "lubang.jpg"}, "upload_checksum": checksum}
    broken = client.uploader(file_stream=file, **settings)
    broken.upload_chunk()
    again = client.uploader(file_stream=file, url=broken.url, **settings)
    assert again.offset == 300_000
    again.upload()
    report = {"text": "Jalan berlubang di depan sekolah", "uploads": [again.url]}
    answer = requests.post(
        f"{url}/api/v1/reports",
        data=json.dumps(report),
        headers={"Content-Type": "application/json", "X-API-Key": KEY, "Prefer": "wait=20"},
        timeout=40,
    )
    assert (answer.status_code, len(answer.json()["number"])) == (201, 10)
