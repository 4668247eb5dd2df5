"""The rows of a portal's answer: JSON, XML or CSV, zipped or not. A text is never executed, fetched or trusted."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
import zlib
from typing import Any

from connectors._json import decode_lenient, without_surrogates
from connectors._portal_manifest import Stream

Row = dict[str, Any]
NO_OBJECT = "row"
"""Under which a row stands that is no object."""
LARGEST = 64 * 1024 * 1024
"""Bytes of an answer, unpacked."""
_DELIMITERS = ";\t,|"
_CONTROLS = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f]")
_REFERENCES = re.compile(rb"&#(?:x([0-9a-f]{1,8})|(\d{1,10}));", re.IGNORECASE)
"""Of characters. XML has no place for controls: one in a citizen's words would hide the whole list."""


class NotRows(ValueError):  # noqa: N818 - it says what is wrong
    """The answer is no list of rows; the reason is for people."""


def decode_answer(stream: Stream, body: bytes) -> Any:
    """The answer as JSON has it. Raises NotRows."""
    body = _unpacked(body)
    if stream.format == "json":
        if body.lstrip()[:1] == b"<":
            raise NotRows("the portal answered with a page in place of JSON")
        try:
            return decode_lenient(body)
        except ValueError:
            raise NotRows("the portal answered with something else than JSON") from None
    head = body.lstrip(b"\xef\xbb\xbf \r\n\t")[:200].lower()
    if head.startswith((b"<!doctype html", b"<html")):
        raise NotRows(f"the portal answered with a page in place of {stream.format.upper()}")
    return _xml(body) if stream.format == "xml" else _csv(body, stream.delimiter)


def _unpacked(body: bytes) -> bytes:
    try:
        if body[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
                return _limited(packed.read(LARGEST + 1))
        if body[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(io.BytesIO(body)) as archive, archive.open(_only_file(archive)) as packed_file:
                return _limited(packed_file.read(LARGEST + 1))
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError):
        raise NotRows("the portal's archive cannot be unpacked") from None
    return body


def _only_file(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    files = [info for info in archive.infolist() if not info.is_dir()]
    if len(files) != 1:
        raise NotRows("the portal's archive holds more or less than one file")
    return files[0]


def _limited(body: bytes) -> bytes:
    if len(body) > LARGEST:
        raise NotRows("the portal's archive is too large when unpacked")
    return body


def _xml(body: bytes) -> Any:
    """Elements as objects, repeated ones as lists, attributes with `@`, texts beside attributes as `#text`."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(body.strip(), parser)
    except (etree.LxmlError, ValueError):
        try:
            root = etree.fromstring(_without_controls(body).strip(), parser)
        except (etree.LxmlError, ValueError):
            raise NotRows("the portal answered with something else than XML") from None
    return _element(root, 0)


def _without_controls(body: bytes) -> bytes:
    return _REFERENCES.sub(_without_control, _CONTROLS.sub(b" ", body))


def _without_control(reference: re.Match[bytes]) -> bytes:
    character = int(reference[1], 16) if reference[1] else int(reference[2])
    allowed = character in {9, 10, 13} or 32 <= character < 0xD800 or 0xE000 <= character < 0x110000
    return reference[0] if allowed else b" "


def _element(element: Any, depth: int) -> Any:
    if depth > 50:
        raise NotRows("the portal's XML lies deeper than 50 elements")
    found: Row = {f"@{_local(name)}": value for name, value in element.attrib.items()}
    for child in element:
        if not isinstance(child.tag, str):
            continue
        name, value = _local(child.tag), _element(child, depth + 1)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    text = (element.text or "").strip()
    if not found:
        return text or None
    return found | {"#text": text} if text else found


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _csv(body: bytes, delimiter: str) -> list[Row]:
    csv.field_size_limit(LARGEST)
    text = _decoded(body)
    if text.lower().startswith("sep="):
        first, _, text = text.partition("\n")
        delimiter = delimiter or first[4:5]
    head = text.partition("\n")[0]
    delimiter = delimiter or max(_DELIMITERS, key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        names = [name.strip() for name in next(rows, [])]
        if len(set(names)) < len(names) or not any(names):
            raise NotRows("the first line of the portal's CSV does not name its columns, each once")
        return [
            {name: value.strip() or None for name, value in zip(names, row, strict=False)} for row in rows if any(row)
        ]
    except csv.Error:
        raise NotRows("the portal answered with something else than CSV") from None


def _decoded(body: bytes) -> str:
    if body[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return body.decode("utf-16", "replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def rows_in(found: Any) -> list[Row]:
    """The rows where `items` led to. Among them what is no object is a row that the reader refuses, and null is none.
    Raises NotRows where there is no list of objects."""
    if isinstance(found, dict):
        found = [found]
    rows = [row for row in found if row is not None] if isinstance(found, list) else [found]
    if rows and not any(isinstance(row, dict) for row in rows):
        raise NotRows("the portal's answer has no rows where `items` says")
    return [row if isinstance(row, dict) else {NO_OBJECT: row} for row in rows]


def without_halves(value: Any) -> Any:
    """The text, without half emoji."""
    return without_surrogates(value)
