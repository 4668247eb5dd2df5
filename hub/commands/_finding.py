"""One line of `doctor`."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """What was checked, what was found, and what to do."""

    what: str
    words: str
    wrong: bool = False
    """It needs somebody: `doctor` exits with 1."""
    warning: bool = False
    """It works, and should be better."""

    @property
    def mark(self) -> str:
        """As it begins its line."""
        return "WRONG" if self.wrong else "warn " if self.warning else "ok   "
