"""`doctor` names the offices of accounts that the registry does not have."""

from __future__ import annotations

from pathlib import Path

from hub.commands._doctor_offices import check_offices
from hub.settings import load_settings

CHANNELS = """
[dinas]
kind = "webhook"
owner = "32.73"
url = "https://dinas.example.go.id/satupintu"
secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
offices = ["meja-layanan/32.73", "32.73"]

[petugas]
kind = "console"
owner = "32"
office = "32"
api_keys = ["kunci-petugas-provinsi"]

[lain]
kind = "console"
owner = "32"
office = "dinas entah"
api_keys = ["kunci-petugas-dinas"]
"""


def test_an_office_that_is_not_known_is_named(tmp_path: Path) -> None:
    (tmp_path / "channels.toml").write_text(CHANNELS)
    found = list(check_offices(load_settings({"data": str(tmp_path)}, {})))
    assert [(one.what, one.words.partition(",")[0], one.mark) for one in found] == [
        ("channel lain", "names the office dinas entah", "warn "),
        ("channel dinas", "names the office 32.73", "warn "),
    ]
