"""Safeguards taken away, one at a time, to prove that the laws notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

SABOTAGES: dict[str, Callable[[], "patch"]] = {}


@contextmanager
def sabotaged(name: str) -> Iterator[None]:
    """Run without that safeguard."""
    with SABOTAGES[name]():
        yield
