"""A rich message of Telegram's (Bot API 10.1): its blocks as lines of plain text, in order, and what it holds besides.

Rich messages have neither `text` nor `caption`. Blocks and inline elements that we do not know are read for the same
fields as the others, so that their words are not lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors._json import Json, objects_of, string_of

DEEPEST = 40
"""Levels; Telegram itself allows 16. Deeper blocks are left out."""
_INLINE = ("text", "alternative_text", "expression", "button")
_WORDS = ("summary", "text", "expression", "description", "question", "title")


def blocks_of(rich: Json) -> Iterator[Json]:
    """All blocks, those within others too, in order."""
    yield from _within(rich, 0)


def rich_text(rich: Json) -> str:
    """The words, a line for each block, row and item."""
    lines = (line for block in objects_of(rich, "blocks") for line in _lines(block, 0))
    return "\n".join(lines)


def inline_text(value: Any, depth: int = 0) -> str:
    """The words of an inline text: a string, a list of inline texts, or an element around them."""
    if isinstance(value, str):
        return value
    if depth > DEEPEST:
        return ""
    if isinstance(value, list):
        return "".join(inline_text(one, depth + 1) for one in value)
    if not isinstance(value, dict):
        return ""
    words = next(filter(None, (inline_text(value.get(name), depth + 1) for name in _INLINE)), "")
    url = string_of(value, "url")
    return f"{words} ({url})" if url and url != words else words


def _within(block: Json, depth: int) -> Iterator[Json]:
    if depth > DEEPEST:
        return
    for name in ("blocks", "items"):
        for inner in objects_of(block, name):
            if name == "blocks":
                yield inner
            yield from _within(inner, depth + 1)


def _lines(block: Json, depth: int) -> Iterator[str]:
    if depth > DEEPEST or string_of(block, "type") == "anchor":
        return
    yield from filter(None, (inline_text(block.get(name)) for name in _WORDS))
    yield from filter(None, map(_row, _rows(block)))
    for item in objects_of(block, "items"):
        yield from _item(item, depth + 1)
    for inner in objects_of(block, "blocks"):
        yield from _lines(inner, depth + 1)
    yield from filter(None, [" ".join(inline_text(button.get("text")) for button in objects_of(block, "buttons"))])
    caption = block.get("caption")
    given = caption.get("credit") if isinstance(caption, dict) else None
    yield from filter(None, (inline_text(caption), inline_text(given), inline_text(block.get("credit"))))


def _rows(block: Json) -> list[Any]:
    cells = block.get("cells")
    return cells if isinstance(cells, list) else []


def _row(row: Any) -> str:
    cells = row if isinstance(row, list) else []
    return " | ".join(inline_text(cell.get("text")) for cell in cells if isinstance(cell, dict))


def _item(item: Json, depth: int) -> Iterator[str]:
    box = ("[x] " if item.get("is_checked") else "[ ] ") if item.get("has_checkbox") else ""
    lines = [line for inner in objects_of(item, "blocks") for line in _lines(inner, depth)]
    label = string_of(item, "label")
    first = f"{label} {box}{lines[0] if lines else ''}".strip()
    yield from filter(None, [first, *lines[1:]])
