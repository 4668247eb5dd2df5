"""`train`: models from what officers decided in this record, published where they are better than those that stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hub.clock import utc_now
from hub.commands import print_json, print_message, with_record
from hub.settings import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from normalizer.models.learning import Decided, Trial
    from normalizer.models.sort_training import LabelledSort
    from sink.record import Record


@click.command()
@click.option("--dry-run", is_flag=True, help="Learn and measure, and publish nothing.")
@click.option("--sorts", metavar="FILE", help="Learn sorts alone, of rows with `text` and `sort`.")
def train(dry_run: bool, sorts: str | None) -> None:
    """Learn the classifier, the office model and names of places from complaints on which officers acted. Each is
    tried on the newest quarter, which it did not see; it is published as a new edition only where it is right more
    often than the one that stands. What sort a message is (report, advertising, fraud) no officer writes down: it is
    learned from a file of labelled messages.

    \b
    Example:
      satupintu train --dry-run
      satupintu train --sorts labelled.csv
    """
    labelled = list(_labelled(sorts)) if sorts else None
    with_record(lambda record: _train(record, labelled, dry_run=dry_run))


def _train(record: Record, labelled: list[LabelledSort] | None, *, dry_run: bool) -> None:
    for name, trial in _trials(record) if labelled is None else [_sorts_trial(labelled)]:
        print_json(_line(record, name, trial, dry_run=dry_run))


def _sorts_trial(rows: list[LabelledSort]) -> tuple[str, Trial]:
    from hub.commands._routing import load_models
    from hub.edited_files import CLASSIFIER
    from normalizer.models.sort_training import try_sorts

    return CLASSIFIER, try_sorts(rows, load_models().classifier.value, _version())


def _labelled(file: str) -> Iterator[LabelledSort]:
    """Raises UsageError for a row without one of our sorts."""
    from hub.commands._row_items import read_rows
    from normalizer.message import classified_text
    from normalizer.models.sort_training import SORT_WORDS, LabelledSort

    for batch in read_rows(file):
        for message in batch:
            sort = SORT_WORDS.get(message.extra.get("sort", ""))
            if sort is None:
                raise UsageError(f'row {message.native_id}: "sort" is one of {", ".join(SORT_WORDS)}')
            yield LabelledSort(classified_text(message), sort)


def _version() -> str:
    return f"{utc_now():%Y%m%dT%H%M%S}"


def _trials(record: Record) -> Iterator[tuple[str, Trial]]:
    from hub.commands._routing import load_models
    from hub.edited_files import CLASSIFIER, OFFICE_MODEL, PLACES
    from normalizer.models.learning import try_classifier, try_offices
    from normalizer.models.place_trial import try_places

    rows, models, version = _decided(record), load_models(), _version()
    office = models.office_model()
    yield CLASSIFIER, try_classifier(rows, models.classifier.value, version)
    yield OFFICE_MODEL, try_offices(rows, office.roles_of if office else None, version)
    yield PLACES, try_places(rows, models.places.value)


def _decided(record: Record) -> list[Decided]:
    from normalizer.models.learning import Decided
    from schemas import Place
    from sink.decided import decided_complaints

    with record.read() as connection:
        found = decided_complaints(connection)
    print_message(f"{len(found)} complaints on which officers acted")
    return [
        Decided(
            f"{one.title}\n{one.text}\n{one.place_words or ''}",
            Place(code=one.place_code, words=one.place_words) if one.place_code else None,
            None if one.report_class == "unknown" else one.report_class,
            (one.category_id, one.category_name or one.category_id) if one.category_id else None,
            (one.office_id, one.office_name) if one.office_id else None,
        )
        for one in found
    ]


def _line(record: Record, name: str, trial: Trial, *, dry_run: bool) -> dict[str, object]:
    from sink.editions import publish_edition

    published = None
    if trial.body is not None and not dry_run:
        published = publish_edition(record, name, trial.body, "train", utc_now())
    return {
        "model": name, "rows": trial.rows, "unseen": trial.unseen, "before": round(trial.before, 4),
        "after": round(trial.after, 4), "better": trial.better, "edition": published,
    }  # fmt: skip
