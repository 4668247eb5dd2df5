"""The faults of accounts as the record shows them, where several processes and stages write them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from connectors import Secret, Session
from hub.accounts import Account, AccountsSnapshot, State
from hub.clock import TimeSource
from hub.commands._account_report import account_reports
from hub.running.account_health import FORWARDING, AccountHealth
from hub.running.backend import Backend
from hub.running.record_figures import record_metrics, scan_record
from hub.running.sessions import Sessions
from schemas import AccountFault, Retry
from sink.account_faults import account_faults, sending_faults, set_account_fault
from sink.editions import publish_edition
from sink.record import Record
from sink.vault import Vault
from tests.channels.made_up.kiosk import Kiosk, KioskSettings

NOW = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    with Record.open(f"sqlite:///{tmp_path / 'record.db'}", Vault.create(tmp_path / "keys.toml")) as record:
        yield Backend(record, _at_once, TimeSource(now=lambda: NOW, monotonic=lambda: 0.0))


async def _at_once(call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    return call(*args, **kwargs)


async def _shown(backend: Backend, *processes: AccountHealth) -> dict[str, str]:
    """Codes by account, the first of an account first, once these have written what they know."""
    writing = [asyncio.create_task(health.run()) for health in processes]
    for _ in range(5):
        await asyncio.sleep(0)
    for task in writing:
        task.cancel()
    return {account: " ".join(one.code for one in faults) for account, faults in account_faults(backend.record).items()}


async def test_the_next_holder_ends_the_fault_of_the_last_one(backend: Backend) -> None:
    last, following = AccountHealth(backend, lambda: 0.5), AccountHealth(backend, lambda: 0.5)
    await following.learn([])
    last.failed("portal", "poll", AccountFault("unreachable"))
    assert await _shown(backend, last) == {"portal": "unreachable"}
    await following.learn(["portal"])  # it takes the account over
    following.worked("portal", "fetch")
    assert await _shown(backend, following) == {"portal": "unreachable"}
    following.worked("portal", "poll")
    assert await _shown(backend, following) == {}


async def test_what_was_mended_while_the_hub_was_stopped_is_tried_at_once(backend: Backend) -> None:
    for hours, wa in ((9, "url = 1"), (4, "url = 2"), (3, "url = 2"), (2, "url = 3")):
        text = f"[wa]\n{wa}\n[sms]\n[mail]\nhours = {hours}\n"
        publish_edition(backend.record, "accounts", text, "vm:1", NOW - timedelta(hours=hours))
    for account, hours in (("wa", 2.5), ("sms", 2.5), ("mail", 1.5)):
        set_account_fault(backend.record, account, "token_expired", "", now=NOW - timedelta(hours=hours))
    health = AccountHealth(backend, lambda: 0.5)
    assert await health.learn(["wa", "sms", "mail"]) == {"wa"}
    assert await _shown(backend, health) == {"sms": "token_expired", "mail": "token_expired"}
    assert await health.learn(["wa", "sms", "mail"]) == set()
    publish_edition(backend.record, "accounts", "[wa]\n[sms]\n", "vm:1", NOW - timedelta(minutes=50))
    assert await AccountHealth(backend, lambda: 0.5).learn(["wa", "sms"]) == {"wa"}  # its replies may wait for an hour


async def test_so_is_what_was_mended_in_a_hub_younger_than_an_hour(backend: Backend) -> None:
    for minutes, text in ((20, "[wa]\n[sms]\n"), (10, "[wa]\nurl = 1\n[sms]\n")):
        publish_edition(backend.record, "accounts", text, "vm:1", NOW - timedelta(minutes=minutes))
    assert await AccountHealth(backend, lambda: 0.5).learn(["wa", "sms"]) == {"wa"}


async def test_the_fault_of_forwarding_stays_while_polls_and_fetches_work(backend: Backend) -> None:
    forwarder, accounts = AccountHealth(backend, lambda: 0.5, FORWARDING), AccountHealth(backend, lambda: 0.5)
    accounts.failed("portal", "fetch", AccountFault("quota_spent"))
    assert await _shown(backend, accounts) == {"portal": "quota_spent"}
    forwarder.failed("portal", "forward", AccountFault("gave_up"))
    assert await _shown(backend, forwarder) == {"portal": "quota_spent gave_up"}
    accounts.worked("portal", "fetch")
    await accounts.learn(["portal"])
    accounts.worked("portal", "poll")
    assert await _shown(backend, accounts) == {"portal": "gave_up"}
    forwarder.worked("portal", "forward")
    assert await _shown(backend, forwarder) == {}


async def test_a_session_that_works_in_part_stops_no_answers_and_is_named(backend: Backend) -> None:
    health = AccountHealth(backend, lambda: 0.5)
    sessions, session = Sessions(backend, health), _Session()
    sessions._open["smpp"] = session
    for fault in (None, AccountFault("wrong_password", "10.1.2.4:2775: enter the password")):
        session.fault = fault
        sessions.show_partial_faults()
    assert await _shown(backend, health) == {"smpp": "wrong_password"}
    assert sending_faults(backend.record) == {}
    following = AccountHealth(backend, lambda: 0.5)
    await following.learn(["smpp"])
    session.fault = None
    sessions = Sessions(backend, following)
    sessions._open["smpp"] = session
    sessions.show_partial_faults()
    assert await _shown(backend, following) == {}


class _Session(Session):
    fault: AccountFault | None = None

    @property
    def partial_fault(self) -> AccountFault | None:
        return self.fault

    async def run(self) -> None:
        raise NotImplementedError


async def test_a_fault_that_ends_before_it_is_written_is_none(backend: Backend) -> None:
    health = AccountHealth(backend, lambda: 0.5)
    health.failed("sms", "send", AccountFault("token_expired"))
    health.worked("sms", "send")
    assert await _shown(backend, health) == {}


async def test_each_fault_of_an_account_is_shown_until_it_ends(backend: Backend) -> None:
    health = AccountHealth(backend, lambda: 0.5)
    health.failed("x", "fetch", AccountFault("quota_spent"))
    health.failed("x", "poll", AccountFault("unreachable"))
    health.failed("x", "send", AccountFault("blocked"))
    health.failed("x", "poll", AccountFault("token_expired"))
    assert await _shown(backend, health) == {"x": "blocked quota_spent token_expired"}
    health.worked("x", "send")
    assert await _shown(backend, health) == {"x": "quota_spent token_expired"}
    health.mended("x", "poll")
    assert await _shown(backend, health) == {"x": "quota_spent"}


async def test_an_edit_ends_all_faults_of_an_account(backend: Backend) -> None:
    health = AccountHealth(backend, lambda: 0.5)
    health.failed("wa", "send", AccountFault("token_expired"))
    health.failed("wa", "fetch", AccountFault("quota_spent"))
    assert await _shown(backend, health) == {"wa": "token_expired quota_spent"}
    health.failed("wa", "poll", AccountFault("unreachable"))  # it is not written yet
    health.edited("wa")
    assert await _shown(backend, health) == {}
    health.failed("wa", "fetch", AccountFault("unreachable"))
    assert await _shown(backend, health) == {"wa": "unreachable"}


def test_a_fault_is_the_items_own_once_others_of_its_template_went_through_three_times(backend: Backend) -> None:
    health, fault = AccountHealth(backend, lambda: 0.5), AccountFault("request_refused")

    def own(others: int, template: str = "question", fault: Exception = fault) -> list[bool]:
        found = []
        for _ in range(others):
            found.append(health.is_own("wa", "send", fault, "reply-1", "question"))
            health.worked("wa", "send", template)
        return found

    assert own(5, template="status") == [False] * 5  # a template that is missing keeps no other from going out
    assert own(5, fault=AccountFault("rate_limited", after=300.0)) == [False] * 5
    health.edited("wa")
    assert own(4) == [False, False, False, True]
    health.edited("wa")
    assert own(4) == [False, False, False, True]
    assert not health.is_own("wa", "send", fault, "reply-2", "question")


@pytest.mark.parametrize(
    ("state", "health", "last_error"),
    [
        (
            "active", "cannot send since 05.01.2026 01:00 (token: lapsed); "
            "cannot poll since 05.01.2026 01:00 (quota: spent)", "token: lapsed; quota: spent",
        ),
        ("closed", "closed: refuses with 503", None),
    ],
)  # fmt: skip
def test_people_are_told_each_fault_of_an_account(
    backend: Backend, state: State, health: str, last_error: str | None
) -> None:
    set_account_fault(backend.record, "kios", "quota", "spent", ability="poll", now=NOW)
    set_account_fault(backend.record, "kios", "token", "lapsed", now=NOW)
    door = Kiosk("kios", "32.73", KioskSettings(token=Secret("rahasia-kios"), url="http://127.0.0.1:9"))
    report = account_reports(backend.record, AccountsSnapshot([Account(door, state=state)]), UTC)["kios"]
    assert (report.health, report.last_error) == (health, last_error)


def test_the_fault_of_an_account_that_was_closed_since_is_no_alarm(backend: Backend) -> None:
    for account in ("sms", "webhook", "closed"):
        set_account_fault(backend.record, account, "token_expired", "", now=NOW)
    figures = scan_record(backend.record, lambda: NOW)
    [metric] = [one for one in record_metrics(figures, ["sms"], ["webhook"]) if one.name == "satupintu_account_fault"]
    assert [tuple(sample.labels.values()) for sample in metric.samples] == [
        ("sms", "send", "token_expired"), ("webhook", "send", "token_expired"),
    ]  # fmt: skip


class Clock:
    """Seconds, set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def clocked() -> tuple[Clock, AccountHealth]:
    """A health that writes nothing, and its clock."""
    clock = Clock()
    backend = Backend(cast(Any, None), cast(Any, None), TimeSource(monotonic=clock))
    return clock, AccountHealth(backend, lambda: 0.5)


def test_many_replies_that_an_account_cannot_send_are_one_line(caplog: pytest.LogCaptureFixture) -> None:
    _, health = clocked()
    for _ in range(16):
        health.failed("sms", "send", AccountFault("setting_missing", "set send_url of this account"))
    health.failed("sms", "fetch", AccountFault("setting_missing", "set access_token of this account"))
    assert [record.message for record in caplog.records] == [
        "account sms cannot send: setting_missing: set send_url of this account; trying again",
        "account sms cannot fetch: setting_missing: set access_token of this account; trying again",
    ]


def test_a_provider_that_never_answers_becomes_the_accounts_fault() -> None:
    clock, health = clocked()
    written = []
    health._change = lambda key, change: written.append((key, change.fault))  # type: ignore[method-assign]
    for clock.now in (0.0, 30.0, 59.0):
        health.failed("portal", "poll", Retry("no connection"))
        health.failed("sms", "send", Retry("no connection"), "the same reply")
    assert written == []
    health.worked("other", "poll")
    for clock.now in (60.0, 300.0):
        health.failed("portal", "poll", Retry("no connection"))
        health.failed("sms", "send", Retry("no connection"), "the same reply")
    assert [(key, fault.reason) for key, fault in written] == [
        (("portal", "poll"), "unreachable: no poll has worked for long: no connection")
    ] * 2
    health.worked("portal", "poll")
    health.failed("portal", "poll", Retry("no connection"))
    assert len(written) == 2


def test_so_does_one_that_takes_none_of_several_replies() -> None:
    clock, health = clocked()
    written = []
    health._change = lambda key, change: written.append(change.fault)  # type: ignore[method-assign]
    for reply in ("1", "2", "3"):
        health.failed("sms", "send", Retry("HTTP 503"), reply)
    clock.now = 59.0
    health.failed("sms", "send", Retry("HTTP 503"), "4")
    assert written == []
    clock.now = 60.0
    health.failed("sms", "send", Retry("HTTP 503"), "1")
    assert [fault.reason for fault in written] == ["unreachable: no send has worked for long: HTTP 503"]
    health.worked("sms", "send")
    clock.now = 200.0
    health.failed("sms", "send", Retry("HTTP 503"), "1")
    assert len([fault for fault in written if fault]) == 1
