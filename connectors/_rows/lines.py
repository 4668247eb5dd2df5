"""The lines of a text file, whichever program wrote it: its encoding, its line ends, lines without end."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO, NamedTuple

LONGEST = 16 * 1024 * 1024
"""Bytes of a row."""
CHUNK = 64 * 1024
_BEHIND_A_LINE = re.compile(rb"[\r\n].", re.DOTALL)
_CUT = 4096
"""Bytes that are shown of a line that is too long."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte-order marks; UTF-32's begins with UTF-16's."""


class UnreadableFile(ValueError):  # noqa: N818 - it says what is wrong
    """The file cannot be read as rows; one line says what to do."""


class Line(NamedTuple):
    """A line of the file, without its end."""

    number: int
    """From 1."""
    text: str
    too_long: bool = False


def read_chunks(name: str, file: BinaryIO) -> Iterator[bytes]:
    """The bytes of a file as they come. Raises UnreadableFile."""
    read = getattr(file, "read1", file.read)
    try:
        while chunk := read(CHUNK):
            yield chunk
    except OSError as error:
        raise UnreadableFile(f"{name} cannot be read to its end ({error.strerror}): see what it lies on") from None


def read_head(chunks: Iterator[bytes]) -> bytes:
    """The beginning of a file: its first line, and as much as comes with it."""
    head = b""
    while len(head) < CHUNK and not _BEHIND_A_LINE.search(head):
        if not (chunk := next(chunks, b"")):
            break
        head += chunk
    return head


def read_titles(head: bytes, chunks: Iterator[bytes]) -> bytes:
    """A file that begins with a line that is no row: as much of it as may stand above the headings."""
    while len(head) < CHUNK and (chunk := next(chunks, b"")):
        head += chunk
    return head


def detect_encoding(head: bytes) -> tuple[str, int]:
    """The encoding and the length of its mark. Without a mark, UTF-16 shows by a NUL in nearly every character."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    even, odd = head[0:1000:2].count(0), head[1:1000:2].count(0)
    sampled = min(len(head), 1000) / 2
    if max(even, odd) > 0.6 * sampled and min(even, odd) < 0.2 * sampled:
        return ("utf-16-be" if even > odd else "utf-16-le"), 0
    return "utf-8", 0


def decode_head(head: bytes) -> str:
    """The text at the beginning of a file."""
    encoding, mark = detect_encoding(head)
    return _decoded(head[mark:]) if encoding == "utf-8" else head[mark:].decode(encoding, "replace")


def split_lines(head: bytes, chunks: Iterable[bytes]) -> Iterator[Line]:
    """The lines of a file that begins with `head` and goes on with `chunks`."""
    encoding, mark = detect_encoding(head)
    utf8 = _as_utf8(encoding, chain([head[mark:]], chunks))
    number = 0
    for number, (line, too_long) in enumerate(_split(utf8, _end_of(decode_head(head))), 1):
        yield Line(number, _decoded(line), too_long)


def _as_utf8(encoding: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    if encoding == "utf-8":
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def _end_of(head: str) -> bytes:
    """The end of a line: that of the first one. A file of an old Mac has no line feeds there."""
    at = next((i for i, c in enumerate(head) if c in "\r\n"), None)
    of_a_mac = at is not None and head[at] == "\r" and head[at + 1 : at + 2] not in ("\n", "")
    return b"\r" if of_a_mac else b"\n"


def _split(chunks: Iterable[bytes], end: bytes) -> Iterator[tuple[bytes, bool]]:
    """Lines without their ends; of one that is too long the beginning, and True."""
    open_parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        first, *others = chunk.split(end)
        size += len(first)
        open_parts = [b"".join(open_parts)[:_CUT]] if size > LONGEST else [*open_parts, first]
        for other in others:
            yield _one_line(open_parts, size)
            open_parts, size = [other], len(other)
    if size:
        yield _one_line(open_parts, size)


def _one_line(parts: list[bytes], size: int) -> tuple[bytes, bool]:
    line = b"".join(parts)
    return (line[:_CUT], True) if size > LONGEST else (line.removesuffix(b"\r"), False)


def _decoded(line: bytes) -> str:
    """UTF-8, also where some of it is cut; else Windows-1252."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        cut_short = error.end - error.start > 1
    text = line.decode("utf-8", "replace")
    if cut_short or any(c > "\x7f" and c != "\ufffd" for c in text):
        return text
    return line.decode("cp1252", "replace")
