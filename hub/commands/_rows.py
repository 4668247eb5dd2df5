"""Files of rows as commands open them: what cannot be read is a wrong call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from connectors._rows import NamedRow, UnreadableFile, name_rows, open_rows, read_rows
from hub.settings import WrongCall


@contextmanager
def open_file(name: str) -> Iterator[BinaryIO]:
    """The file, or standard input for `-`. Raises WrongCall."""
    with _as_wrong_call(), open_rows(name) as stream:
        yield stream


@contextmanager
def rows_of(name: str) -> Iterator[Iterator[NamedRow]]:
    """The named rows of a file. Raises WrongCall."""
    with _as_wrong_call(), open_rows(name) as stream:
        yield name_rows(read_rows(name, stream))


@contextmanager
def _as_wrong_call() -> Iterator[None]:
    try:
        yield
    except UnreadableFile as error:
        raise WrongCall(str(error)) from None
