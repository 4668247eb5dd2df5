"""The log of a seed: every line is remembered, to be searched for what is personal."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class _Remembers(logging.Handler):
    def __init__(self, lines: list[str], say: Callable[[str], None]) -> None:
        super().__init__()
        self._lines, self._say = lines, say

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        if record.exc_info:
            line += f" {record.exc_info[1]!r}"
        self._lines.append(line)
        self._say(f"log: {line}")


@contextmanager
def remembered(lines: list[str], say: Callable[[str], None]) -> Iterator[None]:
    """Whatever is logged meanwhile goes to `lines` and nowhere else; `say` is told of it."""
    root = logging.getLogger()
    before, level = root.handlers, root.level
    root.handlers = [_Remembers(lines, say)]
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.handlers = before
        root.setLevel(level)
