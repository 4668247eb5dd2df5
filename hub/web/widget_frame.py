"""Which pages may stand in a frame on another site, and on which sites."""

from __future__ import annotations

from collections.abc import Sequence

WIDGET = "/widget"
"""The form for other sites; its pages stand under it."""


def is_embedded(path: str) -> bool:
    """Is this a page of the widget?"""
    return path == WIDGET or path.startswith(f"{WIDGET}/")


def frame_ancestors(sites: Sequence[str]) -> str:
    """The sites as a source list of a Content-Security-Policy."""
    return " ".join(sites) or "'none'"
