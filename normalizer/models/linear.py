"""A linear classifier of texts: trained with scikit-learn, used with numpy alone, stored as text.

A label's probability is a softmax of the margins at a temperature; that of the first label goes through a line of its
log odds besides. Both were fitted on rows that the classifier had not seen.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from normalizer.models.hashed import SIZE, Extras, Rows, hashed, weighted, with_extras

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Ranked(NamedTuple):
    """A label and its probability."""

    label: str
    p: float


class StoredLinear(msgspec.Struct, frozen=True, kw_only=True):
    """The classifier as text."""

    labels: tuple[str, ...]
    features: str
    """Numbers of the features that count, 4 bytes each; compressed, in base 64."""
    idf: str
    """2 bytes each."""
    weights: str
    """2 bytes for each feature and label."""
    bias: tuple[float, ...]
    temperature: float = 1.0
    slope: float = 1.0
    shift: float = 0.0
    """Of the log odds of the first label."""
    threshold: float = 2.0
    """Probability from which on the first label was right often enough; above 1: never."""


class Linear:
    """A classifier ready for use. Safe to use from several threads."""

    def __init__(self, stored: StoredLinear) -> None:
        self.stored = stored
        self.labels = stored.labels

    @cached_property
    def _arrays(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        import numpy as np

        features = np.frombuffer(_unpacked(self.stored.features), np.int32)
        idf, weights = np.zeros(SIZE, np.float32), np.zeros((SIZE, len(self.labels)), np.float32)
        idf[features] = np.frombuffer(_unpacked(self.stored.idf), np.float16)
        weights[features] = np.frombuffer(_unpacked(self.stored.weights), np.float16).reshape(len(features), -1)
        return idf, weights, np.array(self.stored.bias, np.float32)

    def margins(self, texts: Sequence[str], extras: Sequence[Extras] | None = None) -> NDArray[np.float32]:
        """A row a text, a column a label."""
        import numpy as np

        idf, weights, bias = self._arrays
        rows = weighted(hashed(texts), idf)
        if extras is not None:
            rows = with_extras(rows, extras)
        found = np.tile(bias, (len(texts), 1))
        full = np.diff(rows.starts) > 0
        if full.any():
            products = weights[rows.features] * rows.values[:, None]
            found[full] += np.add.reduceat(products, rows.starts[:-1][full], axis=0)
        return found

    def ranked(self, texts: Sequence[str], extras: Sequence[Extras] | None = None, most: int = 3) -> list[list[Ranked]]:
        """The likeliest labels of each text."""
        import numpy as np

        if not texts:
            return []
        p = softmax(self.margins(texts, extras), self.stored.temperature)
        best = np.argsort(-p, axis=1, kind="stable")[:, :most]
        sure = np.take_along_axis(p, best, axis=1)
        first = settled(sure[:, 0], self.stored.slope, self.stored.shift)
        rest = sure[:, 1:] * ((1 - first) / (1 - sure[:, 0]).clip(1e-6))[:, None]
        sure = np.column_stack([first, np.minimum(rest, first[:, None])])
        return [
            [Ranked(self.labels[n], float(one)) for n, one in zip(order, row, strict=True)]
            for order, row in zip(best, sure, strict=True)
        ]


def softmax(margins: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Probabilities that sum to 1 in each row."""
    import numpy as np

    powers = np.exp((margins - margins.max(axis=1, keepdims=True)) / temperature)
    found: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
    return found


def settled(p: NDArray[Any], slope: float, shift: float) -> NDArray[Any]:
    """Probabilities on another line of their log odds."""
    import numpy as np

    found: NDArray[Any] = 1 / (1 + np.exp(-(slope * log_odds(p) + shift)))
    return found


def log_odds(p: NDArray[Any]) -> NDArray[Any]:
    """No more than about 14 either way."""
    import numpy as np

    bounded = np.asarray(p, np.float64).clip(1e-6, 1 - 1e-6)
    found: NDArray[Any] = np.log(bounded / (1 - bounded))
    return found


def stored(labels: Sequence[str], idf: Any, weights: Any, bias: Any, **more: float) -> StoredLinear:
    """Of arrays: one idf a feature, weights by label and feature, one bias a label."""
    import numpy as np

    used = np.flatnonzero(np.abs(weights).max(axis=0) > 1e-3).astype(np.int32)
    return StoredLinear(
        labels=tuple(labels),
        features=_packed(used.tobytes()),
        idf=_packed(idf[used].astype(np.float16).tobytes()),
        weights=_packed(weights[:, used].T.astype(np.float16).tobytes()),
        bias=tuple(round(float(b), 5) for b in bias),
        **more,
    )


def as_matrix(rows: Rows) -> Any:
    """For scikit-learn."""
    from scipy.sparse import csr_matrix

    return csr_matrix((rows.values, rows.features, rows.starts), shape=(len(rows.starts) - 1, SIZE))


def _packed(raw: bytes) -> str:
    return base64.b64encode(zlib.compress(raw)).decode()


def _unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))
