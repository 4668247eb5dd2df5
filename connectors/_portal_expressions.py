"""JMESPath over a portal's rows, compiled when the manifest is loaded, with functions of ours:

text(x)          HTML as text
label(x, name)   what stands behind "name:" in a text, up to the next label
number(x)        a number of "1.234,5" or "1234.5"; null where it is none
phone(x)         a text of digits; null for one that a spreadsheet has damaged (6.28E+12)
string(x)        a whole number without ".0"; a text as it is
lines(x)         a list as lines; what is null is left out
split(x, sep)    the parts of a text, as a list: split(point, ',')[0]

No fault of an expression leaves this file: a row on which one fails has null there.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import jmespath
import msgspec
from jmespath import functions
from jmespath.exceptions import JMESPathError

from connectors._email_html import text_of_html

if TYPE_CHECKING:
    from connectors._portal_manifest import Manifest, Stream, Strict

Expression = Callable[[Any], Any]
_PLAIN = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)
_MARKUP = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>|&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8});", re.IGNORECASE)
_ODD_TAG = re.compile(r"<(?!/?(?:p|br|b|i|u|em|strong|span)\b)[/a-zA-Z!?]", re.IGNORECASE)
_BREAK = re.compile(r"<br\b[^<>]*>|</p\s*>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>")
_ONE_CALL = re.compile(r"(text|phone|string|number)\(([A-Za-z_][\w.]*)\)", re.ASCII)
_DAMAGED = re.compile(r"\d(?:[.,]\d+)?e\+?\d+", re.IGNORECASE)
_LABEL = r"(?:^|\s){}\s*:"
_NEXT_LABEL = re.compile(r"\s[A-Z][A-Za-z ]{2,40}:")
_YES = frozenset({"true", "1", "ya", "y", "yes"})
NOT_EXPRESSIONS = frozenset(
    {"what", "type", "path", "method", "format", "delimiter", "parameter", "id_parameter", "size_parameter", "overlap",
     "start", "header", "prefix", "stream", "name"}
)  # fmt: skip


class OurFunctions(functions.Functions):
    """The functions beside JMESPath's own."""

    @functions.signature({"types": []})
    def _func_text(self, value: Any) -> Any:
        return html_text(value)

    @functions.signature({"types": []}, {"types": ["string"]})
    def _func_label(self, value: Any, name: str) -> Any:
        found = re.search(_LABEL.format(re.escape(name)), value) if isinstance(value, str) else None
        if found is None:
            return None
        behind = _NEXT_LABEL.search(value, found.end())
        return value[found.end() : behind.start() if behind else None].strip()

    @functions.signature({"types": []})
    def _func_number(self, value: Any) -> Any:
        return number_of(value)

    @functions.signature({"types": []})
    def _func_phone(self, value: Any) -> Any:
        return phone_of(value)

    @functions.signature({"types": []})
    def _func_string(self, value: Any) -> Any:
        return string_or_none(value)

    @functions.signature({"types": []})
    def _func_lines(self, value: Any) -> Any:
        return "\n".join(filter(None, map(plain_text, value))) if isinstance(value, list) else value

    @functions.signature({"types": []}, {"types": ["string"]})
    def _func_split(self, value: Any, separator: str) -> Any:
        parts = value.split(separator) if isinstance(value, str) and separator else []
        return [part.strip() for part in parts]


_options = jmespath.Options(custom_functions=OurFunctions())


def plain_text(value: Any) -> str:
    """A text, or a number as its digits; empty for all others."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def is_yes(value: Any) -> bool:
    """True, and what portals write for it: 1, "true", "ya", "y"."""
    return value is True or plain_text(value).lower() in _YES


def string_or_none(value: Any) -> str | None:
    return plain_text(value) or None


def phone_of(value: Any) -> str | None:
    written = plain_text(value)
    return None if _DAMAGED.fullmatch(written) else written or None


def html_text(value: Any) -> Any:
    """Of paragraphs and plain emphasis without a renderer, which takes 0.3 ms."""
    if not isinstance(value, str) or not _MARKUP.search(value):
        return value
    if _ODD_TAG.search(value):
        return text_of_html(value).strip()
    lines = html.unescape(_TAG.sub("", _BREAK.sub("\n", value))).splitlines()
    return "\n".join(line.strip() for line in lines).strip()


def number_of(value: Any) -> float | None:
    """Also of a text, with a comma or a point for the decimals."""
    written = plain_text(value)
    if "," in written:
        written = written.replace(".", "").replace(",", ".")
    try:
        return float(written)
    except ValueError:
        return None


_CALLS: dict[str, Expression] = {
    "text": html_text, "phone": phone_of, "string": string_or_none, "number": number_of,
}  # fmt: skip
"""The functions that are called without jmespath where they stand alone: some ten times as fast."""


def compile_expression(source: str) -> Expression:
    """Raises ValueError with what is wrong."""
    if not source:
        return lambda _: None
    if _PLAIN.fullmatch(source):
        return _path(tuple(source.split(".")))
    call = _ONE_CALL.fullmatch(source)
    if call and _PLAIN.fullmatch(call[2]):
        outer, inner = _CALLS[call[1]], _path(tuple(call[2].split(".")))
        return lambda row: outer(inner(row))
    compiled = _compiled(source)

    def search(row: Any) -> Any:
        try:
            return compiled.search(row, options=_options)
        except Exception:  # jmespath raises TypeError and RecursionError of its own for strange rows
            return None

    return search


def _compiled(source: str) -> Any:
    """Raises ValueError with what is wrong."""
    try:
        compiled = jmespath.compile(source)
    except (JMESPathError, RecursionError, ValueError) as error:
        words = str(error).splitlines()[0].partition(", for expression")[0][:120].rstrip(":")
        raise ValueError(f"{words}: a name with blanks or other signs stands in quotes, as '\"Isi Laporan\"'") from None
    for node in _nodes(compiled.parsed):
        if node["type"] == "function_expression" and node["value"] not in OurFunctions.FUNCTION_TABLE:
            raise ValueError(f"there is no function {node['value']}: docs/integrasi.md lists them")
    return compiled


def _path(names: tuple[str, ...]) -> Expression:
    """As jmespath reads a chain of names, some ten times as fast."""
    if len(names) == 1:
        only = names[0]
        return lambda row: row.get(only) if isinstance(row, dict) else None

    def search(row: Any) -> Any:
        for name in names:
            if not isinstance(row, dict):
                return None
            row = row.get(name)
        return row

    return search


def expressions_in(table: Strict, where: str) -> Iterator[tuple[str, str]]:
    """The expressions of a table, each with the place of its key."""
    for field in msgspec.structs.fields(table):
        value = getattr(table, field.name)
        if isinstance(value, str) and value and field.name not in NOT_EXPRESSIONS:
            yield f"{where} {field.name}", value
        elif isinstance(value, dict) and field.name in {"external_ids"}:
            yield from ((f"{where} {field.name}.{name}", one) for name, one in value.items())


def expressions_of(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """All expressions of a manifest, each with the place of its key."""
    for name, stream in manifest.streams.items():
        yield from _stream_expressions(f"streams.{name}", stream)
    for tell in manifest.tell:
        yield from _named("[[tell]]", tell, "success", "id")
        if tell.find:
            yield from _named("[tell.find]", tell.find, "items", "words", "id")
    if manifest.status:
        yield from _named("[status]", manifest.status, "status")
    if manifest.push:
        yield from _named("[push]", manifest.push, "items")


def _stream_expressions(where: str, stream: Stream) -> Iterator[tuple[str, str]]:
    yield from _named(f"[{where}]", stream, "items", "success")
    yield from _named(f"[{where}.paging]", stream.paging, "next")
    if stream.watermark:
        yield from _named(f"[{where}.watermark]", stream.watermark, "field")
    if stream.detail:
        yield from ((f"[{where}.detail] params.{key}", one) for key, one in stream.detail.params.items())
    if stream.message:
        yield from _named(f"[{where}.message]", stream.message, "name")
        yield from expressions_in(stream.message, f"[{where}.message]")
    for action in stream.actions:
        yield from expressions_in(action, f"[[{where}.actions]]")


def _named(where: str, table: Strict, *names: str) -> Iterator[tuple[str, str]]:
    yield from ((f"{where} {name}", value) for name in names if (value := getattr(table, name)))


def faults_of_expressions(manifest: Manifest) -> list[str]:
    """A line for each expression that cannot be compiled."""
    faults = []
    for where, source in expressions_of(manifest):
        try:
            compile_expression(source)
        except ValueError as error:
            faults.append(f"{where}: {error}")
    return faults


def names_in(source: str) -> set[str]:
    """The names of fields that an expression reads."""
    return {str(node["value"]) for node in _nodes(jmespath.compile(source).parsed) if node["type"] == "field"}


def _nodes(parsed: Any) -> Iterator[dict[str, Any]]:
    """Every node of a compiled expression."""
    waiting: list[Any] = [parsed]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [child for child in node.get("children", ()) if isinstance(child, dict)]


def names_of_stream(stream: Stream) -> set[str]:
    """The fields that any expression of a stream reads, or that it ignores."""
    sources = (source for _, source in _stream_expressions("", stream))
    return set(stream.ignore).union(*map(names_in, sources))
