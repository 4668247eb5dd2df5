"""The forms that clients of GeoReport v2 post: a service request, and an update of one. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from connectors._open311_words import MEANINGS, meaning_of
from schemas import Party, Place

DESCRIPTION = 4_000
"""Characters."""
MOST_FIELDS, MOST_ATTRIBUTES, MOST_FILES = 300, 20, 10
KEY = "api_key"
OURS = ("title", "incident_date", "anonymous", "secret")
"""Attributes of our service definition, which have fields of their own."""
_ATTRIBUTE = re.compile(r"attribute\[([^\[\]]{1,64})\](?:\[\d*\])?")
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:$|[T ])")
_ZONE_WITH_BLANK = re.compile(r" (\d{2}:?\d{2})$")
_YES = frozenset({"1", "true", "yes", "ya"})


class FormFault(Exception):  # noqa: N818 - it says what is wrong
    """The request cannot be served; `status` is that of HTTP. The words name the argument, never its value."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


class Form:
    """A form, or a query. An empty argument equals an absent one."""

    def __init__(self, body: bytes | str) -> None:
        text = body if isinstance(body, str) else body.decode("latin-1")
        try:
            self.pairs = parse_qsl(text, encoding="utf-8", errors="replace", max_num_fields=MOST_FIELDS)
        except ValueError:
            raise FormFault(400, f"more than {MOST_FIELDS} arguments") from None

    def get(self, name: str) -> str:
        """The first that is not blank; else empty."""
        return next((value for key, value in self.pairs if key == name and value.strip()), "")

    def all(self, *names: str) -> list[str]:
        """All values of these names, in order."""
        return [value for key, value in self.pairs if key in names and value.strip()]

    def attributes(self) -> dict[str, list[str]]:
        """`attribute[CODE]=v`; a multivaluelist repeats `attribute[CODE][]=v`."""
        found: dict[str, list[str]] = {}
        for key, value in self.pairs:
            if (named := _ATTRIBUTE.fullmatch(key)) and value.strip():
                found.setdefault(named[1], []).append(value)
        return found

    def without(self, *names: str) -> bytes:
        """The form again, less these arguments."""
        return urlencode([(key, value) for key, value in self.pairs if key not in names]).encode()


class ReportForm(NamedTuple):
    """A service request as it was posted."""

    service_code: str
    text: str
    title: str
    place: Place
    sender: Party
    media_urls: tuple[str, ...]
    incident_date: str | None
    anonymous: bool
    secret: bool
    extra: dict[str, str]
    """Attributes that we do not know."""


class UpdateForm(NamedTuple):
    """An update of a service request as it was posted, by mySociety's extension."""

    request_id: str
    update_id: str
    status: str
    """As written, in lower case."""
    text: str
    at: datetime
    media_urls: tuple[str, ...]


def report_form(form: Form) -> ReportForm:
    """Raises FormFault."""
    code = form.get("service_code").strip()
    if not code:
        raise FormFault(400, "service_code was not provided")
    text = form.get("description")
    if len(text) > DESCRIPTION:
        raise FormFault(400, f"description: at most {DESCRIPTION} characters")
    attributes = form.attributes()
    ours = {name: attributes[name][0].strip() for name in OURS if name in attributes}
    title, date = ours.get("title", "")[:200], _DATE.match(ours.get("incident_date", ""))
    text = text if text.strip() else title
    if not text:
        raise FormFault(400, "description was not provided")
    return ReportForm(
        code, text, title, _place(form), _sender(form), _media(form), date[1] if date else None,
        anonymous=_yes(ours, "anonymous"), secret=_yes(ours, "secret"), extra=_extra(attributes),
    )  # fmt: skip


def update_form(form: Form) -> UpdateForm:
    """Raises FormFault."""
    for name in ("service_request_id", "update_id", "updated_datetime", "status"):
        if not form.get(name):
            raise FormFault(400, f"{name} was not provided")
    if meaning_of(form.get("status")).status == "unknown":
        raise FormFault(400, f"status: takes one of {', '.join(MEANINGS).upper()}")
    text = form.get("description")
    if len(text) > DESCRIPTION:
        raise FormFault(400, f"description: at most {DESCRIPTION} characters")
    return UpdateForm(
        form.get("service_request_id").strip(), form.get("update_id").strip(), form.get("status").strip().lower(),
        text, instant_of(form.get("updated_datetime"), "updated_datetime"), _media(form),
    )  # fmt: skip


def instant_of(written: str, name: str) -> datetime:
    """A W3C date and time. One without a zone is refused; a plus that became a blank on its way is taken. Raises
    FormFault."""
    text = _ZONE_WITH_BLANK.sub(r"+\1", written.strip())
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None and len(text) > 10:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise FormFault(400, f"{name}: takes a date and time with a zone, as 2026-11-29T08:00:00Z")


def _place(form: Form) -> Place:
    lat, long = form.get("lat"), form.get("long")
    words = (form.get("address_string") or form.get("address_id")).strip()[:1000] or None
    if lat and long:
        return Place(lat=_degrees(lat, 90, "lat"), lon=_degrees(long, 180, "long"), words=words, source="shared")
    if words is None:
        raise FormFault(400, "a location is needed: lat and long, address_string or address_id")
    return Place(words=words)


def _degrees(written: str, most: float, name: str) -> float:
    try:
        value = float(written)
    except ValueError:
        value = math.nan
    if not abs(value) <= most:
        raise FormFault(400, f"{name}: takes degrees from -{most} to {most} (WGS 84)")
    return value


def _sender(form: Form) -> Party:
    name = " ".join(filter(None, (form.get("first_name").strip(), form.get("last_name").strip())))
    user, email = form.get("account_id") or form.get("device_id"), form.get("email").strip().lower()
    return Party(
        name=name[:200] or None, phone=form.get("phone").strip()[:40] or None,
        email=email if "@" in email and len(email) <= 254 else None, user=f"open311:{user[:200]}" if user else None,
    )  # fmt: skip


def _media(form: Form) -> tuple[str, ...]:
    urls = (url.strip() for url in form.all("media_url", "media_url[]"))
    return tuple(dict.fromkeys(url for url in urls if url.startswith(("http://", "https://"))))[:MOST_FILES]


def _yes(ours: dict[str, str], name: str) -> bool:
    return ours.get(name, "").lower() in _YES


def _extra(attributes: dict[str, Sequence[str]] | dict[str, list[str]]) -> dict[str, str]:
    unknown = [(name, ", ".join(values)[:1000]) for name, values in attributes.items() if name not in OURS]
    return dict(unknown[:MOST_ATTRIBUTES])
