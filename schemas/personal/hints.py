"""Which rules for personal data may find something in a text, by its pieces (what stands between two blanks).

The signs of a piece depend on nothing beside it, so that a reader of many texts remembers them (`signs_of`) and tries
the rules that are left (`hints_of`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from typing import NamedTuple

EMAIL, NUMBER, PLATE, CALLED_PLATE, ANNOUNCED, AT_HOME = (1 << n for n in range(6))
"""A plate by its form, or behind a word for it; a name behind "nama", "a.n." and the like, or before "warga"."""
ANY = EMAIL | NUMBER | PLATE | CALLED_PLATE | ANNOUNCED | AT_HOME
_SIGNS = (
    (EMAIL, re.compile(r"@|at[\])]")),
    (NUMBER, re.compile(r"\d", re.ASCII)),
    (PLATE, re.compile(r"\d\d", re.ASCII)),
    (CALLED_PLATE, re.compile(r"plat|pol")),
    (ANNOUNCED, re.compile(r"nama|rkenalkan|ttd|tertanda|pelapor|an[.:]|a[./]n|^[.:]|a\.$|^/$")),
    (AT_HOME, re.compile(r"warga|alamat|asal|tinggal|umur|usia|tahun|th$")),
)
_TITLE = re.compile(
    r"\b(?:s(?:a(?:ya|udara|udari|lam)|y|dri?)|hormat|wassalam|terima(?:kasih)?|b(?:apak?|pk|u|ang|li|eta)|pak|ibu|m(?:as|bak)"
    r"|tn|ny|an|almh?|hj?|u(?:stadz?|da|ni)|daeng|puang|kang|om|tante|pdt|tgk|teungku|cp|nami|jeneng(?:ku)?|ngaran|namo|wastan?"
    r")[.,:]*$"
)
_SIGN_WORDS = (
    "plat", "pol", "nama", "rkenalkan", "ttd", "tertanda", "pelapor", "warga", "alamat", "asal", "tinggal", "umur",
    "usia", "tahun",
)  # fmt: skip
"""Without one of these a piece of letters alone has none of the signs."""


class PieceSigns(NamedTuple):
    """Of one piece."""

    signs: int
    title: str
    """The piece in small letters, where it ends in a word that may stand before a name; else empty."""


class Hints(NamedTuple):
    """Of a text. Nothing is missed where they hold the signs of all its pieces, and others beside them."""

    signs: int = ANY
    titles: Set[str] | None = None
    """None: not known."""


ALL = Hints()
_NO_SIGNS = PieceSigns(0, "")


def signs_of(piece: str) -> PieceSigns:
    """Of what stands between two blanks."""
    lower = piece.lower()
    if lower.isalpha() and not _TITLE.match(lower) and not any(map(lower.__contains__, _SIGN_WORDS)):
        return _NO_SIGNS
    signs = sum(sign for sign, pattern in _SIGNS if pattern.search(lower))
    return PieceSigns(signs, lower if _TITLE.search(lower) else "")


def hints_of(pieces: Iterable[PieceSigns]) -> Hints:
    """Of a text, by its pieces."""
    found, titles = 0, set()
    for signs, title in pieces:
        found |= signs
        if title:
            titles.add(title)
    return Hints(found, titles)
