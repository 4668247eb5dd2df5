"""A report with named fields, as the form, the API, the app and the counter file it. The hub stores it as a Raw.

`Report` is both the API's input and the JSON in `Raw.body`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from connectors._port import Channel
from connectors._request import Part, Payload
from connectors._settings import Secret, Settings
from schemas import Attachment, Category, Message, Office, Party, Place, Raw, Reject

Short = Annotated[str, Meta(max_length=200)]
Key = Annotated[str, Meta(max_length=64)]


class KeyedSettings(Settings, frozen=True, kw_only=True):
    api_keys: tuple[Secret, ...] = ()
    """Keys of callers that file through this account."""


class _Input(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Ground of what comes from outside: an unknown field is refused, not swallowed."""


class ReportPlace(_Input, frozen=True, kw_only=True):
    """Where it happened: in words, by region code, or by coordinates (degrees, WGS 84)."""

    words: Annotated[str, Meta(max_length=1000)] | None = None
    """As people say it: street, village, landmark."""
    code: Annotated[str, Meta(pattern=r"^\d{2}(\.\d{2}(\.\d{2}(\.\d{4})?)?)?$")] | None = None
    """Of the region, with dots, as 32.73."""
    lat: Annotated[float, Meta(ge=-90, le=90)] | None = None
    """Degrees, WGS 84; together with `lon`."""
    lon: Annotated[float, Meta(ge=-180, le=180)] | None = None
    """Degrees, WGS 84; together with `lat`."""


class ReportFile(_Input, frozen=True, kw_only=True):
    """A file that lies with the blobs already."""

    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    name: Short | None = None
    media_type: Short | None = None
    size: Annotated[int, Meta(ge=0)] | None = None


class ReportSupplement(_Input, frozen=True, kw_only=True):
    """Which report is added to. The hub writes it once the citizen has shown the report's token."""

    number: Annotated[str, Meta(pattern=r"^\d{10}$")]
    conversation: Annotated[str, Meta(min_length=1, max_length=255)]
    """Of the report's own first message."""
    command: Literal["TL", "BELUM", "NILAI"] = "TL"
    """More words, that it is not solved, or a rating."""
    rating: Annotated[int, Meta(ge=1, le=5)] | None = None


class Report(_Input, frozen=True, kw_only=True):
    """One report, as the form and the API file it."""

    native: Annotated[str, Meta(min_length=1, max_length=255)]
    """The Idempotency-Key of its caller, or drawn by the hub."""
    text: Annotated[str, Meta(min_length=1, max_length=10_000)]
    """The words of the citizen."""
    title: Short = ""
    """One short sentence."""
    name: Short | None = None
    """Of the reporter."""
    phone: Annotated[str, Meta(max_length=40)] | None = None
    """Of the reporter, as people write it; the status is asked for with it, and the words are opened by its last four
    digits."""
    email: Annotated[str, Meta(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    """Of the reporter."""
    nik: Annotated[str, Meta(pattern=r"^\d{16}$")] | None = None
    """Nomor Induk Kependudukan."""
    address: Annotated[str, Meta(max_length=500)] | None = None
    """Of the reporter's home."""
    incident_date: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    """The day, not after today."""
    place: ReportPlace | None = None
    category: Annotated[str, Meta(max_length=40)] | None = None
    """Id in LAPOR!'s tree."""
    office: Annotated[str, Meta(max_length=40)] | None = None
    """Id of the office that the citizen names."""
    anonymous: bool = False
    """Name and contacts are not shown to the office that is reported."""
    secret: bool = False
    """The report is not made public."""
    files: Annotated[tuple[ReportFile, ...], Meta(max_length=5)] = ()
    external_ids: Annotated[dict[Key, Short], Meta(max_length=10)] = {}
    """Its numbers in other systems, by the name of the system."""
    tags: Annotated[tuple[Short, ...], Meta(max_length=20)] = ()
    supplement: ReportSupplement | None = None
    """Set: no report of its own, but an addition to an earlier one."""
    came_by: Literal["letter", "visit", "call"] | None = None
    """How it reached the counter; accounts of kind counter only."""
    entered_by: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    """The member of staff who entered it; accounts of kind counter only."""
    device: Annotated[str, Meta(pattern=r"^[0-9a-f-]{36}$")] | None = None
    """Of an app, by its id. The hub writes it once the device has shown its key."""
    extra: Annotated[dict[Key, Annotated[str, Meta(max_length=1000)]], Meta(max_length=20)] = {}
    """Other fields of the caller's, which `export` shows again."""


NO_WORDS = "-"
"""What stands for the words of an addition that is only files or a rating."""
KIND_FIELDS = frozenset({"came_by", "entered_by"})
"""Fields of `Report` that only some kinds have."""
_report = msgspec.json.Decoder(Report)


class ReportChannel(Channel):
    """A channel of which each Raw is one report, written by the hub."""

    keeps_unknown_fields = True
    own_fields: ClassVar[frozenset[str]] = frozenset()
    """Those of `KIND_FIELDS` that a caller of this kind must give; no other caller may."""

    def parts(self, payload: Payload) -> Iterator[Part]:
        try:
            report = _report.decode(payload.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Reject("not_a_report", str(error)) from None  # names the field, never its value
        yield Part(report, self.conversation_of(report))

    def conversation_of(self, report: Report) -> str:
        """The conversation that a report stands in: its own, where it adds to no other."""
        return report.supplement.conversation if report.supplement else report.device or report.native

    def read(self, part: Part, raw: Raw) -> Message:
        report: Report = part.payload
        if report.supplement:
            more = report.supplement
            known = {"command": more.command, "number": more.number, "rating": more.rating, **_known(report)}
            known["text"] = "" if report.text == NO_WORDS else report.text
            return self.message(raw, report.native, part.conversation or report.native, **known)
        return self.message(raw, report.native, self.conversation_of(report), opens_report=True, **_known(report))


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
        "extra": report.extra | _entry(report),
    }


def _entry(report: Report) -> dict[str, str]:
    own = {"came_by": report.came_by, "entered_by": report.entered_by}
    return {name: value for name, value in own.items() if value is not None}


def _place(place: ReportPlace | None) -> Place | None:
    if place is None or place == ReportPlace():
        return None
    shared = place.lat is not None and place.lon is not None
    lat, lon = (place.lat, place.lon) if shared else (None, None)
    return Place(code=place.code, lat=lat, lon=lon, words=place.words, source="shared" if shared else "said")


def _attachment(file: ReportFile) -> Attachment:
    return Attachment(
        native_id=file.sha256,
        sha256=file.sha256,
        name=file.name,
        media_type=file.media_type,
        size=file.size,
        state="fetched",
    )
