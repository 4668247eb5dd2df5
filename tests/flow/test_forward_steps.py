"""One forward, step by step: what is persisted before and after each step, and what each fault means."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from connectors import ForwardCall, Forwards, NeedsPerson, Part, ProviderConnections, Settings, StepResult
from connectors.webhook import Webhook, WebhookSettings
from hub.running.forwarding import seconds_to_night
from hub.running.forwarding_reconcile import Reconciler, Reconciliation, reconcile_each
from hub.running.forwarding_steps import NEVER, NotReady, StepRunner
from hub.running.forwarding_work import without_needless_wait
from schemas import AccountFault, Forward, Reject, Retry, Unanswered
from sink.forward_claims import NOT_THERE_YET, REFUSED_THERE, ClaimedForward
from sink.forward_progress import Progress
from sink.jobs import ClaimedJob
from sink.leases import StaleEpoch
from sink.reconcile import OurView

NOW = datetime(2025, 8, 18, 3, 0, tzinfo=UTC)
REPORT = Forward(what="complaint", number="4719360285", reference="4719360285", at=NOW)
JOB = ClaimedJob("forward/to/c", "forward", "to", "34.04", "c", {}, None, {}, 0, 1, NOW - timedelta(hours=1))


class To(Forwards):
    """A system with three steps; each does what the test says."""

    kind = "to"

    def __init__(self, *plan: Any, looks: Sequence[Any] = ()) -> None:
        super().__init__("to", "34.04", Settings())
        self.plan, self.looks = list(plan), list(looks)
        self.done: list[str] = []

    def parts(self, payload: Any) -> list[Part]:
        return []

    def read(self, part: Any, raw: Any) -> Any:
        raise Reject("nothing")

    def steps(self, forward: Forward, results: Mapping[str, Any]) -> Sequence[str]:
        return ["files", "create", "pass"]

    async def do_step(self, step: str, call: ForwardCall, outbound: ProviderConnections) -> StepResult:
        self.done.append(step)
        return self._next(self.plan) or StepResult({"of": step}, "7123456" if step == "create" else None)

    async def look_up(self, step: str, call: ForwardCall, outbound: ProviderConnections) -> StepResult | None:
        self.done.append(f"look {step}")
        return self._next(self.looks)

    @staticmethod
    def _next(plan: list[Any]) -> Any:
        planned = plan.pop(0) if plan else None
        if isinstance(planned, Exception):
            raise planned
        return planned


async def _nothing_sent(account: str, since: datetime) -> bool:
    return False


async def run(
    to: To, sent_since: Callable[[str, datetime], Awaitable[bool]] = _nothing_sent, **job: Any
) -> tuple[list[Progress], Exception | None]:
    """What was persisted, and the fault for which the account may be to blame."""
    stored: list[Progress] = []

    async def put(progress: Progress) -> None:
        stored.append(progress)

    async def files(ids: Sequence[str], queued_at: datetime) -> list[Any]:
        return []

    runner = StepRunner(put, files, lambda: NOW, lambda job: True, sent_since)
    claimed = ClaimedForward(JOB._replace(**job), REPORT)
    return stored, await runner.run(claimed, to, None)  # type: ignore[arg-type]


def shape(stored: Sequence[Progress]) -> list[tuple[str | None, list[str], str | None]]:
    """Of each write: the step that is begun, the finished ones, how the job ends."""
    return [
        (p.job.step, [r for r in p.job.results if not r.endswith(".began")], p.ends and p.ends.state) for p in stored
    ]


async def test_each_step_is_begun_before_it_is_done_and_its_result_begins_the_next() -> None:
    to = To()
    stored, fault = await run(to)
    assert to.done == ["files", "create", "pass"]
    assert shape(stored) == [
        ("files", [], None), ("create", ["files"], None), ("pass", ["files", "create"], None),
        (None, ["files", "create", "pass"], None), (None, ["files", "create", "pass"], "done"),
    ]  # fmt: skip
    assert [p.foreign and p.foreign.native for p in stored] == [None, None, "7123456", None, None]
    assert fault is None


async def test_a_forward_that_waited_long_for_its_turn_is_tried_again_as_soon_as_any_other() -> None:
    stored: list[Progress] = []

    async def put(progress: Progress) -> None:
        stored.append(progress)

    runner, job = StepRunner(put, AsyncMock(), lambda: NOW, lambda job: True, _nothing_sent), JOB
    for attempts in range(60):
        await runner.run(ClaimedForward(job, REPORT, NOT_THERE_YET), To(), None)  # type: ignore[arg-type]
        job = stored[-1].job._replace(attempts=attempts + 1)  # as it is claimed again
    await runner.run(ClaimedForward(job, REPORT), To(Retry("busy")), None)  # type: ignore[arg-type]
    ends = stored[-1].ends
    assert ends is not None
    assert (ends.state, ends.due_at) == ("waiting", NOW + timedelta(seconds=3))


@pytest.mark.parametrize(("knows", "waits"), [(True, None), (False, REFUSED_THERE)])
def test_only_who_knows_our_number_is_told_of_a_complaint_that_was_refused(knows: bool, waits: str | None) -> None:
    to: Forwards = Webhook("sistem", "34.04", WebhookSettings()) if knows else To()
    assert without_needless_wait(ClaimedForward(JOB, REPORT, REFUSED_THERE), to).waits == waits
    assert without_needless_wait(ClaimedForward(JOB, REPORT, NOT_THERE_YET), to).waits == NOT_THERE_YET


async def test_it_goes_on_after_the_last_finished_step() -> None:
    to = To()
    await run(to, results={"files": {}, "create": {"id": "7"}})
    assert to.done == ["pass"]


async def test_a_step_is_not_done_where_the_lease_ended_while_it_was_stored() -> None:
    """The next holder may be doing it already."""
    to, stored = To(), list[Progress]()

    async def put(progress: Progress) -> None:
        stored.append(progress)

    runner = StepRunner(put, AsyncMock(), lambda: NOW, lambda job: len(stored) < 2, _nothing_sent)
    with pytest.raises(StaleEpoch):
        await runner.run(ClaimedForward(JOB, REPORT), to, None)  # type: ignore[arg-type]
    assert to.done == ["files"]
    assert shape(stored) == [("files", [], None), ("create", ["files"], None)]


@pytest.mark.parametrize(
    ("fault", "state", "code", "to_blame"),
    [
        (Retry("busy", after=60), "waiting", "retry", True), (NotReady("files", after=5), "waiting", "retry", False),
        (Unanswered("no answer"), "unknown", "unanswered", True),
        (AccountFault("http_401", "token"), "waiting", "http_401", True),
        (Reject("http_422", "isi"), "failed", "http_422", False), (KeyError("x"), "unknown", "bug", False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)  # fmt: skip
async def test_what_a_fault_of_a_step_means(fault: Exception, state: str, code: str, to_blame: bool) -> None:
    fault.answer = "their words"  # type: ignore[attr-defined]
    stored, blamed = await run(To(None, fault))
    ends = stored[-1].ends
    assert ends is not None
    assert (ends.state, ends.code) == (state, code)
    assert (blamed is fault) is to_blame
    assert "files" in stored[-1].job.results
    if not isinstance(fault, KeyError):
        assert stored[-1].answer == "their words"


async def test_a_step_in_doubt_that_was_done_is_not_repeated() -> None:
    to = To(looks=[StepResult({"id": "7"}, "7")])
    stored, _ = await run(to, step="create", results={"files": {}})
    assert to.done == ["look create", "pass"]
    assert stored[0].foreign is not None
    assert stored[0].job.step == "pass"


async def test_a_step_in_doubt_that_was_not_done_is_begun_again() -> None:
    to = To(looks=[None])
    stored, _ = await run(to, step="create", results={"files": {}, "create.began": NOW.isoformat()})
    assert to.done == ["look create", "create", "pass"]
    assert shape(stored)[0] == ("create", ["files"], None)


@pytest.mark.parametrize(
    ("fault", "code", "due"),
    [
        (Retry("too early", after=7), "looking", NOW + timedelta(seconds=7)),
        (Unanswered("no answer"), "looking", NOW + timedelta(seconds=15)),
        (AccountFault("http_401"), "http_401", NOW), (NeedsPerson("look there"), "needs_person", NEVER),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)  # fmt: skip
async def test_while_it_is_looked_up_a_step_stays_in_doubt(fault: Exception, code: str, due: datetime) -> None:
    to = To(looks=[fault])
    stored, _ = await run(to, step="create", results={"files": {}})
    ends = stored[-1].ends
    assert ends is not None
    assert (ends.state, ends.code, ends.due_at) == ("unknown", code, due)
    assert ends.job.step == "create"
    assert to.done == ["look create"]


async def test_what_is_tried_for_too_long_has_failed() -> None:
    to = To(Retry("busy"))
    to.gives_up_after = 1800.0  # type: ignore[misc]
    stored, _ = await run(to)
    ends = stored[-1].ends
    assert ends is not None
    assert (ends.state, ends.code) == ("failed", "gave_up")


@pytest.mark.parametrize(
    ("now", "random", "hours"),
    [
        (datetime(2025, 8, 18, 15, 0, tzinfo=UTC), 0.0, 3.0), (datetime(2025, 8, 18, 18, 15, tzinfo=UTC), 0.5, 0.25),
        (datetime(2025, 8, 18, 18, 15, tzinfo=UTC), 0.0, 23.75),
    ],
)  # fmt: skip
def test_the_reconciliation_comes_once_a_night(now: datetime, random: float, hours: float) -> None:
    assert seconds_to_night(now, random) == hours * 3600


async def test_an_account_with_delays_of_its_own_is_tried_by_them_and_then_switched_off() -> None:
    class Webhook(To):
        retry_delays = (5.0, 300.0, 1800.0)
        gives_up_after = 7200.0

    refused = Retry("http_500")
    for attempts, seconds in ((0, 5.0), (1, 300.0), (2, 1800.0), (7, 1800.0)):
        stored, _ = await run(Webhook(refused), attempts=attempts)
        assert stored[-1].ends is not None
        assert stored[-1].ends.due_at == NOW + timedelta(seconds=seconds)
    stored, fault = await run(Webhook(refused), created_at=NOW - timedelta(hours=3))
    assert stored[-1].ends is not None
    assert (stored[-1].ends.state, stored[-1].ends.code) == ("failed", "gave_up")
    assert isinstance(fault, AccountFault)
    assert (fault.code, fault.after) == ("gave_up", 3600.0)
    for wanted in ("replayed", "again"):
        since = {wanted: (NOW - timedelta(hours=1)).isoformat()}
        stored, fault = await run(Webhook(refused), created_at=NOW - timedelta(hours=99), results=since)
        assert stored[-1].ends is not None
        assert (stored[-1].ends.state, fault) == ("waiting", refused)


@pytest.mark.parametrize("hours", [99, 100])
async def test_an_event_that_is_refused_alone_fails_alone(hours: int) -> None:
    """Another one was taken 100 hours ago."""

    async def sent_since(account: str, since: datetime) -> bool:
        return account == JOB.account and since <= NOW - timedelta(hours=100)

    to, refused = To(Retry("http_400")), NOW - timedelta(hours=hours)
    to.gives_up_after = 7200.0  # type: ignore[misc]
    stored, fault = await run(to, sent_since, created_at=refused)
    assert stored[-1].ends is not None
    assert (stored[-1].ends.state, stored[-1].ends.code) == ("failed", "gave_up")
    assert isinstance(fault, AccountFault) == (hours == 99)


async def test_a_fault_of_one_account_keeps_no_other_from_being_reconciled(caplog: pytest.LogCaptureFixture) -> None:
    reconciler = AsyncMock()
    reconciler.run.side_effect = [KeyError("budi"), Retry("the record: locked"), Reconciliation("to", asked=1)]
    with caplog.at_level("INFO"):
        await reconcile_each(reconciler, [To(), To(), To()])
    bug, retry, done = caplog.messages
    assert "KeyError" in bug
    assert "budi" not in bug
    assert retry == "account to is not reconciled: the record: locked"
    assert done == "account to: 0 differences, 0 repaired"


class Asked(To):
    """A system that says how the complaints of these numbers are, and fails at all others."""

    follow_every = 60.0

    def __init__(self, known: Collection[str], fault: Exception) -> None:
        super().__init__()
        self.known, self.fault = known, fault
        self.questions: list[str] = []

    async def status_of(self, native: str, outbound: ProviderConnections) -> str | None:
        self.questions.append(native)
        if native not in self.known:
            raise self.fault
        return "done"

    async def find(self, number: str, outbound: ProviderConnections) -> Sequence[str]:
        return ()


async def reconciled(channel: Asked, monkeypatch: pytest.MonkeyPatch) -> Reconciliation:
    pages = [[OurView(f"c{n}", str(n), f"{n:010}", "verified") for n in range(start, start + 50)] for start in (0, 50)]
    monkeypatch.setattr("hub.running.forwarding_reconcile.forwarded_pages", lambda *_: iter(pages))
    backend = AsyncMock(return_value=[])
    backend.io.side_effect = lambda call, *args: call(*args)
    backend.timing.now = lambda: NOW
    return await Reconciler(backend, Mock(), Mock()).run(channel, apply=False)


async def test_a_complaint_that_cannot_be_asked_about_keeps_no_other_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = Asked({str(n) for n in range(100) if n != 7}, Retry("answered 500"))
    found = await reconciled(channel, monkeypatch)
    assert (found.asked, found.fault, len(found.differences)) == (99, "answered 500", 99)


@pytest.mark.parametrize(("fault", "most"), [(Unanswered("no answer"), 16 + 8), (AccountFault("token_expired"), 8)])
async def test_a_system_that_is_away_is_not_asked_about_all(
    fault: Exception, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = Asked((), fault)
    found = await reconciled(channel, monkeypatch)
    assert found.asked == 0
    assert found.fault in {"no answer", "token_expired"}
    assert len(channel.questions) <= most
