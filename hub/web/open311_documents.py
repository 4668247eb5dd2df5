"""Documents of our server of GeoReport v2: discovery, services, requests and updates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from connectors._open311_documents import MEDIA_TYPES, Document
from connectors._open311_settings import Open311Settings
from connectors._open311_words import WORDS, open_or_closed
from normalizer.models.topics import Topic, categories
from sink.public_reports import PublicReport, PublicUpdate

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
CHANGESET = "2026-11-29T00:00:00Z"
"""When this server's services or behaviour changed last."""
_FLAG = [{"key": "true", "name": "Ya / yes"}, {"key": "false", "name": "Tidak / no"}]
_ATTRIBUTES: Sequence[dict[str, Any]] = (
    {"code": "title", "datatype": "string", "description": "Judul laporan / title", "values": []},
    {"code": "incident_date", "datatype": "datetime", "description": "Waktu kejadian / when it happened", "values": []},
    {"code": "anonymous", "datatype": "singlevaluelist", "description": "Anonim / hide my name from the office",
     "values": _FLAG},
    {"code": "secret", "datatype": "singlevaluelist", "description": "Rahasia / never show this report publicly",
     "values": _FLAG},
)  # fmt: skip


def discovery(settings: Open311Settings, url: str) -> Document:
    """What stands where."""
    formats = [media_type.partition(";")[0] for media_type in MEDIA_TYPES.values()]
    return Document("discovery", None, {
        "changeset": CHANGESET,
        "contact": settings.contact or "Pengelola Satu Pintu daerah / the region's operator of Satu Pintu",
        "key_service": "Kunci diberikan pengelola / ask the operator for an API key",
        "endpoints": [{
            "specification": SPECIFICATION, "url": url, "changeset": CHANGESET, "type": "production",
            "formats": formats,
        }],
    })  # fmt: skip


def offered(settings: Open311Settings) -> Iterable[Topic]:
    """The categories that this account offers."""
    return (topic for topic in categories() if not settings.services or topic.id in settings.services)


@cache
def service_names() -> dict[str, str]:
    """Names of all categories by their ids."""
    return {topic.id: topic.name for topic in categories()}


def services(settings: Open311Settings) -> Document:
    """Our categories, each a service that answers with an id at once."""
    return Document("services", "service", [
        {"service_code": one.id, "service_name": one.name, "description": f"{one.top}: {one.name}", "metadata": True,
         "type": "realtime", "keywords": one.top.replace(",", ""), "group": one.top}
        for one in offered(settings)
    ])  # fmt: skip


def service_definition(code: str) -> Document:
    """The attributes of a service: the same for all."""
    attributes = [
        {"variable": True, "code": one["code"], "datatype": one["datatype"], "required": False,
         "datatype_description": "", "order": n, "description": one["description"], "values": one["values"]}
        for n, one in enumerate(_ATTRIBUTES, 1)
    ]  # fmt: skip
    return Document("service_definition", None, {"service_code": code, "attributes": attributes})


def created(number: str) -> Document:
    """The answer to a report: its id at once, never a token."""
    return Document("service_requests", "request", [
        {"service_request_id": number, "service_notice": "Nomor laporan / number of the report", "account_id": None}
    ])  # fmt: skip


def of_token(id: str) -> Document:
    """What a token stands for: here it is the id itself."""
    return Document("service_requests", "request", [{"service_request_id": id, "token": id}])


def requests(found: Iterable[PublicReport], *, extended: bool) -> Document:
    """Reports as everybody may see them."""
    return Document("service_requests", "request", [_request(one, extended=extended) for one in found])


def updates(found: Iterable[PublicUpdate]) -> Document:
    """What was said of reports, in the words of mySociety's extension."""
    return Document("service_request_updates", "request_update", [
        {"update_id": one.id, "service_request_id": one.number,
         "status": "reopen" if one.reopened else WORDS.get(one.status, "open"), "updated_datetime": written(one.at),
         "description": one.text, "media_url": None}
        for one in found
    ])  # fmt: skip


def update_taken(update_id: str) -> Document:
    """The answer to an update."""
    return Document("service_request_updates", "request_update", [{"update_id": update_id}])


def written(at: datetime | None) -> str | None:
    """A time in UTC."""
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _request(one: PublicReport, *, extended: bool) -> dict[str, Any]:
    place = one.place
    fields: dict[str, Any] = {
        "service_request_id": one.number, "status": open_or_closed(one.status), "status_notes": one.status_note,
        "service_name": service_names().get(one.category_id or "", one.category_name),
        "service_code": one.category_id, "description": one.text, "agency_responsible": one.office,
        "service_notice": None, "requested_datetime": written(one.received_at),
        "updated_datetime": written(one.updated_at), "expected_datetime": written(one.expected_at),
        "address": None if place is None else place.words or place.name, "address_id": None, "zipcode": None,
        "lat": None if place is None else place.lat, "long": None if place is None else place.lon, "media_url": None,
    }  # fmt: skip
    if extended:
        fields["extended_attributes"] = {"title": one.title or None, "detailed_status": one.status}
    return fields
