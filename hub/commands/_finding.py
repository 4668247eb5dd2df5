"""One line of `doctor`."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """What was checked, what was found, and what to do."""

    what: str
    words: str
    wrong: bool = False
