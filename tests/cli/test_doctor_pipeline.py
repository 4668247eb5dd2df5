"""The findings of `doctor` about the pipeline."""

from __future__ import annotations

from pathlib import Path

from hub.clock import utc_now
from hub.commands._doctor_pipeline import RECENT, check_dead_letters, check_stages, check_statuses
from hub.commands._finding import Finding
from hub.opening import open_record
from hub.settings import load_settings
from sink.dead import store_dead_letters
from sink.processes import heartbeat
from tests.sink.made import acted, action, dead, message, persist, routed


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


def test_doctor_names_words_for_a_status_that_no_table_has(tmp_path: Path) -> None:
    own = load_settings({"data": str(tmp_path), "bus": "memory://"}, {})
    assert list(check_statuses(own)) == []
    report, now = message(1), utc_now()
    said = [
        action(n, "status", status="unknown", status_said=word, received_at=now - age)
        for n, word, age in ((2, "Menunggu", 2 * RECENT), (3, "Antre", RECENT / 2))
    ]
    known = action(4, "status", status="in_progress", status_said="Dikerjakan", received_at=now)
    with open_record(own) as record:
        persist(record, routed(report), *(acted(one, report) for one in (*said, known)))
    [found] = check_statuses(own)
    assert found.mark == "warn "
    assert found.words.startswith('console: "Antre" changed nothing, 1 times in 30 days: add it to')
    assert found.words.endswith(f"satupintu act sets it (the newest: {routed(report).matched.number})")
