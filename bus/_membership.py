"""The processes that share a log, with their subscriptions (members of consumer groups): which live, how to wake them.

Beside the log stands a folder `.members`; each process (each open bus) keeps in it

    ID.alive             locked as long as it lives; inside, its last heartbeat (time.monotonic)
    ID.sock              its Unix socket: a datagram there says "look again"
    ID,N,GROUP,TOPIC     one of its subscriptions

The kernel frees the lock of a killed process at once; a process that hangs is taken for dead after TTL. Nothing here
needs the database, so that an idle process writes nothing to it, and a full disk keeps nobody from leaving.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import quote, unquote

from bus._file import UnusableLog

TTL = 10.0
"""Seconds without a heartbeat after which a process is taken for dead."""
NEWS, MEMBERS = b"n", b"m"
"""Datagrams: there are new events; a subscription came or went."""

_SOCKET_PATH = 100
"""Characters of a Unix socket's path at most (108 with the ending, fewer elsewhere)."""


class Membership:
    """This process's entry in the folder, and its view of the others. `received` is called with the datagrams."""

    def __init__(self, log: Path, received: Callable[[set[bytes]], None]) -> None:
        self.id = f"{os.getpid():x}-{secrets.token_hex(4)}"
        self._folder = Path(f"{log}.members")
        self._received = received
        self._count = 0
        self._members: dict[tuple[str, str], list[str]] = {}
        self._listeners: dict[str, set[str]] = {}

    def __enter__(self) -> Membership:
        with ExitStack() as stack:
            try:
                self._register(stack)
            except OSError as error:
                raise UnusableLog(f"the folder {self._folder.name} cannot be used: {error.strerror}") from error
            self._open = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _register(self, stack: ExitStack) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._handle = os.open(self._folder, os.O_RDONLY)
        stack.callback(os.close, self._handle)
        self._alive = self._lock(stack)
        self._socket = self._listen(stack)
        self.refresh()

    def _lock(self, stack: ExitStack) -> int:
        new, name = self._folder / f"{self.id}.new", self._folder / f"{self.id}.alive"
        alive = os.open(new, os.O_RDWR | os.O_CREAT, 0o600)
        stack.callback(os.close, alive)
        fcntl.flock(alive, fcntl.LOCK_EX)
        self._alive = alive
        self.heartbeat()
        new.rename(name)  # visible only once it is locked
        stack.callback(name.unlink, missing_ok=True)
        return alive

    def _listen(self, stack: ExitStack) -> socket.socket:
        name = self._folder / f"{self.id}.sock"
        listening = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        listening.setblocking(False)
        listening.bind(self._address(self.id))
        stack.callback(name.unlink, missing_ok=True)
        loop = asyncio.get_running_loop()
        loop.add_reader(listening, self._receive)
        stack.callback(loop.remove_reader, listening)
        return listening

    def _address(self, process: str) -> str:
        path = str(self._folder / f"{process}.sock")
        return path if len(path) < _SOCKET_PATH else f"/proc/self/fd/{self._handle}/{process}.sock"

    def _receive(self) -> None:
        datagrams = set()
        with suppress(OSError):
            while True:
                datagrams.add(self._socket.recv(8))
        if MEMBERS in datagrams:
            self.refresh()
        self._received(datagrams)

    def heartbeat(self) -> None:
        """Show that this process is alive."""
        with suppress(OSError):
            os.pwrite(self._alive, b"%020.6f" % time.monotonic(), 0)

    def add(self, topic: str, group: str) -> str:
        """Register a subscription of this process; its name."""
        self._count += 1
        member = f"{self.id},{self._count}"
        self._entry(member, topic, group).touch(mode=0o600)
        self.announce()
        return member

    def remove(self, member: str, topic: str, group: str) -> None:
        """That subscription is gone: its partitions are free."""
        self._entry(member, topic, group).unlink(missing_ok=True)
        self.announce()

    def _entry(self, member: str, topic: str, group: str) -> Path:
        return self._folder / f"{member},{quote(group, safe='')},{quote(topic, safe='')}"

    def members(self, topic: str, group: str) -> Sequence[str]:
        """The living subscriptions of the group to the topic, in all processes."""
        return self._members.get((topic, group), ())

    def in_use(self, group: str) -> bool:
        """Does a living subscription read for the group, on any topic?"""
        self.refresh()
        return any(name == group for _, name in self._members)

    def announce(self) -> None:
        """A subscription came or went: tell every process."""
        self.refresh()
        self._send(MEMBERS, self._listeners)

    def notify(self, topics: Iterable[str]) -> None:
        """There are new events on these topics: tell the processes that read them."""
        wanted = set(topics)
        self._send(NEWS, [process for process, reads in self._listeners.items() if reads & wanted])

    def _send(self, what: bytes, processes: Iterable[str]) -> None:
        for process in processes:
            with suppress(OSError):  # gone, or its queue is full, so that it will look anyway
                self._socket.sendto(what, self._address(process))

    def refresh(self) -> bool:
        """Read the folder again, remove the entries of dead processes; whether the members have changed."""
        before = self._members
        names = sorted(entry.name for entry in self._folder.iterdir())
        living = {name[:-6] for name in names if name.endswith(".alive") and self._lives(name[:-6], names)}
        self._members, self._listeners = {}, {process: set() for process in living - {self.id}}
        for name in names:
            process, _, rest = name.partition(",")
            if rest and process in living:
                number, group, topic = rest.split(",")
                member, reads = f"{process},{number}", (unquote(topic), unquote(group))
                self._members.setdefault(reads, []).append(member)
                self._listeners.get(process, set()).add(reads[0])
        return self._members != before

    def _lives(self, process: str, names: Iterable[str]) -> bool:
        if process == self.id:
            return True
        try:
            file = os.open(self._folder / f"{process}.alive", os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return time.monotonic() - float(os.pread(file, 20, 0) or b"0") < TTL
        else:
            self._remove_dead(process, names)
            return False
        finally:
            os.close(file)

    def _remove_dead(self, process: str, names: Iterable[str]) -> None:
        mine = [name for name in names if name.startswith((f"{process},", f"{process}.sock"))]
        for name in (*mine, f"{process}.alive"):  # the lock's file last: while it is there, another process cleans up
            (self._folder / name).unlink(missing_ok=True)
