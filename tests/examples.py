"""How many examples a property is tried on."""

from __future__ import annotations

from hypothesis import settings

INNER, EXAMPLES = "inner", 25
"""The profile of the inner loop (`make quick`), and the most that it tries."""


def register_profiles() -> None:
    """An example is slow on a machine that is busy: none has a deadline."""
    settings.register_profile("untimed", parent=settings(), deadline=None)
    settings.register_profile(INNER, parent=settings.get_profile("untimed"), max_examples=EXAMPLES)
    settings.load_profile("untimed")


def examples(count: int) -> settings:
    """So many; fewer in the inner loop."""
    return settings(max_examples=min(count, EXAMPLES) if settings.get_current_profile_name() == INNER else count)
