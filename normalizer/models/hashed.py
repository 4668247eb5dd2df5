"""Texts as hashed features: words, pairs of words, and both again of the first five letters of each word.

The beginnings stand for stems ("perbaikan", "perbaiki"). Features are hashed, so a model holds no word of a citizen.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BITS = 22
"""Of a feature's number. With 18 most pairs of words share one, and seven in a thousand offices more are wrong."""
SIZE = 1 << BITS
_MASK = SIZE - 1
_BEGINNING = 5
_LENGTH = 4000
"""Characters that are looked at."""
_WORD = re.compile(r"[^\W_]+|[?!#@*:/]")
"""Signs tell manners: of a question, an advertisement, a link."""


Extras = Mapping[str, float]
"""Further features of a text, by name."""


class Rows(NamedTuple):
    """Sparse rows end to end: the features of row n are those from `starts[n]` to `starts[n + 1]`."""

    features: NDArray[np.int32]
    values: NDArray[np.float32]
    starts: NDArray[np.int64]


def tokens(text: str) -> list[str]:
    """What is hashed of a text."""
    words = _WORD.findall(text[:_LENGTH].lower())
    beginnings = [word[:_BEGINNING] for word in words]
    found = words + [f"{a} {b}" for a, b in pairwise(words)]
    found += [f"{a}-{b}" for a, b in pairwise(beginnings)]
    found += [f"{a}-" for a, word in zip(beginnings, words, strict=True) if len(word) > _BEGINNING]
    return found


def hashed(texts: Sequence[str]) -> Rows:
    """Counts, damped, by feature."""
    import numpy as np

    features: list[int] = []
    values: list[float] = []
    starts = [0]
    for text in texts:
        for feature, count in Counter([crc32(token.encode()) & _MASK for token in tokens(text)]).items():
            features.append(feature)
            values.append(1.0 if count == 1 else 1.0 + math.log(count))
        starts.append(len(features))
    return Rows(np.array(features, np.int32), np.array(values, np.float32), np.array(starts, np.int64))


def number_of(extra: str) -> int:
    """The number of a further feature."""
    return crc32(f"~{extra}".encode()) & _MASK


def with_extras(rows: Rows, extras: Sequence[Extras]) -> Rows:
    """The rows with further features, which keep the values that they are given."""
    import numpy as np

    features = [number_of(name) for found in extras for name in found]
    values = [value for found in extras for value in found.values()]
    places = np.repeat(rows.starts[1:], [len(found) for found in extras])
    added = np.concatenate([[0], np.cumsum([len(found) for found in extras], dtype=np.int64)])
    return Rows(
        np.insert(rows.features, places, features).astype(np.int32),
        np.insert(rows.values, places, values).astype(np.float32),
        rows.starts + added,
    )


def selected(rows: Rows, kept: NDArray[np.bool_]) -> Rows:
    """The rows with some of their features."""
    import numpy as np

    before = np.concatenate([[0], np.cumsum(kept, dtype=np.int64)])
    return Rows(rows.features[kept], rows.values[kept], before[rows.starts])


def weighted(rows: Rows, idf: NDArray[np.float32]) -> Rows:
    """Rare features count more; each row has the length 1. `idf` is one for each value."""
    import numpy as np

    values = rows.values * idf
    sizes = np.diff(rows.starts)
    squares = np.zeros(len(sizes), np.float64)
    full = sizes > 0
    squares[full] = np.add.reduceat(np.square(values, dtype=np.float64), rows.starts[:-1][full])
    norms = np.sqrt(np.where(squares > 0, squares, 1.0))
    return rows._replace(values=(values / np.repeat(norms, sizes)).astype(np.float32))
