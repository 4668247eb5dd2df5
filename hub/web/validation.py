"""A submission as the fields of a report."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import ValidationError

from hub.web.api.problems import invalid_fields
from hub.web.api.report_input import field_errors, validate_report
from hub.web.submissions import Submission


def validate_submission(submission: Submission, today: date) -> dict[str, Any]:
    """The fields of `Report` without its id and its files. Raises Problem that names everything wrong at once."""
    errors = dict(submission.errors)
    fields: dict[str, Any] = {}
    try:
        # of JSON no type is taken for another; a form has only words
        fields = validate_report(submission.values, today, strict=submission.is_json).report_fields()
    except ValidationError as error:
        errors |= field_errors(error, submission.values)
    if errors:
        raise invalid_fields(errors)
    return fields
