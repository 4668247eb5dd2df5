"""Editions: accounts, rules and templates change while the hub runs, in every process within `EVERY` x 2 seconds.

People edit a file of the data folder. A process that sees its own file change checks it and publishes it as an edition
in the record; every process follows the newest edition. A wrong file is refused with one line in the log, and the old
edition stays. Files that a text names (secrets, manifests) are each machine's own: where one changes, the text is read
again. At its start a process publishes its file only if that was written after the newest edition: machines
with different files do not overwrite each other's editions in turn.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

from hub.settings import UsageError
from schemas import Retry
from sink.editions import edition_versions, latest_edition, latest_given, publish_edition
from sink.record import Record

T = TypeVar("T")
EVERY = 1.5
"""Seconds between two checks of the files and the record."""
SHIPPED = ""
"""Body of an edition that stands for what the program brings along."""
_Stamp = tuple[int, int] | None
"""When a file was written, and its size; None: there is none."""
_NEVER = (-1, -1)
"""The stamp of no file."""
log = logging.getLogger(__name__)


@dataclass(slots=True)
class LiveEdition(Generic[T]):
    """The newest edition that this process has seen; `version` 0 came with the program or the file."""

    value: T
    version: int = 0


class EditedFile(Generic[T]):
    """One kind of edition: its name, its file, how it is read (`parse` raises UsageError), what takes it (`apply`), and
    which files a text names (`named`). `published` is called by a process that published one, or read it again."""

    def __init__(
        self,
        name: str,
        path: Path,
        parse: Callable[[str], T],
        apply: Callable[[T, int], None],
        *,
        named: Callable[[str], Iterable[Path]] = lambda _: (),
        published: Callable[[Record, datetime], None] | None = None,
    ) -> None:
        self.name, self.path, self.parse, self.apply, self.published = name, path, parse, apply, published
        self.version, self.text = 0, ""
        self.last_text: str | None = None
        """The file's text that was published or refused last."""
        self.waiting: tuple[str, int | None] | None = None
        """A text that could not be read, and its edition (None: it is the file's). Its files may be there later."""
        self._named, self._named_stamps = named, dict[Path, _Stamp]()
        self._stamp: _Stamp = None

    def changed_text(self) -> str | None:
        """The file's text, where it changed since this was asked last. A file that is gone is the shipped edition; one
        that cannot be read is none."""
        stamp = _stamp(self.path)
        if stamp == self._stamp:
            return None
        self._stamp = stamp
        try:
            text = _text(self.path)
        except UsageError as error:
            log.error("%s; the old edition stays", error)
            return None
        if text == self.last_text:
            return None
        self.last_text = text
        return text

    def look_again(self) -> None:
        """Its text could not be published: the next look finds it changed."""
        self._stamp, self.last_text = _NEVER, None

    def written_at(self) -> datetime:
        """When the file was written; the beginning of time where there is none."""
        return datetime.fromtimestamp((_stamp(self.path) or (0, 0))[0] / 1e9, UTC)

    def named_stamps(self, text: str) -> Mapping[Path, _Stamp]:
        """The stamps of the files that it names; taken before it is read, so that no change after is missed."""
        return {path: _stamp(path) for path in self._named(text)}

    def take(self, text: str, version: int) -> None:
        """From now on this edition holds. Raises UsageError, and the text waits."""
        stamps = self.named_stamps(text)
        try:
            value = self.parse(text)
        except UsageError:
            self.wait(text, version, stamps)
            raise
        self.apply(value, version)
        self.version, self.text, self.waiting, self._named_stamps = version, text, None, dict(stamps)

    def wait(self, text: str, version: int | None, stamps: Mapping[Path, _Stamp]) -> None:
        """It could not be read, and is tried again when one of its files changes."""
        self.waiting = (text, version)
        self._named_stamps |= stamps

    def named_file_changed(self) -> bool:
        """Did a file change, since this was asked last, that the edition or the waiting text names?"""
        stamps = {path: _stamp(path) for path in self._named_stamps}
        changed, self._named_stamps = stamps != self._named_stamps, stamps
        return changed

    def look_at_named_again(self) -> None:
        """The next look finds those files changed."""
        self._named_stamps = dict.fromkeys(self._named_stamps, _NEVER)


class Editions:
    """What people edit, followed by this process. Without a `publisher` its own files count only for itself."""

    def __init__(
        self, edited: Sequence[EditedFile[Any]], *, publisher: str | None, now: Callable[[], datetime]
    ) -> None:
        self._edited = edited
        self._publisher = publisher
        self._now = now
        self._begun: set[str] = set()

    def begin(self, record: Record | None) -> None:
        """Take the newest editions, or the files where there is none yet; `record` None: the files. Raises UsageError
        where nothing can be taken."""
        for edited in self._edited:
            try:
                if record is not None:
                    self._begin(record, edited)
                    continue
            except Retry as fault:
                log.warning("%s: the record is unavailable (%s); %s is used", edited.name, fault.reason, edited.path)
            edited.take(_text(edited.path), 0)

    def step(self, record: Record) -> int:
        """Publish the files that changed, and take the editions that are new; returns how many were taken. Raises
        Retry."""
        for edited in self._edited:
            if edited.name not in self._begun:
                self._begin(record, edited)
            elif (text := edited.changed_text()) is not None:
                self._publish(record, edited, text)
            elif edited.named_file_changed():
                self._read_again(record, edited)
        versions = edition_versions(record)
        return sum(self._follow(record, e) for e in self._edited if versions.get(e.name, 0) > e.version)

    def _begin(self, record: Record, edited: EditedFile[Any]) -> None:
        newest, text = latest_edition(record, edited.name), edited.changed_text()
        self._begun.add(edited.name)
        if newest is None:
            edited.take(_text(edited.path) if text is None else text, 0)
            if text is not None:
                self._publish(record, edited, text)
        elif text is not None and text != newest.body and edited.written_at() > newest.published_at:
            with suppress(UsageError):  # the file is held against what it takes the place of
                edited.take(newest.body, newest.version)
            edited.version = newest.version
            if not self._publish(record, edited, text):
                edited.version = 0
        elif text is not None and text != newest.body:
            log.warning("%s is older than edition %d of %s, which is used: save it again to publish it",
                        edited.path, newest.version, edited.name)  # fmt: skip
        if newest is not None and edited.version < newest.version:
            self._first(edited, newest.body, newest.version)

    def _first(self, edited: EditedFile[Any], body: str, version: int) -> None:
        stamps = edited.named_stamps(body)
        try:
            edited.take(body, version)
        except UsageError as error:
            log.error("edition %d of %s cannot be used here: %s; %s is used", version, edited.name, error, edited.path)
            edited.take(_text(edited.path), version)
            edited.wait(body, version, stamps)

    def _publish(self, record: Record, edited: EditedFile[Any], text: str) -> bool:
        """False: it is refused."""
        gone = text == SHIPPED
        try:
            if gone and (given := latest_given(record, edited.name)):  # an import outlives the file that stood for it
                text = given.body
        except Retry:
            edited.look_again()
            raise
        stamps = edited.named_stamps(text)
        try:
            edited.parse(text)
        except UsageError as error:
            edited.wait(text, None, stamps)
            log.error("%s is refused, the old edition stays: %s", edited.path, error)
            return False
        if self._publisher is None:
            edited.take(text, edited.version)
            return True
        try:
            version = publish_edition(record, edited.name, text, self._publisher, self._now(), from_file=True)
            edited.take(text, version)
            if edited.published:
                edited.published(record, self._now())
        except Retry:
            edited.look_again()
            raise
        what = f"{edited.path} is gone: what was there without it" if gone else edited.path
        log.info("%s is edition %d of %s", what, version, edited.name)
        return True

    def _read_again(self, record: Record, edited: EditedFile[Any]) -> None:
        text, version = edited.waiting or (edited.text, edited.version)
        if version is None:
            self._publish(record, edited, text)
            return
        try:
            edited.take(text, version)
            if edited.published:
                edited.published(record, self._now())
        except UsageError as error:
            log.error("edition %d of %s cannot be read again, what was read stays: %s", version, edited.name, error)
            return
        except Retry:
            edited.look_at_named_again()
            raise
        log.info("edition %d of %s is read again: a file that it names changed", version, edited.name)

    def _follow(self, record: Record, edited: EditedFile[Any]) -> bool:
        newest = latest_edition(record, edited.name)
        if newest is None:
            return False
        try:
            edited.take(newest.body, newest.version)
        except UsageError as error:
            edited.version = newest.version  # logged once, it is not tried again
            log.error("edition %d of %s cannot be used here, the old one stays: %s", newest.version, edited.name, error)
            return False
        return True


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _text(path: Path) -> str:
    """Raises UsageError where it is there and cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return SHIPPED
    except UnicodeDecodeError:
        raise UsageError(f"{path} cannot be read: save it as UTF-8") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): check its rights") from None


def publisher_name() -> str:
    """This process, as an edition that it found in its file names it (`sink.editions.Edition.by`)."""
    return f"{os.uname().nodename}:{os.getpid()}"
