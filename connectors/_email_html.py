"""HTML of a mail as text. A quote inside is left as a line with `>`, for `_email_quotes.py`."""

from __future__ import annotations

import html
import re
from itertools import islice

HTML_LIMIT = 1024 * 1024
"""Characters that are read."""
TAG_LIMIT = 20_000
"""Tags that are laid out, which takes a second."""
_TAGS = re.compile(r"<[^<>]{0,2000}>")
_HIDDEN = ("style", "script", "head", "title")
_OPENED = re.compile(rf"<({'|'.join(_HIDDEN)})\b", re.IGNORECASE)
_CLOSED = {name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in _HIDDEN}
_BREAKS = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6])\b[^<>]{0,200}>", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\xa0]+")
_GAPS = re.compile(r"\n{3,}")
_DEEP = 150
"""Elements inside one another; more are read as a plain run of tags."""


def text_of_html(source: str, *, plainly: bool = False) -> str:
    """The text; never raises. `plainly`: its tags are left out and nothing is laid out, in a thousandth of the time;
    so it is where they are too many."""
    source = source[:HTML_LIMIT].replace("\0", "")
    if plainly or source.count("<") > TAG_LIMIT:
        return _without_tags(source)
    try:
        return _rendered(source)
    except (ValueError, AssertionError, LookupError, TypeError, RecursionError, AttributeError):
        return _without_tags(source)


def _rendered(source: str) -> str:
    from inscriptis import Inscriptis
    from inscriptis.model.config import ParserConfig
    from lxml import etree
    from lxml import html as lxml_html

    if not source.strip():
        return ""
    parser = lxml_html.HTMLParser(encoding="utf-8", huge_tree=False, no_network=True, remove_comments=True)
    try:
        tree = lxml_html.document_fromstring(source.encode("utf-8", "replace"), parser=parser)
    except etree.LxmlError:
        return _without_tags(source)
    if _depth(tree) > _DEEP:
        return _without_tags(source)
    for quote in tree.xpath("//blockquote"):
        _mark_quote(quote)
    lines = Inscriptis(tree, ParserConfig()).get_text().splitlines()
    return _tidied("\n".join(line.strip() for line in lines))


def _depth(tree: object) -> int:
    """How deep the elements lie inside one another, as far as `_DEEP` and one more."""
    level, depth = [tree], 0
    while level and depth <= _DEEP:
        level = [child for element in level for child in element]  # type: ignore[attr-defined]
        depth += 1
    return depth


def _mark_quote(quote: object) -> None:
    """Empty what a mail program marks as the mail that is answered."""
    attributes = quote.attrib  # type: ignore[attr-defined]
    cited = attributes.get("type") == "cite" or "gmail_quote" in attributes.get("class", "")
    if not cited or _is_forwarded(quote):
        return
    tail = quote.tail  # type: ignore[attr-defined]
    quote.clear()  # type: ignore[attr-defined]
    quote.tag, quote.text, quote.tail = "p", "> ", tail  # type: ignore[attr-defined]


def _is_forwarded(quote: object) -> bool:
    from connectors._email_quotes import is_forward_mark

    chunks = islice(quote.itertext(), 50)  # type: ignore[attr-defined]
    return any(is_forward_mark(line) for chunk in chunks for line in chunk[:2000].splitlines())


def _without_tags(source: str) -> str:
    plain = html.unescape(_TAGS.sub(" ", _BREAKS.sub("\n", _without_hidden(source))))
    lines = (_BLANKS.sub(" ", line).strip() for line in plain.splitlines())
    return _tidied("\n".join(lines))


def _without_hidden(source: str) -> str:
    """In linear time, however many elements are opened and never closed."""
    kept: list[str] = []
    at = 0
    unclosed: set[str] = set()
    for opened in _OPENED.finditer(source):
        name = opened[1].lower()
        if opened.start() < at or name in unclosed:
            continue
        if (closed := _CLOSED[name].search(source, opened.end())) is None:
            unclosed.add(name)
            continue
        kept.append(source[at : opened.start()])
        at = closed.end()
    return " ".join((*kept, source[at:]))


def _tidied(text: str) -> str:
    return _GAPS.sub("\n\n", text).strip()
