"""Texts cut to the length that a provider takes, counted as providers count: in units of UTF-16."""

from __future__ import annotations

from collections.abc import Iterator


def cut_text(text: str, longest: int) -> Iterator[str]:
    """The text in parts of at most `longest` units, cut at a line, else at a blank, never within a character."""
    rest = text
    while len(rest.encode("utf-16-le", "surrogatepass")) > 2 * longest:
        fitting = rest[:longest].encode("utf-16-le", "surrogatepass")[: 2 * longest].decode("utf-16-le", "ignore")
        at = max(fitting.rfind("\n", len(fitting) // 2), 0) or max(fitting.rfind(" ", len(fitting) // 2), 0)
        at = at or len(fitting)
        yield rest[:at].rstrip()
        rest = rest[at:].lstrip()
    yield rest
