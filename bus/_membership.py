"""The processes that share a log, and the subscriptions in them: who lives, and how to wake them.

Beside the log stands a folder `.members`; each process (each open bus) keeps in it

    ID.alive             locked as long as it lives; inside, when it last went round (time.monotonic)
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
"""Seconds after which a process that does not go round is taken for dead."""
NEWS, MEMBERS = b"n", b"m"
"""What a datagram says: there are new events; somebody came or went."""

_SOCKET_PATH = 100
"""Characters of a Unix socket's path at most (108 with the ending, fewer elsewhere)."""


class Neighbours:
    """Our own entry in the folder, and what the others' say. `heard` is called with what the datagrams said."""

    def __init__(self, log: Path, heard: Callable[[set[bytes]], None]) -> None:
        self.id = f"{os.getpid():x}-{secrets.token_hex(4)}"
        self._folder = Path(f"{log}.members")
        self._heard = heard
        self._count = 0
        self._members: dict[tuple[str, str], list[str]] = {}
        self._listeners: dict[str, set[str]] = {}

    def __enter__(self) -> Neighbours:
        with ExitStack() as stack:
            try:
                self._move_in(stack)
            except OSError as error:
                raise UnusableLog(f"the folder {self._folder.name} cannot be used: {error.strerror}") from error
            self._open = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _move_in(self, stack: ExitStack) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._handle = os.open(self._folder, os.O_RDONLY)
        stack.callback(os.close, self._handle)
        self._alive = self._enter(stack)
        self._socket = self._listen(stack)
        self.look()

    def _enter(self, stack: ExitStack) -> int:
        fresh, name = self._folder / f"{self.id}.new", self._folder / f"{self.id}.alive"
        alive = os.open(fresh, os.O_RDWR | os.O_CREAT, 0o600)
        stack.callback(os.close, alive)
        fcntl.flock(alive, fcntl.LOCK_EX)
        self._alive = alive
        self.beat()
        fresh.rename(name)  # seen only once it is locked
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
        said = set()
        with suppress(OSError):
            while True:
                said.add(self._socket.recv(8))
        if MEMBERS in said:
            self.look()
        self._heard(said)

    def beat(self) -> None:
        """Say that we go round."""
        with suppress(OSError):
            os.pwrite(self._alive, b"%020.6f" % time.monotonic(), 0)

    def arrive(self, topic: str, group: str) -> str:
        """A new subscription of ours; its name."""
        self._count += 1
        member = f"{self.id},{self._count}"
        self._entry(member, topic, group).touch(mode=0o600)
        self.changed()
        return member

    def leave(self, member: str, topic: str, group: str) -> None:
        """That subscription of ours is gone: what it holds is free."""
        self._entry(member, topic, group).unlink(missing_ok=True)
        self.changed()

    def _entry(self, member: str, topic: str, group: str) -> Path:
        return self._folder / f"{member},{quote(group, safe='')},{quote(topic, safe='')}"

    def members(self, topic: str, group: str) -> Sequence[str]:
        """The subscriptions of the group to the topic in all living processes."""
        return self._members.get((topic, group), ())

    def changed(self) -> None:
        """Something about the members is new: tell everybody."""
        self.look()
        self._send(MEMBERS, self._listeners)

    def tell(self, topics: Iterable[str]) -> None:
        """There are new events on these topics: tell those who read them."""
        wanted = set(topics)
        self._send(NEWS, [process for process, reads in self._listeners.items() if reads & wanted])

    def _send(self, what: bytes, processes: Iterable[str]) -> None:
        for process in processes:
            with suppress(OSError):  # gone, or so many datagrams behind that it will look anyway
                self._socket.sendto(what, self._address(process))

    def look(self) -> bool:
        """Read the folder again, clean up behind the dead; whether the members have changed."""
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
            self._bury(process, names)
            return False
        finally:
            os.close(file)

    def _bury(self, process: str, names: Iterable[str]) -> None:
        mine = [name for name in names if name.startswith((f"{process},", f"{process}.sock"))]
        for name in (*mine, f"{process}.alive"):  # the lock's own file last: whoever finds it goes on
            (self._folder / name).unlink(missing_ok=True)
