"""Texts whose paragraphs are broken into lines for the way (`format=flowed`, RFC 3676): put together again.

A line that ends in a space goes on in the next one of the same depth of quotes. The library has nothing for it.
"""

from __future__ import annotations

from collections.abc import Iterator

_SIGNATURE = "-- "


def unwrap(text: str, *, delete_space: bool) -> str:
    """The paragraphs as written, a line each. `delete_space` (DelSp): the space at a line's end was only the mark."""
    paragraphs = _paragraphs(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), delete_space)
    return "\n".join(f"{'>' * depth} {words}" if depth else words for depth, words in paragraphs)


def _paragraphs(lines: list[str], delete_space: bool) -> Iterator[tuple[int, str]]:
    """Depth of quotes and words of each."""
    open_words: list[str] = []
    open_depth = 0
    for depth, words in map(_unquoted, lines):
        if open_words and (depth != open_depth or words == _SIGNATURE):
            yield open_depth, "".join(open_words)
            open_words = []
        if words != _SIGNATURE and words.endswith(" "):
            open_words.append(words[:-1] if delete_space else words)
            open_depth = depth
        else:
            yield depth, "".join((*open_words, words))
            open_words = []
    if open_words:
        yield open_depth, "".join(open_words)


def _unquoted(line: str) -> tuple[int, str]:
    words = line.lstrip(">")
    return len(line) - len(words), words.removeprefix(" ")
