"""Raws for longer than the bus retains them: compressed files by UTC day, with checksums, that a replay reads again.

    archive/2025-07-01.UUID.jsonl.gz    one file a day (of `received_at`) and writer, a Raw as JSON a line
    archive/SHA256SUMS                  the checksum of every closed file, as `sha256sum -c` reads it

`append` writes one gzip member and syncs it, so a crash tears the last member at most. A writer locks its open file; a
file without a lock and without a checksum was left by a crash, and the next writer closes it. A body that lies with
the blobs stays there.
"""

from __future__ import annotations

import heapq
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Self

from uuid_utils import uuid7

from schemas import Raw, Reject, Retry, decode, encode
from sink.archive_files import ArchiveSegment, Checksums
from sink.archive_members import OnDamage, read_members

OPEN_DAYS = 8
"""Files that a writer holds open, for raws that come in late."""
_SUFFIX = ".jsonl.gz"
_log = logging.getLogger(__name__)


def _warn(damage: str) -> None:
    _log.warning("archive: %s", damage)


class Archive:
    """A folder of archived raws. Several processes may append to it and read it at the same time; one object may be
    used from several threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._checksums = Checksums(folder)
        self._open: dict[str, ArchiveSegment] = {}
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, raws: Iterable[Raw]) -> None:
        """Store the raws; they are durable on return. A Raw may be appended again: `read` gives it once. Raises Retry
        where the disk refuses."""
        days: dict[str, list[bytes]] = defaultdict(list)
        for raw in raws:
            days[_day(raw.received_at)].append(encode(raw))
        with self._lock, _disk_faults():
            for day, lines in sorted(days.items()):
                self._segment(day).append(b"".join(line + b"\n" for line in lines))

    def close(self) -> None:
        """Close the open files, each with its checksum. Raises Retry."""
        with self._lock, _disk_faults():
            for day in list(self._open):
                self._close(day)

    def read(self, since: datetime, until: datetime | None = None, *, on_damage: OnDamage = _warn) -> Iterator[Raw]:
        """Raws received in [since, until), each once, day by day and in the order of `received_at` across writers; raws
        of one writer stay in its order. What can be read of a damaged file is read; `on_damage` gets its name and the
        fault. A member torn by a crash was never confirmed and is skipped."""
        checksums = self._checksums.load()
        for _, files in sorted(self._by_day(since, until).items()):
            streams = [self._raws(file, checksums.get(file.name), on_damage) for file in files]
            seen: set[str] = set()
            for raw in heapq.merge(*streams, key=lambda raw: (raw.received_at, raw.id)):
                if raw.id not in seen and since <= raw.received_at and (until is None or raw.received_at < until):
                    seen.add(raw.id)
                    yield raw

    def prune(self, days: int, now: datetime) -> list[str]:
        """Close the open files of days before yesterday, and delete those of days that ended more than `days` days ago;
        returns their names. Raises Retry."""
        last = _day(now - timedelta(days=days))
        old = [file for file in self._files() if file.name < last]
        with self._lock, _disk_faults():
            for day in [day for day in self._open if day < _day(now - timedelta(days=1))]:
                self._close(day)
            for file in old:
                file.unlink(missing_ok=True)
            if old:
                self._checksums.forget({file.name for file in old})
        return [file.name for file in old]

    def _segment(self, day: str) -> ArchiveSegment:
        segment = self._open.get(day)
        if segment is not None and segment.usable:
            return segment
        if segment is not None:
            self._close(day)
        self._close_abandoned()
        while len(self._open) >= OPEN_DAYS:
            self._close(min(self._open))
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        segment = self._open[day] = ArchiveSegment.create(self.folder / f"{day}.{uuid7().hex}{_SUFFIX}")
        return segment

    def _close(self, day: str) -> None:
        with self._open.pop(day) as segment:
            self._checksums.add(segment.path)

    def _close_abandoned(self) -> None:
        closed = self._checksums.load()
        for file in self._files():
            if file.name not in closed and (segment := ArchiveSegment.adopt(file)) is not None:
                with segment:
                    self._checksums.add(file)

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob(f"*{_SUFFIX}"))

    def _by_day(self, since: datetime, until: datetime | None) -> dict[str, list[Path]]:
        first, last = _day(since), _day(until) if until else "9999-12-31"
        days: dict[str, list[Path]] = defaultdict(list)
        for file in self._files():
            day = file.name.partition(".")[0]
            if first <= day <= last:
                days[day].append(file)
        return days

    @staticmethod
    def _raws(file: Path, checksum: str | None, on_damage: OnDamage) -> Iterator[Raw]:
        for member in read_members(file, checksum, on_damage):
            for line in member.splitlines():
                try:
                    raw = decode(Raw.topic, line)
                except Reject as reject:
                    on_damage(f"{file.name} holds a line that this release does not read: {reject}")
                    continue
                assert isinstance(raw, Raw)
                yield raw


def _day(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()


@contextmanager
def _disk_faults() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Retry(f"the archive: {error.strerror}") from error
