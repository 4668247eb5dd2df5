"""The findings of `doctor` about the pipeline."""

from __future__ import annotations

from pathlib import Path

from hub.clock import utc_now
from hub.commands._doctor_pipeline import check_dead_letters, check_stages
from hub.commands._finding import Finding
from hub.opening import open_record
from hub.settings import load_settings
from sink.dead import store_dead_letters
from sink.processes import heartbeat
from tests.sink.made import dead, message


def test_h11_doctor_names_a_stage_that_stopped_and_why(tmp_path: Path) -> None:
    own = load_settings({"data": str(tmp_path), "bus": "memory://"}, {})
    assert list(check_stages(own)) == []
    now = utc_now()
    report = {"stages": {"reader": {"stopped": "ValueError at normalizer.read:1"}, "sink": {"stopped": None}}}
    with open_record(own) as record:
        assert [found.words for found in check_stages(own)] == ["no process is at work: satupintu up"]
        heartbeat(record, "a", host="satu", stages=["reader", "sink"], started_at=now, now=now, report=report)
        heartbeat(record, "b", host="dua", stages=["door"], started_at=now, now=now)
    words = "reader stopped on satu (ValueError at normalizer.read:1): mend the cause, then start that process again"
    assert sorted(check_stages(own), key=lambda found: not found.wrong) == [
        Finding("stages", words, wrong=True),
        Finding("stages", "door at work on dua"),
    ]


def test_doctor_counts_the_dead_letters_of_each_account(tmp_path: Path) -> None:
    own = load_settings({"data": str(tmp_path), "bus": "memory://"}, {})
    assert list(check_dead_letters(own)) == []
    with open_record(own) as record:
        store_dead_letters(
            record, [dead(message(n), n, account=account) for n, account in enumerate(("sms", "sms", "wa"), 1)]
        )
    assert [(found.words, found.mark) for found in check_dead_letters(own)] == [
        ("sms: 2 could not be read: satupintu dead list --account sms", "warn "),
        ("wa: 1 could not be read: satupintu dead list --account wa", "warn "),
    ]
