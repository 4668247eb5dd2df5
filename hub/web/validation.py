"""A submission as the fields of a report."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import ValidationError

from connectors._report import KIND_FIELDS
from hub.web.api.problems import invalid_fields
from hub.web.api.report_input import field_errors, validate_report
from hub.web.submissions import Submission
from hub.web.translations import TranslatableText


def validate_submission(
    submission: Submission, today: date, own_fields: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """The fields of `Report` without its id and its files. `own_fields`: those of the caller's kind. Raises Problem
    that names everything wrong at once."""
    errors = {**submission.errors, **_errors_of_kind(submission, own_fields)}
    fields: dict[str, Any] = {}
    try:
        # of JSON no type is taken for another; a form has only words
        fields = validate_report(submission.values, today, strict=submission.is_json).report_fields()
    except ValidationError as error:
        errors = field_errors(error, submission.values) | errors
    if errors:
        raise invalid_fields(errors)
    return fields


def _errors_of_kind(submission: Submission, own_fields: frozenset[str]) -> dict[str, TranslatableText]:
    """A field that this kind needs and lacks, or that only another kind has."""
    given = {name for name in KIND_FIELDS if submission.values.get(name) not in (None, "")}
    unknown = {name: TranslatableText("error_unknown_field") for name in sorted(given - own_fields)}
    return unknown | {name: TranslatableText("error_missing") for name in sorted(own_fields - given)}
