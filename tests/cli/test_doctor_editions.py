"""Where another machine published the accounts, `doctor` and `channels` go by its edition."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from hub.cli import run_command
from hub.clock import utc_now
from hub.commands._doctor_accounts import check_edition
from hub.opening import open_record
from hub.settings import load_settings
from sink.editions import publish_edition

ELSEWHERE = '[sms-batu]\nkind = "sms"\nowner = "35.79"\n'


def test_accounts_of_another_machine_are_shown(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    own = load_settings({"data": str(tmp_path)}, {})
    with open_record(own) as record:
        publish_edition(record, "accounts", ELSEWHERE, "satu:7", utc_now())
    assert [(f.mark, f.words) for f in check_edition(own)] == [
        ("ok   ", f"edition 1 holds, published by satu:7; there is no {own.channels} here: edit the file there")
    ]
    assert run_command(["channels", "--data", str(tmp_path)]) == 0
    assert "[sms-batu] sms, owner 35.79, active" in capfd.readouterr().out
    own.channels.write_text(ELSEWHERE)
    assert list(check_edition(own)) == []
    own.channels.write_text(ELSEWHERE + "# edited\n")
    assert list(check_edition(own)) == []  # it is newer: the next start publishes it
    long_ago = (utc_now() - timedelta(days=1)).timestamp()
    os.utime(own.channels, (long_ago, long_ago))
    (found,) = check_edition(own)
    assert (found.mark, f"and not {own.channels}: it is older" in found.words) == ("warn ", True)
