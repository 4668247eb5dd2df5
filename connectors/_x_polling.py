"""Polling X: mentions, a search, direct messages. Each source has its own place in the cursor; one poll makes one
request, so that what one source brought is durable before the next is asked.

An answer shows the newest first, in pages. The ids of a first poll are its newest page; from then on `since_id` is the
newest that was taken in, and every 15th poll looks 15 minutes further back, since posts may show up late. What was
taken in already is named in the header `known` and left out when it is read. It also tells an edit from a post whose
first version we never saw.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from connectors._json import Json, object_of, objects_of, string_of
from connectors._request import Request
from connectors._results import Gap
from connectors._x_posts import number_of

KNOWN = "known"
"""Header of a stored answer: ids that were taken in before, with commas."""
LOOK_BACK = 15
"""Polls between two that look further back, and the minutes they look back."""
PAGE, SMALL_PAGE = 100, 20
"""Posts of an answer; the small one where a budget counts, as a whole page is reserved."""
SHOWN = 800
"""Mentions that X shows at most."""
SEARCHED = 7 * 86400.0 - 3600.0
"""Seconds that recent search looks back; an older `since_id` is a mistake to it."""
_SHOWN_FOR = {"search": 7 * 86400.0, "direct": 30 * 86400.0}
"""Seconds for which X shows what was written."""
_FIRST = 1_288_834_974_657
"""Milliseconds since 1970 from which ids count."""
REMEMBERED = 500
"""Ids of a source that the cursor remembers."""
_TICKS = 22
"""Bits of an id below its milliseconds."""
_FIELDS = (
    "attachments,author_id,conversation_id,created_at,edit_history_tweet_ids,entities,geo,in_reply_to_user_id,"
    "note_tweet,referenced_tweets,text"
)
_MEDIA_FIELDS = "alt_text,media_key,preview_image_url,type,url,variants"
_DIRECT_FIELDS = (
    "attachments,created_at,dm_conversation_id,event_type,id,participant_ids,referenced_tweets,sender_id,text"
)


class Place(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where the next poll of a source goes on."""

    since: str = ""
    """The newest id that was taken in."""
    begun: bool = False
    """An answer was read whole before: what is there since is all new, however many pages it fills."""
    page: str = ""
    """The next page of an answer that is not taken in whole yet."""
    top: str = ""
    """The newest id of that answer."""
    listed: int = 0
    """Posts in the pages of that answer so far."""
    cut: bool = False
    """The last answer, read whole, showed as much as X shows at most."""
    at: float = 0.0
    """When a source whose posts X shows for some days was read to its end last: seconds since 1970."""
    count: int = 0
    """Polls since the last that looked further back."""
    seen: dict[str, str] = msgspec.field(default_factory=dict)
    """Ids that were taken in, with the day on which they were read last; the oldest first."""


class Cursor(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The cursor of an account on X."""

    places: dict[str, Place] = msgspec.field(default_factory=dict)
    month: str = ""
    reserved: int = 0
    """Thousandths of a dollar, for `month`."""
    direct_at: float = 0.0
    """When direct messages were looked at last: seconds since 1970."""


class Source(NamedTuple):
    """Something that is polled."""

    name: str
    path: str
    params: Mapping[str, str]
    price: int
    own: bool = False
    """Only the account itself may read it."""
    has_since: bool = True
    """Does X leave out what is older than an id that we name?"""


def mentions(user: str, price: int, *, names: bool) -> Source:
    return Source("mentions", f"users/{user}/mentions", _post_params(names=names), price)


def searched(query: str, price: int, *, names: bool) -> Source:
    return Source("search", "tweets/search/recent", _post_params(names=names) | {"query": query}, price)


def direct_messages(price: int) -> Source:
    params = {
        "dm_event.fields": _DIRECT_FIELDS, "event_types": "MessageCreate", "expansions": "attachments.media_keys",
        "media.fields": _MEDIA_FIELDS,
    }  # fmt: skip
    return Source("direct", "dm_events", params, price, own=True, has_since=False)


def _post_params(*, names: bool) -> dict[str, str]:
    expansions = "attachments.media_keys,geo.place_id"
    params = {"tweet.fields": _FIELDS, "media.fields": _MEDIA_FIELDS, "place.fields": "full_name"}
    if names:
        return params | {"expansions": f"author_id,{expansions}", "user.fields": "name,username"}
    return params | {"expansions": expansions}


def decode_cursor(written: str | None) -> Cursor:
    """A cursor that cannot be read is none: what was read before is then seen again, and told by its ids."""
    try:
        return msgspec.json.decode(written or "{}", type=Cursor)
    except msgspec.MsgspecError:
        return Cursor()


def encode_cursor(cursor: Cursor) -> str:
    return msgspec.json.encode(cursor).decode()


def params_of(source: Source, place: Place, size: int, now: float) -> dict[str, str]:
    """The parameters of the next request; `now` in seconds since 1970."""
    params = dict(source.params) | {"max_results": str(size)}
    if place.page:
        params["pagination_token" if source.name != "search" else "next_token"] = place.page
    if source.has_since and (since := _since(place)):
        params["since_id"] = str(max(int(since), _id_at(now - SEARCHED))) if source.name == "search" else since
    return params


def _since(place: Place) -> str:
    if place.count < LOOK_BACK or not place.since.isdigit():
        return place.since if place.since.isdigit() else ""
    earlier = int(place.since) - (LOOK_BACK * 60_000 << _TICKS)
    return str(earlier) if earlier > 0 else ""


def _id_at(at: float) -> int:
    """The least id of a post of that time."""
    return max(int(at * 1000) - _FIRST, 0) << _TICKS


def gap_between(before: Cursor, after: Cursor) -> Gap | None:
    """Does X say that it had more for us than it showed?"""
    for name, place in after.places.items():
        old = before.places.get(name, Place())
        if place.cut and old.page:
            return Gap("more_than_shown", f"{name}: X shows {SHOWN} posts, and there were more: look on X itself")
        shown_for = _SHOWN_FOR.get(name)
        if shown_for and old.at and place.at - old.at > shown_for:
            words = f"{name}: nothing was read for over {shown_for // 86400:.0f} days, and X shows nothing older"
            return Gap("away_too_long", words)
    return None


def advance(source: Source, place: Place, answer: Json, day: str, now: float = 0.0) -> tuple[Place, bool]:
    """The place after this answer, and whether the source has another page. `now` in seconds since 1970."""
    ids = [string_of(one, "id") for one in objects_of(answer, "data")]
    top = place.top or max(ids, key=number_of, default="")
    token = string_of(object_of(answer, "meta"), "next_token")
    reached = not source.has_since and any(number_of(id) <= number_of(place.since) for id in ids)
    more = bool(token and (place.since or place.begun) and ids and not reached)
    seen = dict(place.seen)
    for id in sorted(filter(None, ids), key=number_of):
        seen.pop(id, None)
        seen[id] = day
    seen = dict(list(seen.items())[-REMEMBERED:])
    if more:
        listed = place.listed + len(ids)
        return msgspec.structs.replace(place, page=token, top=top, listed=listed, seen=seen, cut=False), True
    count = 0 if place.count >= LOOK_BACK else place.count + 1
    at = now if source.name in _SHOWN_FOR else 0.0
    cut = source.name == "mentions" and place.listed + len(ids) >= SHOWN
    since = max(place.since, top, key=number_of)
    return Place(since=since, begun=True, cut=cut, at=at, count=count, seen=seen), False


def without_page(place: Place) -> Place:
    """The same answer from its newest page on: X does not take the token of the next one any more."""
    return msgspec.structs.replace(place, page="", top="", listed=0)


def request_of(answer: Json, body: bytes, seen: Mapping[str, str]) -> Request | None:
    """The answer to be stored; None where all of it was taken in before."""
    posts = objects_of(answer, "data")
    known = {id for id in (string_of(one, "id") for one in posts) if id in seen}
    if len(known) == len(posts):
        return None
    versions = (one.get("edit_history_tweet_ids") for one in posts)
    listed = (id for ids in versions if isinstance(ids, list) for id in ids)
    earlier = {id for id in listed if isinstance(id, str) and id in seen}
    return Request("GET", headers={KNOWN: ",".join(sorted(known | earlier))}, body=body)
