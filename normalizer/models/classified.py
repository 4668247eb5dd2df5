"""What a classifier says of words: class, sort and category, each with how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from schemas import Category, ReportClass, Sort


class Classified(NamedTuple):
    """What the words of one message are about. A field is `unknown` or None where the classifier is not sure enough."""

    report_class: ReportClass = "unknown"
    class_p: float = 0.0
    sort: Sort = "unknown"
    sort_p: float = 0.0
    category: Category | None = None
    """A category of LAPOR!'s tree: a leaf where the words tell, else a top category."""
    top: tuple[Category, ...] = ()
    """The three likeliest top categories, likeliest first, each with its probability."""


class Classifier(Protocol):
    """Classifies many texts at once. A text is the title, if there is one, a line break, and the cleaned words."""

    @property
    def version(self) -> str:
        """Changes whenever the same words may be classified otherwise."""
        ...

    def classify(self, texts: Sequence[str]) -> list[Classified]:
        """One answer a text, in order. The answer for a text does not depend on the texts beside it."""
        ...
