"""Files of rows as commands open them: what cannot be read is a wrong call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO

from connectors._rows import NamedRow, UnreadableFile, name_rows, open_rows, read_rows, row_place
from hub.commands import print_message, printable
from hub.settings import UsageError


@contextmanager
def open_file(name: str) -> Iterator[BinaryIO]:
    """The file, or standard input for `-`. Raises UsageError."""
    with _as_wrong_call(), open_rows(name) as stream:
        yield stream


@contextmanager
def rows_of(name: str, columns: Mapping[str, str]) -> Iterator[Iterator[NamedRow]]:
    """The named rows of a file, by the `columns` of its account; what is odd about one that can be read is said. Raises
    UsageError."""
    with _as_wrong_call(), open_rows(name) as stream:
        yield _with_notes(name_rows(read_rows(name, stream, columns)))


def _with_notes(rows: Iterator[NamedRow]) -> Iterator[NamedRow]:
    for row in rows:
        if row.note:
            print_message(f"line {row_place(row)}: {row.note}")
        yield row


@contextmanager
def _as_wrong_call() -> Iterator[None]:
    try:
        yield
    except UnreadableFile as error:
        raise UsageError(printable(str(error))) from None
