"""The answers of the API."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel


class ReportAccepted(BaseModel):
    """A report that is stored."""

    id: str
    status_url: str
    token: str | None = None
    """Shows the words of the report; not given again to a caller without an API key."""


class ReportRecorded(ReportAccepted):
    """A report that is stored and on the record."""

    number: str


class Words(BaseModel):
    """Words of the citizen, or an answer."""

    at: datetime
    text: str


class TimelineStep(BaseModel):
    """A line of the timeline."""

    at: datetime
    what: str
    who: str
    why: str | None


class ReportStatus(BaseModel):
    """What the number alone shows; of a report that is stored and not on the record yet, only its id."""

    id: str | None = None
    number: str | None
    status: str
    received_at: datetime | None = None
    updated_at: datetime | None = None
    proven: bool | None = None


class ReportDetails(ReportStatus):
    """What a token, or the last four digits of the phone, shows as well."""

    office: str | None
    title: str | None
    words: list[Words]
    answers: list[Words]
    timeline: list[TimelineStep]
