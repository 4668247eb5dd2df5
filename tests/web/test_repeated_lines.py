"""A line that a thousand requests cause stands in the log once a minute."""

from __future__ import annotations

import logging

import pytest

from hub.repeated_lines import MOST, RepeatedLineFilter, RepeatedLines


def test_a_line_is_written_at_once_and_then_once_a_minute_with_how_often_it_came(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [0.0]
    lines = RepeatedLines(logging.getLogger("satupintu.test"), lambda: now[0])
    with caplog.at_level(logging.INFO):
        for second in range(0, 120, 2):
            now[0] = float(second)
            lines.write(logging.WARNING, "cannot store at sms: the disk is full")
            lines.write(logging.INFO, f"refused at {second % 4}")
    said = [record.getMessage() for record in caplog.records]
    assert said[:3] == ["cannot store at sms: the disk is full", "refused at 0", "refused at 2"]
    assert said[3:] == [
        "cannot store at sms: the disk is full (30 times since)",
        "refused at 0 (15 times since)",
        "refused at 2 (15 times since)",
    ]


def test_many_different_lines_take_no_memory(caplog: pytest.LogCaptureFixture) -> None:
    lines = RepeatedLines(logging.getLogger("satupintu.test"), lambda: 0.0)
    with caplog.at_level(logging.INFO):
        for number in range(2 * MOST):
            lines.write(logging.INFO, str(number))
    assert len(caplog.records) == 2 * MOST
    assert len(lines._seen) <= MOST


def test_a_librarys_warning_passes_once_a_minute_whatever_it_is_filled_with(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    log = logging.getLogger("satupintu.library")
    log.addFilter(RepeatedLineFilter(lambda: now[0]))
    for second in range(90):
        now[0] = float(second)
        log.warning("expected a boundary, got %d", second)
    log.error("a fault")
    log.error("a fault")
    assert [record.getMessage() for record in caplog.records] == [
        "expected a boundary, got 0",
        "expected a boundary, got 60",
        "a fault",
        "a fault",
    ]
