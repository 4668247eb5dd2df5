"""What the API of X shows of posts and direct messages: JSON to the fields of a Message.

Facts: docs.x.com, X API v2, data dictionary: post, media, place, direct message events.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from connectors._json import Json, decode_lenient, object_of, objects_of, string_of
from schemas import Attachment, MessageKind, Place, Reject

_SHORT_LINK = re.compile(r"https://t\.co/\w+")
_MEDIA_KINDS: dict[str, MessageKind] = {"photo": "image", "video": "video", "animated_gif": "video"}
_MEDIA_TYPES = {"photo": "image/jpeg", "video": "video/mp4", "animated_gif": "video/mp4"}
_LAT, _LON = 90.0, 180.0
_PAIR = 2
_LONGEST_ID = 20
"""Digits: ids of X have 64 bits."""


class Included(NamedTuple):
    """The objects that an answer of the API shows beside posts, by their ids."""

    users: dict[str, Json]
    media: dict[str, Json]
    places: dict[str, Json]
    posts: dict[str, Json]

    @classmethod
    def of(cls, answer: Json) -> Included:
        includes = object_of(answer, "includes")

        def by(name: str, key: str = "id") -> dict[str, Json]:
            return {id: one for one in objects_of(includes, name) if (id := string_of(one, key))}

        return cls(by("users"), by("media", "media_key"), by("places"), by("tweets"))


class Post(NamedTuple):
    """A post or a direct message, with what the answer shows beside it."""

    value: Json
    included: Included

    @property
    def id(self) -> str:
        return string_of(self.value, "id")

    @property
    def author(self) -> str:
        return string_of(self.value, "author_id") or string_of(self.value, "sender_id")

    @property
    def username(self) -> str:
        """Of the author, without @; empty where the answer does not show it."""
        return string_of(self.included.users.get(self.author, {}), "username")

    @property
    def is_direct(self) -> bool:
        """Is it an event of a direct conversation?"""
        return "event_type" in self.value or "dm_conversation_id" in self.value

    @property
    def history(self) -> list[str]:
        """Ids of its versions, the oldest first."""
        ids = self.value.get("edit_history_tweet_ids")
        return [id for id in ids if isinstance(id, str)] if isinstance(ids, list) else []

    def referred(self, kind: str) -> str:
        """The id of the post that it answers (`replied_to`), quotes or reposts (`quoted`, `retweeted`)."""
        found = (one for one in objects_of(self.value, "referenced_tweets") if string_of(one, "type") == kind)
        return next((string_of(one, "id") for one in found), "")

    def addresses(self, user: str) -> bool:
        """Does its author mention, answer or quote this user? X lets us answer nobody else."""
        mentioned = objects_of(object_of(self.value, "entities"), "mentions")
        mentioned += objects_of(object_of(object_of(self.value, "note_tweet"), "entities"), "mentions")
        quoted = self.included.posts.get(self.referred("quoted"), {})
        ids = {string_of(self.value, "in_reply_to_user_id"), string_of(quoted, "author_id")}
        return user in ids | {string_of(one, "id") for one in mentioned}


def posts_in(body: bytes) -> Iterator[Post | Reject]:
    """The posts of an answer of the API, or of such objects a line each: the oldest of an answer first. Raises Reject
    where nothing can be read."""
    try:
        answers = [decode_lenient(body)]
    except ValueError:
        answers = list(_lines(body))
        if len(answers) == 1:
            raise Reject("not_json", "X sends nothing else than JSON") from None
    for answer in answers:
        yield from _posts(answer)


def _lines(body: bytes) -> Iterator[Any]:
    for line in body.splitlines():
        if line.strip():
            try:
                yield decode_lenient(line)
            except ValueError:
                yield Reject("not_json", "a line that is no JSON")


def _posts(answer: Any) -> Iterator[Post | Reject]:
    if isinstance(answer, Reject):
        yield answer
    elif isinstance(answer, list):
        for one in answer:
            yield from _posts(one)
    elif not isinstance(answer, dict):
        yield Reject("not_a_post", "neither an answer of the API nor a post")
    elif "data" in answer:
        listed = answer["data"] if isinstance(answer["data"], list) else [answer["data"]]
        included = Included.of(answer)
        found = [Post(one, included) if isinstance(one, dict) else Reject("not_a_post", "no object") for one in listed]
        yield from sorted(found, key=_age)
    elif "text" in answer or "event_type" in answer:
        yield Post(answer, Included.of({}))
    elif not answer.keys() & {"errors", "meta", "title"}:
        yield Reject("not_a_post", "neither an answer of the API nor a post")


def _age(found: Post | Reject) -> int:
    """Ids of X count up with time."""
    return number_of(found.id) if isinstance(found, Post) else 0


def number_of(id: str) -> int:
    """An id as a number; 0 where it is none."""
    return int(id) if len(id) <= _LONGEST_ID and id.isascii() and id.isdigit() else 0


def text_of(post: Post) -> str:
    """The words, whole, with the addresses that people see; those of its own media are left out."""
    value = post.value
    long = object_of(value, "note_tweet")
    shown = long if string_of(long, "text") else value
    urls = {string_of(one, "url"): one for one in objects_of(object_of(shown, "entities"), "urls")}

    def whole(found: re.Match[str]) -> str:
        link = urls.get(found[0])
        if link is None:
            return found[0]
        own = "media_key" in link or string_of(link, "display_url").startswith("pic.")
        return "" if own else string_of(link, "unwound_url") or string_of(link, "expanded_url")

    return html.unescape(_SHORT_LINK.sub(whole, string_of(shown, "text"))).strip()


def content_fields(post: Post) -> dict[str, Any]:
    """The fields of a `Message` that hold what was written or sent."""
    keys = object_of(post.value, "attachments").get("media_keys")
    media = [post.included.media.get(key, {"media_key": key}) for key in _texts(keys)]
    kinds = [_MEDIA_KINDS[word] for one in media if (word := string_of(one, "type")) in _MEDIA_KINDS]
    return {
        "kind": kinds[0] if kinds else "text",
        "text": text_of(post),
        "place": _place(post),
        "attachments": tuple(_attachment(one) for one in media),
        "sent_at": _time(string_of(post.value, "created_at")),
        "extra": _extra(post, media),
    }


def _texts(value: Any) -> Iterable[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _attachment(media: Json) -> Attachment:
    word = string_of(media, "type")
    films = [one for one in objects_of(media, "variants") if string_of(one, "content_type") == "video/mp4"]
    best = max(films, key=_bit_rate, default={})
    url = string_of(best, "url") or string_of(media, "url") or string_of(media, "preview_image_url")
    known = _MEDIA_TYPES.get(word) if string_of(best, "url") or word == "photo" else None
    return Attachment(native_id=string_of(media, "media_key") or None, url=url or None, media_type=known)


def _bit_rate(film: Json) -> float:
    rate = film.get("bit_rate")
    return rate if isinstance(rate, int | float) else 0


def _place(post: Post) -> Place | None:
    geo = object_of(post.value, "geo")
    place = post.included.places.get(string_of(geo, "place_id"), {})
    lat, lon = _coordinates(object_of(geo, "coordinates"))
    words = string_of(place, "full_name") or string_of(place, "name")
    return Place(lat=lat, lon=lon, words=words or None, source="shared") if words or lat is not None else None


def _coordinates(point: Json) -> tuple[float | None, float | None]:
    """X names the longitude first, as GeoJSON does."""
    pair = point.get("coordinates")
    if not isinstance(pair, list) or len(pair) != _PAIR or not all(isinstance(one, int | float) for one in pair):
        return None, None
    lon, lat = pair
    return (lat, lon) if abs(lat) <= _LAT and abs(lon) <= _LON else (None, None)


def _time(written: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _extra(post: Post, media: list[Json]) -> dict[str, str]:
    quoted = post.included.posts.get(post.referred("quoted"), {})
    extra = {
        "username": post.username,
        "quoted": string_of(quoted, "text")[:1000],
        "alt_text": "\n".join(filter(None, (string_of(one, "alt_text") for one in media))),
    }
    return {name: word for name, word in extra.items() if word}


def other_party(post: Post, ours: str) -> str:
    """Of a direct message of ours: the person to whom it went."""
    listed = post.value.get("participant_ids")
    ids = [id for id in listed if isinstance(id, str)] if isinstance(listed, list) else []
    ids = ids or string_of(post.value, "dm_conversation_id").split("-")
    return next((id for id in ids if id not in {ours, ""}), "")
