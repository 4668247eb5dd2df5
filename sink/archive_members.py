"""The gzip members of an archive file, which may be torn at its end or damaged anywhere."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

_MAGIC = b"\x1f\x8b\x08"
_GZIP = 31
"""wbits of a gzip member, header and CRC included."""
_CHUNK = 64 * 1024
OnDamage = Callable[[str], None]


def read_members(path: Path, checksum: str | None, on_damage: OnDamage) -> Iterator[bytes]:
    """The whole members of a file, decompressed, in order; `on_damage` hears of a damaged file once. `checksum` None:
    the file was not closed."""
    try:
        file = path.open("rb")
    except FileNotFoundError:  # pruned meanwhile
        return
    with file:
        changed = checksum is not None and hashlib.file_digest(file, "sha256").hexdigest() != checksum
        if changed:
            on_damage(f"{path.name} is damaged (its checksum differs): bring it back from its backup")
        for member in _members(file):
            if member.data is not None:
                yield member.data
            elif not changed:
                changed = True
                on_damage(f"{path.name} is damaged at byte {member.start}: bring it back from its backup")


class _Member(NamedTuple):
    start: int
    end: int
    data: bytes | None = None
    """None: damaged."""
    torn: bool = False
    """The file ends before the member does."""


def _members(file: BinaryIO) -> Iterator[_Member]:
    """The members in order, a damaged one for each stretch that cannot be read; a torn one at the end is left out."""
    start, size = 0, os.fstat(file.fileno()).st_size
    while start < size:
        member = _member(file, start)
        if member.data is None:
            following = _next_whole(file, start + 1)
            if following is None and (member.torn or _only_zeros(file, start)):
                return
            member = _Member(start, size if following is None else following)
        yield member
        start = member.end


def _member(file: BinaryIO, start: int) -> _Member:
    reader = zlib.decompressobj(_GZIP)
    pieces: list[bytes] = []
    file.seek(start)
    try:
        while chunk := file.read(_CHUNK):
            pieces.append(reader.decompress(chunk))
            if reader.eof:
                return _Member(start, file.tell() - len(reader.unused_data), b"".join(pieces))
    except zlib.error:
        return _Member(start, start)
    return _Member(start, start, torn=True)


def _next_whole(file: BinaryIO, start: int) -> int | None:
    """Where the next member begins that can be read."""
    file.seek(start)
    rest = file.read()
    at = rest.find(_MAGIC)
    while at >= 0:
        if _member(file, start + at).data is not None:
            return start + at
        at = rest.find(_MAGIC, at + 1)
    return None


def _only_zeros(file: BinaryIO, start: int) -> bool:
    """A power cut may leave a file longer than what was written into it."""
    file.seek(start)
    return not file.read().strip(b"\0")
