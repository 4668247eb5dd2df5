"""The citizen's form and `POST /api/v1/reports`. The hub takes the request and stores it as a Raw; this reads it.

`Report` is both the API's input and what stands in `Raw.body`, as JSON.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from connectors._port import Channel, Secret, Settings
from schemas import Attachment, Category, Message, Office, Party, Place, Raw, Receipt, Reject

Short = Annotated[str, Meta(max_length=200)]


class WebSettings(Settings, frozen=True, kw_only=True):
    rate: int = 60
    """Reports a minute from one address without an API key."""
    api_keys: tuple[Secret, ...] = ()


class _Input(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Ground of what comes from outside: a field that nobody knows is refused, not swallowed."""


class ReportPlace(_Input, frozen=True, kw_only=True):
    """Where it happened: in words, by region code, or by coordinates (degrees, WGS 84)."""

    words: Annotated[str, Meta(max_length=1000)] | None = None
    code: Annotated[str, Meta(pattern=r"^\d{2}(\.\d{2}(\.\d{2}(\.\d{4})?)?)?$")] | None = None
    lat: Annotated[float, Meta(ge=-90, le=90)] | None = None
    lon: Annotated[float, Meta(ge=-180, le=180)] | None = None


class ReportFile(_Input, frozen=True, kw_only=True):
    """A file that lies with the blobs already."""

    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    name: Short | None = None
    media_type: Short | None = None
    size: Annotated[int, Meta(ge=0)] | None = None


class Report(_Input, frozen=True, kw_only=True):
    """One report, as the form and the API file it."""

    native: Annotated[str, Meta(min_length=1, max_length=255)]
    """The Idempotency-Key of its caller, or drawn by the hub."""
    text: Annotated[str, Meta(min_length=1, max_length=10_000)]
    title: Short = ""
    name: Short | None = None
    phone: Annotated[str, Meta(max_length=40)] | None = None
    email: Annotated[str, Meta(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    nik: Annotated[str, Meta(pattern=r"^\d{16}$")] | None = None
    """Nomor Induk Kependudukan."""
    address: Annotated[str, Meta(max_length=500)] | None = None
    incident_date: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    place: ReportPlace | None = None
    category: Annotated[str, Meta(max_length=40)] | None = None
    """Id in LAPOR!'s tree."""
    office: Annotated[str, Meta(max_length=40)] | None = None
    """Id of the office that the citizen names."""
    anonymous: bool = False
    secret: bool = False
    files: Annotated[tuple[ReportFile, ...], Meta(max_length=5)] = ()
    external_ids: Annotated[dict[str, Short], Meta(max_length=10)] = {}
    tags: Annotated[tuple[Short, ...], Meta(max_length=20)] = ()
    extra: Annotated[dict[str, Annotated[str, Meta(max_length=1000)]], Meta(max_length=20)] = {}


_report = msgspec.json.Decoder(Report)


class Web(Channel):
    kind = "web"
    settings_type = WebSettings

    def parse(self, raw: Raw) -> Iterable[Message | Receipt | Reject]:
        try:
            report = _report.decode(raw.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Reject(f"not readable as a report: {error}") from None  # names the field, never its value
        yield self.message(raw, report.native, report.native, begins=True, **_known(report))


def _known(report: Report) -> dict[str, Any]:
    return {
        "text": report.text,
        "title": report.title,
        "sender": Party(
            name=report.name or None,
            phone=report.phone or None,
            email=report.email.lower() if report.email else None,
            nik=report.nik,
            address=report.address or None,
        ),
        "incident_date": report.incident_date,
        "place": _place(report.place),
        "category": Category(id=report.category) if report.category else None,
        "office": Office(id=report.office) if report.office else None,
        "attachments": tuple(_attachment(f) for f in report.files),
        "anonymous": report.anonymous,
        "secret": report.secret,
        "external_ids": report.external_ids,
        "tags": report.tags,
        "extra": report.extra,
    }


def _place(said: ReportPlace | None) -> Place | None:
    if said is None or said == ReportPlace():
        return None
    shared = said.lat is not None and said.lon is not None
    lat, lon = (said.lat, said.lon) if shared else (None, None)
    return Place(code=said.code, lat=lat, lon=lon, words=said.words, source="shared" if shared else "said")


def _attachment(file: ReportFile) -> Attachment:
    return Attachment(
        native_id=file.sha256,
        sha256=file.sha256,
        name=file.name,
        media_type=file.media_type,
        size=file.size,
        state="fetched",
    )
