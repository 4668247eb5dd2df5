"""A linear classifier of texts: trained with scikit-learn, used with numpy and scipy's sparse rows, stored as text.

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

from normalizer.models.hashed import BITS, SIZE, Extras, Rows, hashed, weighted, with_extras

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Ranked(NamedTuple):
    """A label and its probability."""

    label: str
    p: float


class StoredLinear(msgspec.Struct, frozen=True, kw_only=True):
    """The classifier as text. Raises ValueError where its features were numbered in another way."""

    bits: int
    """Of a feature's number."""
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

    def __post_init__(self) -> None:
        if self.bits != BITS:
            raise ValueError("it was learned by another release: run satupintu train")


class Linear:
    """A classifier ready for use. Safe to use from several threads."""

    def __init__(self, stored: StoredLinear) -> None:
        self.stored = stored
        self.labels = stored.labels

    @cached_property
    def _arrays(self) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Place of each feature, 0 for one that does not count; idf and weights by place; bias."""
        import numpy as np

        features = np.frombuffer(_unpacked(self.stored.features), np.int32)
        places, nothing = np.zeros(SIZE, np.int32), np.zeros(1, np.float32)
        places[features] = np.arange(1, len(features) + 1)
        idf = np.concatenate([nothing, np.frombuffer(_unpacked(self.stored.idf), np.float16)], dtype=np.float32)
        weights = np.zeros((len(features) + 1, len(self.labels)), np.float32)
        weights[1:] = np.frombuffer(_unpacked(self.stored.weights), np.float16).reshape(len(features), -1)
        return places, idf, weights, np.array(self.stored.bias, np.float32)

    def margins(self, rows: Rows, extras: Sequence[Extras] | None = None) -> NDArray[np.float32]:
        """A row a text, a column a label."""
        places, idf, weights, bias = self._arrays
        rows = weighted(rows, idf[places[rows.features]])
        if extras is not None:
            rows = with_extras(rows, extras)
        found: NDArray[np.float32] = (
            as_matrix(rows._replace(features=places[rows.features]), len(weights)) @ weights + bias
        )
        return found

    def ranked(self, texts: Sequence[str], extras: Sequence[Extras] | None = None, most: int = 3) -> list[list[Ranked]]:
        """The likeliest labels of each text."""
        return self.ranked_rows(hashed(texts), extras, most)

    def ranked_rows(self, rows: Rows, extras: Sequence[Extras] | None = None, most: int = 3) -> list[list[Ranked]]:
        """The same, of texts that were hashed."""
        import numpy as np

        if len(rows.starts) < 2:
            return []
        p = softmax(self.margins(rows, extras), self.stored.temperature)
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


def stored(labels: Sequence[str], features: Any, idf: Any, machine: tuple[Any, Any]) -> StoredLinear:
    """Of arrays: the features in the order of their numbers with one idf each, weights by label and feature, and one
    bias a label."""
    import numpy as np

    weights, bias = machine
    used = (np.abs(weights).max(axis=0) > 1e-3) | (idf > 0)
    return StoredLinear(
        bits=BITS,
        labels=tuple(labels),
        features=_packed(features[used].astype(np.int32).tobytes()),
        idf=_packed(idf[used].astype(np.float16).tobytes()),
        weights=_packed(weights[:, used].T.astype(np.float16).tobytes()),
        bias=tuple(round(float(b), 5) for b in bias),
    )


def as_matrix(rows: Rows, columns: int) -> Any:
    """Sparse, of scipy."""
    from scipy.sparse import csr_matrix

    return csr_matrix((rows.values, rows.features, rows.starts), shape=(len(rows.starts) - 1, columns))


def _packed(raw: bytes) -> str:
    return base64.b64encode(zlib.compress(raw)).decode()


def _unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))
