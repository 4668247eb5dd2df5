"""`train`: models from what officers decided in this record, published where they are better than those that stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hub.clock import utc_now
from hub.commands import print_json, print_message, with_record

if TYPE_CHECKING:
    from normalizer.models.learning import Decided, Trial
    from sink.record import Record


@click.command()
@click.option("--dry-run", is_flag=True, help="Learn and measure, and publish nothing.")
def train(dry_run: bool) -> None:
    """Learn the classifier, the office model and names of places from complaints on which officers acted. Each is
    tried on the newest quarter, which it did not see; it is published as a new edition only where it is right more
    often than the one that stands.

    \b
    Example:
      satupintu train --dry-run
    """
    with_record(lambda record: _train(record, dry_run=dry_run))


def _train(record: Record, *, dry_run: bool) -> None:
    from hub.commands._routing import load_models
    from hub.edited_files import CLASSIFIER, OFFICE_MODEL, PLACES
    from normalizer.models.learning import try_classifier, try_offices
    from normalizer.models.place_trial import try_places

    rows, models, version = _decided(record), load_models(), f"{utc_now():%Y%m%dT%H%M%S}"
    office = models.office_model()
    trials = (
        (CLASSIFIER, try_classifier(rows, models.classifier.value, version)),
        (OFFICE_MODEL, try_offices(rows, office.roles_of if office else None, version)),
        (PLACES, try_places(rows, models.places.value)),
    )
    for name, trial in trials:
        print_json(_line(record, name, trial, dry_run=dry_run))


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
