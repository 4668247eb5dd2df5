"""The made-up channel that brings complaints into a registry, and looks what an office says about them there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from connectors import (
    Channel,
    ForwardCall,
    Forwards,
    Item,
    NeedsPerson,
    Part,
    PollResult,
    ProviderConnections,
    Request,
    StepResult,
)
from schemas import Actor, Forward, ForwardKind, Raw, Retry
from tests.simulation.channels import KINDS, LettersChannel
from tests.simulation.provider import Provider
from tests.simulation.registry import LATEST, Registry

SETTLES = LATEST + 5.0
"""Seconds after which a step that may have been done has been done, or never will be; clocks differ."""
OWNER = "32.73"
CREATE, HAND_ON, ADD = "create", "hand_on", "add"


class RegistryChannel(LettersChannel, Forwards):
    """Two steps bring a complaint there, one step what is said about it later."""

    kind = "registry"
    national = True
    takes: ClassVar[frozenset[ForwardKind]] = frozenset({"complaint", "supplement", "answer", "status"})
    forwards_at_once = 4

    def __init__(self, account: str, owner: str, registry: Registry) -> None:
        super().__init__(account, owner)
        self._registry = registry

    def read(self, part: Part, raw: Raw) -> Item:
        match part.payload:
            case {"answer": id, "of": native, "text": text, "at": at}:
                return self.action(
                    raw, id, what="answer", of={self.system: native}, text=text,
                    observed_at=datetime.fromisoformat(at), actor=Actor(kind="office", id="there"),
                )  # fmt: skip
        return super().read(part, raw)

    def steps(self, forward: Forward, results: Mapping[str, Any]) -> Sequence[str]:
        return (CREATE, HAND_ON) if forward.what == "complaint" else (ADD,)

    async def do_step(self, step: str, call: ForwardCall, outbound: ProviderConnections) -> StepResult:
        forward = call.forward
        if step == CREATE:
            return _created(await self._registry.create(forward.number))
        if step == HAND_ON:
            await self._registry.hand_on(forward.number, call.results[CREATE]["id"])
        else:
            await self._registry.add(forward.reference, forward.native or "")
        return StepResult()

    async def look_up(self, step: str, call: ForwardCall, outbound: ProviderConnections) -> StepResult | None:
        if not self._registry.askable:
            raise NeedsPerson("nothing tells what became of it")
        found = await self._found(step, call)
        left = SETTLES - (call.now - call.began_at).total_seconds()
        if found is None and left > 0:
            raise Retry("not there yet", after=min(left, 5.0))
        return found

    async def _found(self, step: str, call: ForwardCall) -> StepResult | None:
        if step == CREATE:
            native = await self._registry.number_of(call.forward.number)
            return _created(native) if native else None
        about = call.results[CREATE]["id"] if step == HAND_ON else call.forward.native
        return StepResult() if await self._registry.stands(step, call.forward.reference, about) else None

    @property
    def follow_every(self) -> float | None:
        return 5.0

    async def follow(self, native: str, cursor: str | None, outbound: ProviderConnections) -> PollResult:
        before = int(cursor or 0)
        items, reached = await self._registry.look(native, before)
        body = json.dumps({"items": items}).encode()
        return PollResult((Request(body=body),) if items else (), str(reached), reached > before)


def make_channels(
    kinds: Mapping[str, str], providers: Mapping[str, Provider], registry: Registry | None
) -> dict[str, Channel]:
    """By account, objects of a process's own."""
    channels: dict[str, Channel] = {a: KINDS[kind](a, OWNER, providers[a]) for a, kind in kinds.items()}
    if registry is not None:
        channels[registry.account] = RegistryChannel(registry.account, OWNER, registry)
    return channels


def _created(native: str) -> StepResult:
    return StepResult({"id": native}, native)
