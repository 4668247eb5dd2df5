"""`attachments` of a CSV may be a list of JSON, with names that hold commas."""

from __future__ import annotations

from tests.cases.conftest import INPUTS, Satupintu


def test_all_three_are_brought(satupintu: Satupintu):
    assert satupintu.ingest(INPUTS / "17" / "rows.csv") == ({"received": 2, "recorded": 2}, [])
    stored = {path.read_bytes() for path in (satupintu.folder / "blobs").rglob("*") if path.is_file()}
    assert stored == {(INPUTS / "17" / name).read_bytes() for name in ("a.jpg", "rumah, depan.jpg")}
    messages = satupintu("parse", "file", INPUTS / "17" / "rows.csv").out
    assert [[a["name"] for a in m["attachments"]] for m in messages] == [["a.jpg"], ["rumah, depan.jpg", "a.jpg"]]
