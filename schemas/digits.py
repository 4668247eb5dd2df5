"""Numbers as people write them."""

from __future__ import annotations

import unicodedata


def plain_digits(written: str) -> str:
    """The digits alone, as ASCII: people write blanks between them, and some keyboards write those of other scripts."""
    return "".join(str(unicodedata.decimal(c)) for c in written if c.isdecimal())
