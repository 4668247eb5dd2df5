"""One forward: its steps in order, each persisted before the next begins, and what its faults mean."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bus import fault_location
from connectors import ForwardCall, ForwardedFile, Forwards, NeedsPerson, ProviderConnections, StepResult
from schemas import AccountFault, PipelineError, Reject, Retry, Unanswered
from sink.forward_claims import EARLIER_FIRST, NEEDS_PERSON, ClaimedForward
from sink.forward_progress import ForeignReport, Progress
from sink.forward_queue import FORWARD
from sink.forward_repair import AGAIN, REPLAYED
from sink.job_results import JobResult
from sink.jobs import ClaimedJob, JobState, steps_in_hand
from sink.leases import StaleEpoch
from sink.outbox_results import next_attempt
from sink.record import Record

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""When a job is due that waits for a person."""
LOOK_AGAIN = 15.0
"""Seconds to the next look at a step that may have been done, where the channel names none."""
AFTER_BUG = 60.0
ITS_TURN, STANDS_THERE = 5.0, 60.0
"""Seconds after which a forward is tried again that had to wait for another one, or until the complaint stands there,
which makes it due at once."""
BEGAN = ".began"
WAITED = ".waited"
"""In the results of a job: how often it was claimed and only had to wait for its turn."""
HOUR = 3600.0
GAVE_UP = "gave_up"
GAVE_UP_WORDS = (
    "nothing got through for so long that a forward was given up: mend the receiver or the account, then send again "
    "what failed by satupintu forwards replay; until then it is tried once an hour"
)
Put = Callable[[Progress], Awaitable[None]]
Files = Callable[[Sequence[str], datetime], Awaitable[Sequence[ForwardedFile]]]
"""Brings the files of these ids; the time is when the forward was queued."""
log = logging.getLogger(__name__)


class NotReady(Retry):
    """Something of ours is missing yet: no fault of the account."""


def creates_in_hand(record: Record) -> list[datetime]:
    """When those creates began of which nobody knows yet where the complaint stands, but for those that wait for a
    person. Raises Retry."""
    began = (results.get(step + BEGAN) for step, results in steps_in_hand(record, FORWARD, NEVER))
    return [datetime.fromisoformat(at) for at in began if isinstance(at, str)]


@dataclass(frozen=True, slots=True)
class StepRunner:
    """Does forwards. `put` persists; `holds` says whether the lease of a job is still ours, `sent_since` whether
    anything has gone out for an account since then."""

    put: Put
    files: Files
    now: Callable[[], datetime]
    holds: Callable[[ClaimedJob], bool]
    sent_since: Callable[[str, datetime], Awaitable[bool]]

    async def run(self, claimed: ClaimedForward, channel: Forwards, outbound: ProviderConnections) -> Exception | None:
        """Do it, as far as it goes now; returns the fault where the account may be the cause of it. Raises
        StaleEpoch."""
        if claimed.waits is not None:
            seconds = ITS_TURN if claimed.waits == EARLIER_FIRST else STANDS_THERE
            due_at = self.now() + timedelta(seconds=seconds)
            waited = {WAITED: claimed.job.results.get(WAITED, 0) + 1}
            job = claimed.job._replace(results=claimed.job.results | waited)
            await self._end(job, "waiting", due_at, claimed.waits)
            return None
        current = _Current(claimed.job)
        try:
            await self._steps(current, claimed, channel, outbound)
        except PipelineError as fault:
            progress = self._given_up(self._after(current, fault, channel), channel)
            await self.put(progress)
            if await self._stops_account(progress):
                return AccountFault(GAVE_UP, GAVE_UP_WORDS, after=HOUR)
            return fault if isinstance(fault, Retry | AccountFault) and not isinstance(fault, NotReady) else None
        except StaleEpoch:
            raise
        except Exception as error:  # a bug in one channel must not end the forwards of all others
            log.error("account %s, job %s: %s", channel.account, claimed.job.id, fault_location(error))
            due_at = self.now() + timedelta(seconds=AFTER_BUG)
            state: JobState = "unknown" if current.job.step else "waiting"
            await self.put(Progress(current.job, JobResult(current.job, state, due_at, "bug", type(error).__name__)))
        return None

    async def _steps(
        self, current: _Current, claimed: ClaimedForward, channel: Forwards, outbound: ProviderConnections
    ) -> None:
        if current.job.step is not None:
            await self._look_up(current, claimed, channel, outbound)
        while step := _next(channel.steps(claimed.forward, current.job.results), current.job.results):
            if current.job.step != step or current.looked:
                current.job = self._begun(current.job, step)
                await self.put(Progress(current.job))
            current.looked = False
            if not self.holds(current.job):  # it ended while the step was stored: the next holder finds out
                raise StaleEpoch(channel.account)
            result = await channel.do_step(step, self._call(claimed, current.job, step), outbound)
            await self._save(current, claimed, channel, (step, result))
        await self._end(current.job, "done")

    async def _look_up(
        self, current: _Current, claimed: ClaimedForward, channel: Forwards, outbound: ProviderConnections
    ) -> None:
        """A step that may have been done: its result, or it is done again."""
        step = current.job.step or ""
        current.looking = True
        result = await channel.look_up(step, self._call(claimed, current.job, step), outbound)
        current.looking, current.looked = False, True
        if result is not None:
            await self._save(current, claimed, channel, (step, result))

    async def _save(
        self, current: _Current, claimed: ClaimedForward, channel: Forwards, done: tuple[str, StepResult]
    ) -> None:
        """The step's result; the next step begins with the same write."""
        step, result = done
        job = current.job._replace(step=None, results=current.job.results | {step: result.value})
        following = _next(channel.steps(claimed.forward, job.results), job.results)
        job = self._begun(job, following) if following else job
        await self.put(Progress(job, foreign=_foreign_report(claimed, channel, result)))
        current.job, current.looked = job, False

    def _begun(self, job: ClaimedJob, step: str) -> ClaimedJob:
        began = {step + BEGAN: self.now().isoformat()}
        return job._replace(step=step, results=job.results | began)

    def _call(self, claimed: ClaimedForward, job: ClaimedJob, step: str) -> ForwardCall:
        now = self.now()
        began = job.results.get(step + BEGAN)

        async def files() -> Sequence[ForwardedFile]:
            return await self.files(claimed.forward.attachments, claimed.job.created_at)

        return ForwardCall(claimed.forward, job.results, files, datetime.fromisoformat(began) if began else now, now)

    def _after(self, current: _Current, fault: PipelineError, channel: Forwards) -> Progress:
        """What a fault means for the job. While it is being looked up, the step stays in doubt."""
        now, job, looking = self.now(), current.job, current.looking
        after = getattr(fault, "after", None)
        soon = now + timedelta(seconds=LOOK_AGAIN if after is None else after)
        answer = fault.answer
        match fault:
            case NeedsPerson():
                ends = JobResult(job, "unknown", NEVER, NEEDS_PERSON, fault.reason)
            case AccountFault():
                ends = JobResult(job, "unknown" if looking else "waiting", now, fault.code, fault.detail or None)
            case Reject():
                ends = JobResult(job, "failed", None, fault.code, fault.detail or None)
            case Retry() if looking:
                ends = JobResult(job, "unknown", soon, "looking", fault.reason)
            case Unanswered():
                ends = JobResult(job, "unknown", now, "unanswered", fault.reason)
            case _:
                tried = max(0, job.attempts - job.results.get(WAITED, 0))
                due_at = _next_try(now, tried, after, channel.retry_delays)
                ends = JobResult(job, "waiting", due_at, "retry", getattr(fault, "reason", type(fault).__name__))
        return Progress(job, ends, answer=answer)

    def _given_up(self, progress: Progress, channel: Forwards) -> Progress:
        """As failed, where it has been tried for long enough."""
        job, ends, limit = progress.job, progress.ends, channel.gives_up_after
        age = self.now() - _wanted_since(job)
        if ends is None or ends.due_at in (None, NEVER) or limit is None or age.total_seconds() < limit:
            return progress
        return progress._replace(ends=ends._replace(state="failed", code=GAVE_UP))

    async def _stops_account(self, progress: Progress) -> bool:
        """Was it given up, and no other got through meanwhile? Else it alone is refused."""
        job, ends = progress.job, progress.ends
        given_up = ends is not None and ends.code == GAVE_UP
        return given_up and not await self.sent_since(job.account, _wanted_since(job))

    async def _end(
        self, job: ClaimedJob, state: JobState, due_at: datetime | None = None, code: str | None = None
    ) -> None:
        await self.put(Progress(job, JobResult(job, state, due_at, code)))


@dataclass(slots=True)
class _Current:
    """The job as it was stored last."""

    job: ClaimedJob
    looking: bool = False
    looked: bool = False
    """Its step surely was not done: it is begun again."""


def _wanted_since(job: ClaimedJob) -> datetime:
    """When it was queued, or a person last wanted it sent again."""
    said = (datetime.fromisoformat(job.results[key]) for key in (REPLAYED, AGAIN) if key in job.results)
    return max((job.created_at, *said))


def _next(steps: Sequence[str], results: Mapping[str, Any]) -> str | None:
    return next((step for step in steps if step not in results), None)


def _next_try(now: datetime, attempts: int, after: float | None, delays: Sequence[float]) -> datetime:
    if not delays:
        return next_attempt(now, attempts, after)
    return now + timedelta(seconds=max(after or 0.0, delays[min(attempts, len(delays) - 1)]))


def _foreign_report(claimed: ClaimedForward, channel: Forwards, result: StepResult) -> ForeignReport | None:
    job = claimed.job
    if result.native is None or job.complaint is None:
        return None
    follow = channel.follow_every is not None
    return ForeignReport(job.complaint, job.account, job.owner, channel.system, result.native, follow)
