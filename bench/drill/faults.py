"""The faults, by name: each is inflicted, lasts, is healed, and returns."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from aiokafka.admin import AIOKafkaAdminClient

from bench.drill.stack import SESSION, STAGES, Stack

DOWN = (0.2, 3.0)
"""Seconds from a death to the new start, at random."""
TAKEN_OVER = 16.0
"""Seconds after which the accounts of a process that stands still have another holder."""


class Scene(NamedTuple):
    """What a fault works on; `pause` waits so many seconds, `say` logs a line."""

    stack: Stack
    random: random.Random
    pause: Callable[[float], None]
    clock: Path
    """The file that libfaketime reads."""
    say: Callable[[str], None]

    def a_moment(self) -> None:
        self.pause(self.random.uniform(*DOWN))


Fault = Callable[[Scene], None]


def killed(*names: str) -> Fault:
    """SIGKILL of one of these members."""

    def fault(scene: Scene) -> None:
        member = scene.stack.members[scene.random.choice(names)]
        scene.say(f"  {member.name} killed")
        member.kill()
        scene.a_moment()
        member.start()
        if member.name == "door":  # else the next kill meets an ingress that takes nothing yet
            scene.stack.wait_for_door()

    return _named(f"{'|'.join(names)} killed", fault)


def broker_killed(scene: Scene) -> None:
    _broker_away(scene, scene.random.choice(scene.stack.kafka.nodes), scene.random.uniform(*DOWN))


def database_killed(scene: Scene) -> None:
    scene.say("  database killed")
    scene.stack.postgres.kill()
    scene.a_moment()
    scene.stack.postgres.start()


def any_killed(scene: Scene) -> None:
    """One of all that can be killed; now and then two at once."""
    kinds = [*(killed(name) for name in scene.stack.members), broker_killed, database_killed]
    for fault in scene.random.sample(kinds, scene.random.choice((1, 1, 1, 2))):
        fault(scene)


def broker_away(seconds: float) -> Fault:
    """All nodes."""

    def fault(scene: Scene) -> None:
        scene.stack.kafka.kill()
        scene.pause(seconds)
        scene.stack.kafka.start()

    return _named(f"broker away for {seconds} s", fault)


def killed_in_drain(seconds: float) -> Fault:
    """All nodes away; the door is killed while it drains what it spooled."""

    def fault(scene: Scene) -> None:
        broker_away(seconds)(scene)
        scene.pause(scene.random.uniform(0.3, 1.5))
        killed("door")(scene)

    return _named(f"broker away for {seconds} s, door killed in the drain", fault)


def leader_lost(seconds: float) -> Fault:
    """The node that leads most of the topic `raw`."""

    def fault(scene: Scene) -> None:
        _broker_away(scene, asyncio.run(leader(scene.stack.kafka.servers)), seconds)

    return _named(f"leader lost for {seconds} s", fault)


def database_restarted(scene: Scene) -> None:
    scene.stack.postgres.stop()
    scene.a_moment()
    scene.stack.postgres.start()


def database_away(seconds: float) -> Fault:
    def fault(scene: Scene) -> None:
        scene.stack.postgres.stop()
        scene.pause(seconds)
        scene.stack.postgres.start()

    return _named(f"database away for {seconds} s", fault)


def zombie(scene: Scene) -> None:
    """A stage stands still for longer than its session, others take its work, and it comes back in mid-batch."""
    _stands_still(scene, scene.random.choice([name for name in STAGES if name != "accounts"]), SESSION)


def lease_lost(scene: Scene) -> None:
    """The holder of leases stands still until another process has its accounts, and comes back with sends begun."""
    _stands_still(scene, "accounts", TAKEN_OVER)


def _stands_still(scene: Scene, name: str, seconds: float) -> None:
    member = scene.stack.members[name]
    scene.say(f"  {name} stands still")
    member.pause()
    try:
        scene.pause(seconds + scene.random.uniform(1.0, 4.0))
    finally:
        member.resume()
    scene.pause(2.0)


def power_cut(scene: Scene) -> None:
    """Everything of ours at once; services come back first."""
    stack = scene.stack
    for member in stack.members.values():
        member.kill()
    stack.postgres.kill()
    if stack.kafka:
        stack.kafka.kill()
    scene.a_moment()
    if stack.kafka:
        stack.kafka.start()
    stack.postgres.start()
    for member in stack.members.values():
        member.start()


def clock_stepped(scene: Scene) -> None:
    """The clock of all members: 90 s ahead, 90 s behind (a door that starts then has to go on from the last one's
    time), right again."""
    for offset in ("+90", "-90", "+0"):
        scene.clock.write_text(f"{offset}\n")
        scene.pause(10.0)
        if offset == "-90":
            killed("door")(scene)
            scene.pause(8.0)


def _named(name: str, fault: Fault) -> Fault:
    fault.__name__ = name
    return fault


def _broker_away(scene: Scene, node: int, seconds: float) -> None:
    scene.say(f"  node {node} killed")
    scene.stack.kafka.kill(node)
    scene.pause(seconds)
    scene.stack.kafka.start(node)


async def leader(servers: str) -> int:
    """The node that leads most partitions of `raw`."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        names = [name for name in await admin.list_topics() if name.rpartition(".")[2] == "raw"]
        led = [p["leader"] for topic in await admin.describe_topics(names) for p in topic["partitions"]]
        return Counter(led).most_common(1)[0][0]
    finally:
        await admin.close()


class Round(NamedTuple):
    """One row of the table: these faults so often each, then the checks."""

    name: str
    what: str
    faults: Sequence[tuple[Fault, int]]
    under_faketime: bool = False

    @property
    def times(self) -> int:
        return sum(times for _, times in self.faults)


def long_form() -> list[Round]:
    """200 kills, and what else the issue names."""
    kills = [
        Round(f"{name} killed", f"SIGKILL of the process of {name}", [(killed(name), times)])
        for name, times in (("door", 25), *((stage, 16) for stage in STAGES), ("worker", 10))
    ]
    return [
        *kills,
        Round("a broker killed", "SIGKILL of one node, back after 0.2 to 3 s", [(broker_killed, 15)]),
        Round("database killed", "SIGKILL of PostgreSQL and its children", [(database_killed, 15)]),
        Round("anything killed", "any of those, now and then two at once", [(any_killed, 55)]),
        Round("broker away", "all nodes killed, back after 120 s", [(broker_away(120), 1)]),
        Round("door killed in the drain", "all nodes away for 20 s, the door killed while the spool drains",
              [(killed_in_drain(20), 3)]),
        Round("leader lost", "the node that leads most of `raw` away for 20 s", [(leader_lost(20), 4)]),
        Round("database restarted", "fast shutdown and start", [(database_restarted, 3)]),
        Round("database away", "stopped for 60 s", [(database_away(60), 1)]),
        Round("zombie", "SIGSTOP of a stage for longer than its session of 6 s, then SIGCONT", [(zombie, 6)]),
        Round("lease lost", "SIGSTOP of accounts until its leases are another's, then SIGCONT", [(lease_lost, 3)]),
        Round("clock stepped", "90 s ahead, 90 s behind and the door killed, right (libfaketime)", [(clock_stepped, 3)],
              under_faketime=True),
        Round("power cut", "everything killed at once", [(power_cut, 3)]),
    ]  # fmt: skip


def short_form() -> list[Round]:
    """Ten kills on one node, an outage of 10 s with a kill in the drain, a zombie, a lost lease; the checks once."""
    kills = [(killed(name), 1) for name in ("door", *STAGES, "worker")]
    kills += [(broker_killed, 1), (database_killed, 1)]
    what = "10 kills, broker away for 10 s and the door killed in the drain, a zombie, a lost lease"
    return [Round("short form", what, [*kills, (killed_in_drain(10), 1), (zombie, 1), (lease_lost, 1)])]


def without_broker(rounds: Sequence[Round]) -> list[Round]:
    """For trials on the embedded bus."""
    return [r._replace(faults=[(fault, times) for fault, times in r.faults if not _of_broker(fault)]) for r in rounds]


def _of_broker(fault: Fault) -> bool:
    return fault is any_killed or any(word in fault.__name__ for word in ("broker", "leader"))
