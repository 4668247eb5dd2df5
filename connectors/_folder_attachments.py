"""Files that rows of a folder's tables name: they lie in or under the folder, beside the table.

A name may lead anywhere, so none that leaves the folder is followed, none that is hidden, and only files of the kinds
that citizens attach are read. A file that lay right beside the tables may have been put away with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from mimetypes import guess_type

from connectors._folder import DONE, FAILED, Folder
from connectors._results import FetchedFile
from schemas import Reject

LARGEST = 25 * 1024 * 1024
"""Bytes of an attachment."""
_KINDS = ("image/", "audio/", "video/", "application/pdf", "application/msword", "application/vnd.")


async def fetch_from_folder(written: str, folder: Folder) -> FetchedFile:
    """Raises Retry, AccountFault, or Reject where there is no such file, or it is none that is taken."""
    parts = _parts(written)
    media_type = guess_type(parts[-1])[0]
    if media_type is None or not media_type.startswith(_KINDS):
        raise Reject("file_kind", "the row names a file of a kind that nobody attaches")
    for path in _places(parts):
        body = await folder.read([part.encode() for part in path], LARGEST)
        if body is not None and len(body) > LARGEST:
            raise Reject("file_too_large", "the file is over 25 MiB")
        if body is not None:
            return FetchedFile(body, media_type)
    raise Reject("no_file", "no file of the folder has the name that the row says")


def _parts(written: str) -> list[str]:
    parts = written.replace("\\", "/").split("/")
    if any(not part or part.startswith(".") or "\0" in part or ":" in part for part in parts):
        raise Reject("file_elsewhere", "the row names a file outside its folder, or a hidden one")
    return parts


def _places(parts: list[str]) -> Iterator[list[str]]:
    yield parts
    if len(parts) == 1:
        yield from ([into.decode(), *parts] for into in (DONE, FAILED))
