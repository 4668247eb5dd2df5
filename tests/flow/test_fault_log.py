"""A fault that comes again and again is one line a minute."""

from __future__ import annotations

from typing import Any, cast

import pytest

from hub.clock import TimeSource
from hub.running.account_health import AccountHealth
from hub.running.backend import Backend
from hub.running.fault_log import FaultLog
from schemas import AccountFault, Retry


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_fault_is_logged_at_once_and_then_every_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    faults = FaultLog("stage sink", clock)
    for clock.now in range(130):
        faults("the database does not answer")
    assert [record.message for record in caplog.records] == [
        "stage sink: the database does not answer; trying again"
    ] * 3


def test_another_fault_is_logged_at_once(caplog: pytest.LogCaptureFixture) -> None:
    faults = FaultLog("stage sink", Clock())
    for cause in ("refused", "refused", "out of disk"):
        faults(cause)
    assert [record.message.split("; ")[0] for record in caplog.records] == [
        "stage sink: refused",
        "stage sink: out of disk",
    ]


def test_many_replies_that_an_account_cannot_send_are_one_line(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    backend = Backend(cast(Any, None), cast(Any, None), TimeSource(monotonic=clock))
    health = AccountHealth(backend, lambda: 0.5)
    for _ in range(16):
        health.failed("sms", "send", AccountFault("setting_missing", "set send_url of this account"))
    health.failed("sms", "fetch", AccountFault("setting_missing", "set access_token of this account"))
    assert [record.message for record in caplog.records] == [
        "account sms cannot send: setting_missing: set send_url of this account; trying again",
        "account sms cannot fetch: setting_missing: set access_token of this account; trying again",
    ]


def test_a_provider_that_never_answers_becomes_the_accounts_fault() -> None:
    clock, written = Clock(), []
    backend = Backend(cast(Any, None), cast(Any, None), TimeSource(monotonic=clock))
    health = AccountHealth(backend, lambda: 0.5)
    health._change = lambda account, change: written.append((account, change.fault))  # type: ignore[method-assign]
    for clock.now in (0.0, 30.0, 59.0):
        health.failed("portal", "poll", Retry("no connection"))
        health.failed("sms", "send", Retry("no connection"))
    assert written == []
    health.worked("other", "poll")
    for clock.now in (60.0, 300.0):
        health.failed("portal", "poll", Retry("no connection"))
        health.failed("sms", "send", Retry("no connection"))
    assert [(account, fault.reason) for account, fault in written] == [
        ("portal", "unreachable: no poll has worked for long: no connection")
    ] * 2
    health.worked("portal", "poll")
    health.failed("portal", "poll", Retry("no connection"))
    assert len(written) == 2


def test_a_fault_by_which_nothing_goes_out_is_shown_before_others() -> None:
    clock = Clock()
    backend = Backend(cast(Any, None), cast(Any, None), TimeSource(monotonic=clock))
    health = AccountHealth(backend, lambda: 0.5)
    shown: list[str] = []
    health._change = lambda _, change: shown.append(change.ability if change.fault else "ok")  # type: ignore[method-assign]
    health._recorded["wa"] = "poll"
    health.failed("wa", "poll", AccountFault("quota", "spent"))
    health.failed("wa", "send", AccountFault("token", "lapsed"))
    health.failed("wa", "poll", AccountFault("quota", "spent"))
    health.worked("wa", "send")
    health.worked("wa", "poll")
    assert shown == ["poll", "send", "send", "poll", "ok"]
