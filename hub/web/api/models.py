"""The answers of the API."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from schemas import Status


class ApiModel(BaseModel):
    """Ground of the answers: the docstring behind a field is its description."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class ReportAccepted(ApiModel):
    """A report that is stored."""

    id: str
    """Reads the report until its number is known."""
    status_url: str
    token: str | None = None
    """Shows the words of the report; not given again to a caller without an API key."""
    number: str | None = None
    """Ten digits, to hand to the citizen; where the caller waited for it and it was recorded in time."""


class Words(ApiModel):
    """Words of the citizen, or an answer."""

    at: datetime
    text: str


class TimelineStep(ApiModel):
    """A line of the timeline."""

    at: datetime
    what: str
    who: str
    why: str | None


class ReportStatus(ApiModel):
    """A report as far as the caller may see it. Of one that is stored and not on the record yet, only its id."""

    id: str | None = None
    number: str | None
    status: Status
    received_at: datetime | None = None
    updated_at: datetime | None = None
    proven: bool | None = None
    """True: the caller showed by the token, the device's key or the phone that it may read the words too."""
    office: str | None = None
    """From here on only where `proven`."""
    title: str | None = None
    words: list[Words] | None = None
    answers: list[Words] | None = None
    timeline: list[TimelineStep] | None = None
