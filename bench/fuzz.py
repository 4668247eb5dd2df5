"""Every channel's parse on inputs made of its recording, damaged at random: nothing but items and Rejects comes out.

    python -m bench.fuzz [KIND…] [--inputs 100000] [--seed 1]

A kind is a recorded one, or an SMS gateway by field mapping, as `sms/twilio`. Half of the damage is to values (another
value of the recording, or a hostile one, anywhere), half to bytes. It ends with 1 at the first fault of a channel, and
prints the input. All recorded kinds with 100,000 inputs each are over a million.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, NamedTuple

from msgspec.structs import replace

from connectors import Request, group_parts, kinds
from schemas import Reject
from tests.channels.recording import FILES, cases, channel, raw, read
from tests.channels.sms_gateways import MESSAGES, REPORTS

HOSTILE: Sequence[Any] = (
    None, True, 0, -1, 1 << 62, 1 << 70, 1e308, float("nan"), "", "\ud83d", "\x00", "null", "-", [], {}, [[]], [None],
    "a" * 3000, "٣", "9" * 400,
)  # fmt: skip
"""Values that a provider never sends, until it does."""
BYTES = (b"\x00", b"\xff\xfe", b"\r\n\r\n", b"=?utf-8?B?", b"%00", b"&", b"[" * 300, b'{"a":' * 300, b"\xed\xa0\xbd")
BYTEWISE = 0.5


class Target(NamedTuple):
    """A channel, and requests that make sense to it."""

    name: str
    door: Any
    requests: Sequence[Request]


def targets() -> dict[str, Target]:
    """By name: every recorded kind, and the mapped gateways."""
    recorded = [kind for kind in kinds() if kind in FILES and cases(kind)]
    found = [Target(kind, channel(kind), [case.request for case in cases(kind)]) for kind in recorded]
    brought = [(settings, request) for settings, request, _ in [*MESSAGES.values(), *REPORTS.values()]]
    for gateway, settings in {settings["gateway"]: settings for settings, _ in brought}.items():
        requests = [request for of, request in brought if of["gateway"] == gateway]
        found.append(Target(f"sms/{gateway}", channel("sms", **settings), requests))
    return {target.name: target for target in found}


class Damage:
    """Damages the requests of one target."""

    def __init__(self, target: Target, seed: int) -> None:
        self._random = Random(f"{target.name} {seed}")
        self._requests = target.requests
        self._values = [json.loads(r.body) for r in self._requests if r.body[:1] in {b"{", b"["}]
        self._pool = [value for one in self._values for value in _within(one)]

    def request(self) -> Request:
        """One more."""
        chosen = self._random.choice(self._requests)
        if not self._values or self._random.random() < BYTEWISE:
            query = self._bytes(chosen.query.encode()).decode("utf-8", "replace")
            return replace(chosen, body=self._bytes(chosen.body), query=query)
        value = self._random.choice(self._values)
        for _ in range(self._random.randint(1, 4)):
            value = self._value(value)
        return replace(chosen, body=json.dumps(value).encode())

    def _value(self, value: Any) -> Any:
        if not isinstance(value, dict | list) or not value or self._random.random() < 0.1:
            return self._random.choice(self._pool if self._random.random() < 0.6 else HOSTILE)
        at = self._random.choice(list(value) if isinstance(value, dict) else range(len(value)))
        within = self._value(value[at])
        if isinstance(value, dict):
            return {**value, at: within}
        return [*value[:at], within, *value[at + 1 :]]

    def _bytes(self, body: bytes) -> bytes:
        damaged = bytearray(body)
        for _ in range(self._random.randint(0, 6)):
            at = self._random.randint(0, len(damaged))
            match self._random.randrange(4):
                case 0:
                    damaged[at : at + 1] = self._random.randbytes(1)
                case 1:
                    damaged[at:at] = self._random.choice(BYTES)
                case 2:
                    del damaged[at : at + self._random.randint(1, 40)]
                case _:
                    damaged[at:at] = damaged[at : at + self._random.randint(1, 200)]
        return bytes(damaged)


def _within(value: Any) -> Iterator[Any]:
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _within(inner)


def fuzz(target: Target, inputs: int, seed: int) -> tuple[int, int]:
    """Items and Rejects among them. Raises AssertionError with the input that showed a fault."""
    damage, door, items, rejects = Damage(target, seed), target.door, 0, 0
    for _ in range(inputs):
        request = damage.request()
        group_parts(door, request)
        for item in read(door, raw(door.kind, request)):
            items += 1
            if isinstance(item, Reject):
                rejects += 1
                assert item.code != "channel_bug", f"{item.detail}: {request.query[:500]} {request.body[:2000]!r}"
    return items, rejects


def main() -> None:
    """Print a line for each kind."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", nargs="*", help="[every recorded kind, and sms/GATEWAY]")
    parser.add_argument("--inputs", type=int, default=100_000, help="for each kind [100000]")
    parser.add_argument("--seed", type=int, default=1, help="[1]")
    chosen = parser.parse_args()
    known = targets()
    for kind in chosen.kind or known:
        began = time.monotonic()
        try:
            items, rejects = fuzz(known[kind], chosen.inputs, chosen.seed)
        except Exception as fault:
            sys.exit(f"{kind}: {type(fault).__name__}: {fault}")
        seconds = time.monotonic() - began
        print(f"{kind:12} {chosen.inputs:9,} inputs {items:9,} items {rejects:9,} Rejects {seconds:6.0f} s", flush=True)


if __name__ == "__main__":
    main()
