"""Resumable uploads by tus 1.0: the ten mistakes that others made with it, and a file of a report."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.web.uploads_store import LIVES, MOST, UploadGone, UploadStore, UploadUnknown
from hub.web.uploads_writing import UploadLocked, UploadWriter
from sink.blobs import Blobs
from tests.web.asgi import Response
from tests.web.conftest import KEY, Site
from tests.web.test_api import PNG, WORDS

UPLOADS = "/api/v1/uploads"
BODY = {"content-type": "application/offset+octet-stream"}
NAME = {"upload-metadata": f"filename {b64encode(b'../../etc/lubang.png').decode()},is_confidential"}
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OWNER = "ab" * 16


async def tus(site: Site, method: str, path: str, body: Any = b"", /, **headers: str) -> Response:
    sent = {"tus-resumable": "1.0.0", "authorization": f"Bearer {KEY}"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return await site.call(method, path, body, {name: value for name, value in sent.items() if value})


async def created(site: Site, length: int = len(PNG), **headers: str) -> str:
    answer = await tus(site, "POST", UPLOADS, upload_length=str(length), **headers)
    assert answer.status == 201
    return answer.headers["location"]


async def patch(site: Site, path: str, offset: int, body: Any, /, **headers: str) -> Response:
    return await tus(site, "PATCH", path, body, **{"upload-offset": str(offset)} | BODY | headers)


async def offset(site: Site, path: str) -> str:
    return (await tus(site, "HEAD", path)).headers["upload-offset"]


async def test_a_file_comes_in_two_parts_and_goes_with_a_report(site: Site) -> None:
    path = await created(site, **NAME)
    assert (await patch(site, path, 0, PNG[:20])).headers["upload-offset"] == "20"
    look = await tus(site, "HEAD", path)
    assert (look.headers["upload-offset"], look.headers["upload-length"]) == ("20", str(len(PNG)))
    assert (look.headers["cache-control"], look.headers["upload-metadata"]) == ("no-store", NAME["upload-metadata"])
    assert (await patch(site, path, 20, PNG[20:])).status == 204
    report = json.dumps({"text": WORDS, "uploads": [path]}).encode()
    headers = {"content-type": "application/json", "x-api-key": KEY, "prefer": "wait=20", "idempotency-key": "a"}
    first, again = [await site.call("POST", "/api/v1/reports", report, headers) for _ in range(2)]
    assert (first.status, again.json) == (201, first.json)
    found = await site.opened.outside.pools.io(site.opened.storage.blobs.get, hashlib.sha256(PNG).hexdigest())
    assert found == PNG
    page = await site.call("GET", f"/lacak/{first.json['number']}?token={first.json['token']}")
    assert "lubang.png" in page.text
    assert (await patch(site, path, len(PNG), b"")).status == 410


async def test_the_first_bytes_may_come_with_the_creation(quiet: Site) -> None:
    headers = BODY | {"upload-length": str(len(PNG)), "content-length": "20"}
    answer = await tus(quiet, "POST", UPLOADS, PNG[:20], **headers)
    assert (answer.status, answer.headers["upload-offset"]) == (201, "20")
    assert answer.headers["upload-expires"].endswith("GMT")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"tus-resumable": ""}, 412),
        ({"tus-resumable": "0.2.2"}, 412),
        ({"content-type": "image/png"}, 415),
        ({"upload-offset": "-1"}, 400),
        ({"upload-offset": "nol"}, 400),
        ({"upload-offset": "5"}, 409),
        ({"content-length": "9999"}, 413),
        ({"upload-checksum": "md4 AAAA"}, 400),
        ({"upload-checksum": "sha1 AAAA"}, 400),
        ({"authorization": ""}, 401),
        ({"authorization": "Bearer salah"}, 401),
        ({"authorization": "Bearer kunci-kedua"}, 404),
    ],
)
async def test_every_header_is_checked_before_the_first_byte(quiet: Site, headers: dict[str, str], status: int) -> None:
    path = await created(quiet)
    answer = await patch(quiet, path, 0, [PNG], **headers)
    assert (answer.status, answer.parts_left) == (status, 1)
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert await offset(quiet, path) == "0"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"upload-length": ""}, 400),
        ({"upload-length": "-1"}, 400),
        ({"upload-length": "1000000000"}, 413),
        ({"upload-length": "", "upload-defer-length": "1"}, 400),
        ({"upload-metadata": "filename ???"}, 400),
        ({"upload-metadata": "a YQ==,a YQ=="}, 400),
        ({"upload-metadata": "a " + "YWFh" * 1000}, 400),
        ({"content-length": "3", "content-type": "image/png"}, 415),
        ({"content-length": "99", **BODY}, 413),
    ],
)
async def test_what_cannot_be_created_leaves_nothing(quiet: Site, headers: dict[str, str], status: int) -> None:
    answer = await tus(quiet, "POST", UPLOADS, **{"upload-length": "10"} | headers)
    assert answer.status == status
    assert not list((quiet.settings.data / "uploads").glob("*/*"))


async def test_what_came_before_the_sender_left_is_kept(quiet: Site) -> None:
    path = await created(quiet)
    headers = {"tus-resumable": "1.0.0", "x-api-key": KEY, "upload-offset": "0", **BODY}
    await quiet.call("PATCH", path, [PNG[:7], PNG[7:9]], headers, breaks=True)
    assert await offset(quiet, path) == "9"


async def test_a_body_without_a_length_is_stopped_at_the_announced_one(quiet: Site) -> None:
    path = await created(quiet, 10)
    assert (await patch(quiet, path, 0, [b"0123456", b"789abc"])).status == 413
    assert await offset(quiet, path) == "10"


@pytest.mark.parametrize("name", ["sha1", "sha256"])
async def test_a_damaged_part_counts_for_nothing(quiet: Site, name: str) -> None:
    path = await created(quiet)
    right = b64encode(hashlib.new(name, PNG[:20]).digest()).decode()
    assert (await patch(quiet, path, 0, PNG[1:21], upload_checksum=f"{name} {right}")).status == 460
    assert await offset(quiet, path) == "0"
    assert (await patch(quiet, path, 0, PNG[:20], upload_checksum=f"{name} {right}")).status == 204


async def test_one_of_two_writers_is_refused(quiet: Site) -> None:
    path = await created(quiet)
    [file] = (quiet.settings.data / "uploads").glob(f"*/{path.rpartition('/')[2]}")
    other = UploadWriter(file, LIVES)  # as another process holds it
    refused = [await patch(quiet, path, 0, [PNG]), await tus(quiet, "DELETE", path)]
    assert [answer.status for answer in refused] == [423, 423]
    assert refused[0].parts_left == 1
    other.close()
    assert (await patch(quiet, path, 0, PNG)).status == 204


async def test_an_upload_may_be_ended_by_its_owner_only(quiet: Site) -> None:
    path = await created(quiet)
    assert (await tus(quiet, "DELETE", path, authorization="Bearer kunci-kedua")).status == 404
    assert (await tus(quiet, "POST", path, x_http_method_override="DELETE")).status == 204
    assert [(await tus(quiet, method, path)).status for method in ("HEAD", "DELETE")] == [410, 410]


async def test_a_caller_has_so_many_waiting_and_no_more(quiet: Site) -> None:
    for _ in range(MOST):
        await created(quiet, 1)
    assert (await tus(quiet, "POST", UPLOADS, upload_length="1")).status == 429
    assert (await tus(quiet, "POST", UPLOADS, upload_length="1", authorization="Bearer kunci-kedua")).status == 201


async def test_clients_are_told_what_this_server_can_do(quiet: Site) -> None:
    answer = await quiet.call("OPTIONS", UPLOADS)
    assert (answer.status, answer.headers["tus-version"]) == (204, "1.0.0")
    assert answer.headers["tus-extension"].split(",")[0] == "creation"


@pytest.mark.parametrize(
    ("body", "uploads"),
    [(PNG[:9], 1), (b"<html>" + bytes(66), 1), (PNG, 2)],
    ids=["incomplete", "another type", "twice"],
)
async def test_a_report_takes_finished_files_only(quiet: Site, body: bytes, uploads: int) -> None:
    path = await created(quiet)
    await patch(quiet, path, 0, body)
    report = json.dumps({"text": WORDS, "uploads": [path] * uploads}).encode()
    sent = {"content-type": "application/json", "x-api-key": KEY}
    answer = await quiet.call("POST", "/api/v1/reports", report, sent)
    assert (answer.status, [e["field"] for e in answer.json["errors"]]) == (422, ["uploads"])


async def test_nobody_takes_the_file_of_another(quiet: Site) -> None:
    path = await created(quiet)
    await patch(quiet, path, 0, PNG)
    report = json.dumps({"text": WORDS, "uploads": [path]}).encode()
    for key in ({}, {"x-api-key": "kunci-kedua"}):
        answer = await quiet.call("POST", "/api/v1/reports", report, {"content-type": "application/json", **key})
        assert answer.status == 422


@pytest.fixture
def store(tmp_path: Path) -> UploadStore:
    return UploadStore(tmp_path / "uploads", 1000)


def test_bytes_that_were_not_synced_do_not_count(store: UploadStore) -> None:
    id = store.create(OWNER, 10, "", NOW)
    writer = store.open(OWNER, id, NOW)
    writer.write(b"0123")
    writer.commit(NOW)
    writer.write(b"45")
    writer.close()
    assert store.state(OWNER, id, NOW).offset == 4
    writer = store.open(OWNER, id, NOW)
    writer.write(b"456789")
    writer.commit(NOW)
    writer.close()
    assert store.first_bytes(OWNER, id, 99) == b"0123456789"


def test_each_part_renews_the_life_of_an_upload(store: UploadStore) -> None:
    id = store.create(OWNER, 10, "", NOW)
    writer = store.open(OWNER, id, NOW + timedelta(hours=23))
    writer.commit(NOW + timedelta(hours=23))
    writer.close()
    store.state(OWNER, id, NOW + timedelta(hours=46))
    with pytest.raises(UploadGone):
        store.state(OWNER, id, NOW + timedelta(hours=47))


def test_orphans_are_swept_and_their_end_is_known_for_a_while(store: UploadStore, tmp_path: Path) -> None:
    old, used, fresh = (store.create(OWNER, 10, "", at) for at in (NOW, NOW, NOW + LIVES))
    lost = tmp_path / "uploads" / OWNER / ("f" * 32)
    lost.write_bytes(b"bytes without a state")
    lost.with_suffix(".tmp").write_bytes(b"half a state")
    later = max(NOW + LIVES, datetime.now(UTC) + timedelta(hours=2))
    writer = store.open(OWNER, used, NOW)
    assert store.sweep(NOW + LIVES) >= 1
    writer.close()
    with pytest.raises(UploadGone):
        store.state(OWNER, old, NOW + LIVES)
    store.state(OWNER, fresh, NOW + LIVES)
    store.sweep(later + timedelta(days=30))
    assert not list((tmp_path / "uploads").glob("*/*"))
    with pytest.raises(UploadUnknown):
        store.state(OWNER, old, NOW + timedelta(days=30))


def test_a_report_that_is_sent_again_after_days_names_the_same_file(store: UploadStore, tmp_path: Path) -> None:
    blobs, id = Blobs(tmp_path / "blobs"), store.create(OWNER, 0, "", NOW)
    first = store.move_to_blobs(OWNER, id, NOW, blobs)
    for days in (2, 60):
        store.sweep(NOW + timedelta(days=days))
        assert store.move_to_blobs(OWNER, id, NOW + timedelta(days=days), blobs) == first
    with pytest.raises(UploadGone):
        store.open(OWNER, id, NOW + timedelta(days=2))
    store.sweep(NOW + timedelta(days=92))
    with pytest.raises(UploadUnknown):
        store.state(OWNER, id, NOW + timedelta(days=92))


def test_a_write_that_comes_after_the_close_reaches_no_other_file(store: UploadStore, tmp_path: Path) -> None:
    """A request that was cut off closes its writer while a thread may still be on its way to write."""
    writer = store.open(OWNER, store.create(OWNER, 8, "", NOW), NOW)
    writer.close()
    with (tmp_path / "other").open("wb+") as other:  # it gets the number of the file that was closed
        with pytest.raises(OSError, match="Bad file descriptor"):
            writer.write(b"12345678")
        assert other.read() == b""


def test_a_writer_that_was_killed_locks_nobody_out(store: UploadStore, tmp_path: Path) -> None:
    id = store.create(OWNER, 10, "", NOW)
    file = tmp_path / "uploads" / OWNER / id
    code = f"""
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from hub.web.uploads_writing import UploadWriter
writer = UploadWriter(Path({str(file)!r}), timedelta(days=1))
writer.write(b"0123")
writer.commit(datetime(2026, 3, 2, 9, tzinfo=timezone.utc))
writer.write(b"45")
print("writing", flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"writing\n"
        with pytest.raises(UploadLocked):
            store.open(OWNER, id, NOW)
        other.kill()
    writer = store.open(OWNER, id, NOW)
    assert writer.state.offset == file.stat().st_size == 4
    writer.close()


@pytest.mark.parametrize("id", ["../" + "a" * 29, "..", "", "A" * 32, "a" * 32 + ".json"])
def test_no_word_of_a_caller_becomes_a_path(store: UploadStore, id: str) -> None:
    with pytest.raises(UploadUnknown):
        store.state(OWNER, id, NOW)


def test_a_file_lies_with_the_blobs_once(store: UploadStore, tmp_path: Path) -> None:
    blobs, id = Blobs(tmp_path / "blobs"), store.create(OWNER, 4, "", NOW)
    writer = store.open(OWNER, id, NOW)
    writer.write(b"isi!")
    with pytest.raises(UploadLocked):
        UploadWriter(tmp_path / "uploads" / OWNER / id, LIVES)
    writer.commit(NOW)
    writer.close()
    kept = {store.move_to_blobs(OWNER, id, NOW, blobs) for _ in range(2)}
    assert kept == {hashlib.sha256(b"isi!").hexdigest()}
    assert blobs.get(kept.pop()) == b"isi!"
    assert (tmp_path / "uploads" / OWNER / id).stat().st_size == 0
