"""Safeguards taken away, one at a time, to prove that the laws notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

SABOTAGES: dict[str, Callable[[], AbstractContextManager[object]]] = {}


@contextmanager
def sabotaged(name: str) -> Iterator[None]:
    """Run without that safeguard."""
    with SABOTAGES[name]():
        yield
