"""The ability `Forwards`: bringing complaints, and what is said about them later, into another system.

A forward is done in named steps (`steps`). The hub persists the result of each before the next begins, in any process:
a finished step is never repeated. `do_step` raises

* `Retry`: the step was surely not done; it is tried again later;
* `Unanswered`: it may have been done: `look_up` finds out before anything is repeated;
* `AccountFault`: all forwards of the account wait until somebody mends it;
* `Reject`: this step can never be done; a person sees it, with the reason.

`steps` and `wants` are pure. Neither `do_step` nor `look_up` remembers anything between two calls.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

from connectors._port import Channel, PollResult, ProviderConnections
from schemas import Forward, ForwardKind, PipelineError, Status


class NeedsPerson(PipelineError):  # noqa: N818 - it says what to do, as Retry does
    """Nothing tells whether the step was done: it waits until a person says so. The reason is for that person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ForwardedFile(NamedTuple):
    """A file of the citizen."""

    name: str
    media_type: str
    body: bytes


class StepResult(NamedTuple):
    """What a step gave."""

    value: Any = None
    """JSON, for the later steps."""
    native: str | None = None
    """The other system's id of the complaint, once the step makes it known: it is stored with our complaint, in the
    transaction that stores this result."""


@dataclass(frozen=True, slots=True)
class ForwardCall:
    """A forward in hand."""

    forward: Forward
    results: Mapping[str, Any]
    """The values of the finished steps, by name."""
    files: Callable[[], Awaitable[Sequence[ForwardedFile]]]
    """Its files, as far as they may leave and could be fetched. Raises Retry where they are still being fetched."""
    began_at: datetime
    """When the step was begun first; `look_up` reads from it how long the step may still be under way."""
    now: datetime


class Forwards(Channel):
    """Brings complaints into another system. Only the process that holds the account's lease for it does so."""

    takes: ClassVar[frozenset[ForwardKind]] = frozenset({"complaint"})
    """What this kind can be told."""
    forwards_at_once: ClassVar[int] = 16
    """Forwards of one account in flight at the same time; those of one complaint go one after the other."""
    national: ClassVar[bool] = False
    """The national record: every complaint that it wants must stand in it once, which is counted and alarmed."""

    gives_up_after: ClassVar[float | None] = None
    """Seconds after which a forward that did not get through has failed, and the account is switched off until somebody
    mends it; None: it is tried for ever."""
    retry_delays: ClassVar[Sequence[float]] = ()
    """Seconds from each try to the next where the other system names none; empty: a growing backoff."""
    knows_our_number: ClassVar[bool] = False
    """What is said of a complaint names it by our number, so it goes there also where the complaint was refused."""
    tells_only_closed: ClassVar[bool] = False
    """`status_of` tells open from closed, and no more."""
    replayable: ClassVar[bool] = False
    """What has left is kept, sealed, so that it can be sent again: the other system knows a repeated one by its id."""

    @property
    def system(self) -> str:
        """Its name in `external_ids` of a complaint: the account's own, where the kind has none ("sp4n")."""
        return self.account

    @property
    def projection(self) -> str:
        """Name of the list of fields that may leave (`sink/disclosure.toml`); one that is not there is `default`."""
        return self.kind

    @property
    def withholds(self) -> frozenset[str]:
        """Fields that this account's settings keep from leaving, beside those of the projection of its kind."""
        return frozenset()

    def wants(self, forward: Forward) -> bool:
        """Does a forward of these facts (region, offices, owner) go there? `forward` has all its fields; what leaves
        is decided after."""
        return True

    def pause(self, now: datetime) -> float:
        """Seconds until the account's own window opens; 0: it is open."""
        return 0.0

    @abstractmethod
    def steps(self, forward: Forward, results: Mapping[str, Any]) -> Sequence[str]:
        """The names of the steps in order, the finished ones included."""

    @abstractmethod
    async def do_step(self, step: str, call: ForwardCall, outbound: ProviderConnections) -> StepResult:
        """Do the step. Any other exception than those above is a bug; the step may have been done."""

    @abstractmethod
    async def look_up(self, step: str, call: ForwardCall, outbound: ProviderConnections) -> StepResult | None:
        """The result of a step that may have been done; None: it surely was not, and is done again. Raises Retry where
        it is too early to tell, NeedsPerson where nothing tells, AccountFault."""

    @property
    def follow_every(self) -> float | None:
        """Seconds between two polls of a complaint that stands there and is open; None: it is not followed."""
        return None

    async def follow(self, native: str, cursor: str | None, outbound: ProviderConnections) -> PollResult:
        """What is new there about one complaint, as requests for this account's own `parts` and `read`; `cursor` is
        that of the last poll of it. Raises Retry, AccountFault, or Reject where it does not stand there any more."""
        return PollResult(cursor=cursor)

    async def status_of(self, native: str, outbound: ProviderConnections) -> Status | None:
        """The status there, in our words, for the reconciliation; None: it does not stand there. Raises as `follow`,
        and NotImplementedError where it cannot be asked."""
        raise NotImplementedError

    async def find(self, number: str, outbound: ProviderConnections) -> Sequence[str] | None:
        """Its ids of the complaints that hold our number; None: it cannot be asked. Raises Retry, AccountFault."""
        return None

    async def institutions(self, outbound: ProviderConnections) -> Sequence[Mapping[str, Any]] | None:
        """Its list of offices, each with `id` and `name`, for the registry; None: it has none. Raises as `follow`."""
        return None
