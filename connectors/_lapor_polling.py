"""A poll of a complaint in LAPOR!: what is new since the last one, as requests to be stored.

The cursor names what was seen: the status, the lines of the log and the follow-ups. So a page that shifts, or an item
that is repeated, brings nothing twice.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from connectors._json import Json, objects_of, string_of
from connectors._lapor_api import LaporApi, complaint_path, detail_of, id_of
from connectors._lapor_reading import digest_of, local_time, new_status, status_key, status_word
from connectors._port import PollResult
from connectors._request import Request
from schemas import Reject


class PollCursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was seen of a complaint."""

    status: str = ""
    logs: tuple[str, ...] = ()
    followups: tuple[str, ...] = ()


async def poll_complaint(api: LaporApi, native: str, cursor: str | None) -> PollResult:
    """Raises as `Forwards.follow`."""
    seen = _read(cursor)
    detail, followups = await _detail(api, native), await _followups(api, native)
    if not detail and not followups:
        raise Reject("not_there", "LAPOR! shows no such complaint")
    requests, new_logs = [], [log for log in objects_of(detail, "data_logs") if digest_of(log) not in seen.logs]
    said = _new_followups(followups, seen.followups)
    if fresh := _fresh(detail, new_logs, seen):
        requests.append(_request(native, "complaint", fresh))
    if said:
        requests.append(_request(native, "followups", list(said.values())))
    after = PollCursor(
        status_key(detail), (*seen.logs, *map(digest_of, new_logs)), (*seen.followups, *said),
    )  # fmt: skip
    return PollResult(requests, msgspec.json.encode(after).decode())


async def _detail(api: LaporApi, native: str) -> Json:
    """Empty where LAPOR! shows none."""
    try:
        return detail_of(await api.get(complaint_path(native, "complaint")))
    except Reject:
        return {}


async def _followups(api: LaporApi, native: str) -> list[Json]:
    try:
        return [item async for item in api.pages(complaint_path(native, "followups"))]
    except Reject:
        return []


def _fresh(detail: Json, new_logs: list[Json], seen: PollCursor) -> Json:
    """The complaint with the lines of its log that are new, and its status where none of them brings it."""
    told = [log for log in new_logs if new_status(log)[1]]
    fresh: Json = {"data_logs": told} if told else {}
    last = status_word(new_status(max(told, key=_time))[1]) if told else None
    word = status_word(string_of(detail, "status_name"))
    begins = word == "unverified" and not seen.status  # as every complaint begins: no news
    if status_key(detail) != seen.status and last != word and not begins:
        fresh |= {name: detail[name] for name in ("status_code", "status_name", "status_logs") if name in detail}
    return fresh


def _new_followups(items: list[Json], seen: Collection[str]) -> dict[str, Json]:
    """By id; one without an id is brought once in a look and refused when it is read."""
    found = {id_of(item.get("id")) or f"~{digest_of(item)}": item for item in items}
    return {id: item for id, item in found.items() if id not in seen}


def _time(log: Json) -> str:
    """Orders the lines of a log; days stand before months there."""
    at = local_time(log.get("date") or log.get("created_at"))
    return "" if at is None else at.isoformat()


def _request(native: str, what: str, data: Any) -> Request:
    body = msgspec.json.encode({"results": {"data": data}})
    return Request("GET", complaint_path(native, what), headers={"content-type": "application/json"}, body=body)


def _read(cursor: str | None) -> PollCursor:
    return msgspec.json.decode(cursor, type=PollCursor) if cursor else PollCursor()
