"""The arguments of `GET requests` and `GET servicerequestupdates`. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from connectors._open311_form import Form, FormFault, instant_of

SPAN = timedelta(days=90)
MOST = 1_000
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9000, 1, 1, tzinfo=UTC)


class RequestQuery(NamedTuple):
    """Which requests are asked for."""

    start: datetime
    end: datetime
    ids: tuple[str, ...] = ()
    """Not empty: these, whatever the rest says."""
    codes: tuple[str, ...] = ()
    closed: bool | None = None
    """None: open and closed ones."""
    limit: int = MOST
    offset: int = 0
    extended: bool = False
    """`extensions=true`: with extended_attributes."""


def request_query(form: Form, now: datetime) -> RequestQuery:
    """Raises FormFault."""
    extended = form.get("extensions").lower() == "true"
    if ids := _list(form.get("service_request_id")):
        return RequestQuery(_FIRST, _LAST, ids=ids[:MOST], extended=extended)
    start, end = span_of(form, now)
    statuses = {status.lower() for status in _list(form.get("status"))}
    if not statuses <= {"open", "closed"}:
        raise FormFault(400, "status: takes open, closed or both")
    limit = _number(form, "page_size", MOST)
    return RequestQuery(
        start, end, codes=_list(form.get("service_code"))[:MOST],
        closed="closed" in statuses if len(statuses) == 1 else None,
        limit=limit, offset=(_number(form, "page", 10_000) - 1) * limit if form.get("page") else 0, extended=extended,
    )  # fmt: skip


def query_of_id(id: str, *, extended: bool) -> RequestQuery:
    """One request, of whatever time."""
    return RequestQuery(_FIRST, _LAST, ids=(id,), extended=extended)


def span_of(form: Form, now: datetime) -> tuple[datetime, datetime]:
    """From start_date to end_date, 90 days at most; of one alone, the 90 days on its other side. Raises FormFault."""
    start = instant_of(form.get("start_date"), "start_date") if form.get("start_date") else None
    end = instant_of(form.get("end_date"), "end_date") if form.get("end_date") else None
    if start is not None and end is not None:
        if end - start > SPAN:
            raise FormFault(400, "start_date to end_date may span at most 90 days")
        return start, end
    if start is not None:
        start = min(start, _LAST)
        return start, start + SPAN
    end = max(end or now, _FIRST + SPAN)
    return end - SPAN, end


def both_or_none(form: Form) -> None:
    """As the updates extension wants the dates. Raises FormFault."""
    if bool(form.get("start_date")) != bool(form.get("end_date")):
        raise FormFault(400, "start_date and end_date are given both, or neither")


def _list(written: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in written.split(",") if part.strip()))


def _number(form: Form, name: str, most: int) -> int:
    written = form.get(name).strip()
    if not written:
        return most
    if not (written.isascii() and written.isdigit()) or int(written[:9]) < 1:
        raise FormFault(400, f"{name}: takes a number from 1")
    return min(int(written[:9]), most)
