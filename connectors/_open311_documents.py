"""Documents of GeoReport v2 as XML and as JSON, written and read.

JSON follows the Spark convention: the root is dropped, a container is an array even of one, an empty XML element is
null. Codes and ids are written as text; read, they may be bare numbers, with leading zeros too, as the specification
itself has them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring
from lxml import etree

from connectors._json import decode_lenient

MEDIA_TYPES = {"xml": "text/xml; charset=utf-8", "json": "application/json; charset=utf-8"}
CHILDREN = {
    "attributes": "attribute", "values": "value", "endpoints": "endpoint", "formats": "format",
    "extended_attributes": "extended_attribute",
}  # fmt: skip
"""Element names inside a container."""
MOST_ITEMS = 10_000
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BARE_ZEROS = re.compile(rb"(:\s*)(0\d+)(?=\s*[,}\]])")
_CONTROLS = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f]")
"""One of them in a citizen's words would hide a whole page. NUL stands in UTF-16."""
Fields = Mapping[str, Any]


class Document(NamedTuple):
    """An answer in either form."""

    root: str
    item: str | None
    """Name of one item; None: the root itself is the one object."""
    content: Sequence[Fields] | Fields


def encode_document(document: Document, form: str) -> bytes:
    """The document as `xml` or `json`."""
    if form == "json":
        return msgspec.json.encode(document.content)
    root = etree.Element(document.root)
    if document.item is None:
        assert isinstance(document.content, Mapping)
        _fill(root, document.content)
    else:
        for fields in document.content:
            assert isinstance(fields, Mapping)
            _fill(etree.SubElement(root, document.item), fields)
    return bytes(etree.tostring(root, encoding="utf-8", xml_declaration=True))


def errors_document(*errors: tuple[int | str, str]) -> Document:
    """The body of an answer that is no success: code and description of each error."""
    return Document("errors", "error", [{"code": str(code), "description": words} for code, words in errors])


def _fill(element: Any, fields: Fields) -> None:
    for name, value in fields.items():
        _add(etree.SubElement(element, name), name, value)


def _add(child: Any, name: str, value: Any) -> None:
    if isinstance(value, Mapping):
        _fill(child, value)
    elif isinstance(value, list | tuple):
        for one in value:
            _add(etree.SubElement(child, CHILDREN.get(name, "item")), "", one)
    elif isinstance(value, bool):
        child.text = "true" if value else "false"
    elif value is not None:
        child.text = _NOT_XML.sub("\ufffd", str(value))


def read_items(body: bytes, item: str) -> list[dict[str, str]]:
    """The items of that name in an answer, by their fields; what is no text or number is left out. Raises ValueError
    where it is neither XML nor JSON."""
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    return _items_of_xml(start, item) if start.startswith(b"<") else _items_of_json(start, item)


def _items_of_xml(body: bytes, item: str) -> list[dict[str, str]]:
    try:
        root = fromstring(_CONTROLS.sub(b" ", body))
    except (ParseError, DefusedXmlException, LookupError, ValueError):
        raise ValueError("not XML") from None
    found = [root] if _local(root.tag) == item else [e for e in root.iter() if _local(e.tag) == item]
    return [{_local(e.tag): (e.text or "").strip() for e in one} for one in found[:MOST_ITEMS]]


def _local(tag: Any) -> str:
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _items_of_json(body: bytes, item: str) -> list[dict[str, str]]:
    try:
        value = decode_lenient(body)
    except ValueError:
        value = decode_lenient(_BARE_ZEROS.sub(rb'\1"\2"', body))
    while isinstance(value, dict) and len(value) == 1 and isinstance(inner := next(iter(value.values())), dict | list):
        value = inner  # a server that keeps the root
    rows = value if isinstance(value, list) else [value]
    found = [row.get(item) if isinstance(row, dict) and isinstance(row.get(item), dict) else row for row in rows]
    return [_texts(row) for row in found[:MOST_ITEMS] if isinstance(row, dict)]


def _texts(row: dict[str, Any]) -> dict[str, str]:
    return {
        name: str(v).strip() for name, v in row.items() if isinstance(v, str | int | float) and not isinstance(v, bool)
    }
