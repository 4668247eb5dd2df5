"""Comments, visitors' posts, mentions and recommendations: the changes of a Facebook page or an Instagram account.

A comment has up to three kinds of events: added, edited, removed. The first is the message, with the comment's id; the
others refer to it. Facts: developers.facebook.com, Graph API webhooks, page: feed, mention, ratings; Instagram:
comments, mentions.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from connectors._json import Json, object_of, objects_of, string_of
from connectors._meta_content import file_of, is_page, time_of
from schemas import Attachment, MessageKind, Party

_WRITTEN = frozenset({"comment", "post", "status", "photo", "video", "share", "link", "note", "album", "event"})
_ADDED = frozenset({"add", "added", ""})
_EDITED = frozenset({"edit", "edited", "update"})
_REMOVED = frozenset({"remove", "removed", "delete"})
_REACTIONS = frozenset({"reaction", "like"})
_FIELDS = frozenset({"feed", "mention", "ratings", "comments", "live_comments", "mentions"})


class FeedChange(NamedTuple):
    """A change of what people wrote in public to the page or account that the entry is about."""

    entry: str
    """Its id: ours."""
    at: Any
    """When Meta made the entry: seconds or milliseconds since 1970."""
    field: str
    value: Json

    @property
    def item(self) -> str:
        """Facebook's word for what it is; Instagram has comments and mentions only."""
        return string_of(self.value, "item") or ("rating" if self.field == "ratings" else "comment")

    @property
    def verb(self) -> str:
        return string_of(self.value, "verb")

    @property
    def id(self) -> str:
        """Of the comment, post or recommendation. A mention on Instagram names the comment, or else the medium."""
        names: tuple[str, ...] = ("comment_id", "open_graph_story_id", "post_id", "media_id")
        names = names if "item" in self.value else ("id", *names)
        return next(filter(None, (_id(self.value, name) for name in names)), "")

    @property
    def parent(self) -> str:
        """The comment that this one answers; empty where it answers the post."""
        parent = _id(self.value, "parent_id")
        return "" if self.item != "comment" or parent in {_id(self.value, "post_id"), self.id} else parent

    @property
    def author(self) -> Party:
        """Meta leaves it out where the app may not see it: then all is empty."""
        given, value = object_of(self.value, "from"), self.value
        id = _id(given, "id") or _id(value, "sender_id") or _id(value, "reviewer_id")
        names = (
            string_of(given, "name"), string_of(given, "username"), string_of(value, "sender_name"),
            string_of(value, "reviewer_name"),
        )  # fmt: skip
        return Party(name=next(filter(None, names), None), user=id or None)

    @property
    def conversation(self) -> str | None:
        """`PAGE:THREAD:AUTHOR`: one citizen's words under one comment. Without an author each comment stands alone."""
        if not self.id:
            return None
        author = self.author.user
        return f"{self.entry}:{self.parent or self.id}:{author}" if author else f"{self.entry}:{self.id}"

    @property
    def aliases(self) -> tuple[str, ...]:
        """A later event of the comment may come without its author."""
        return (f"{self.entry}:{self.id}",) if self.id and self.author.user else ()

    @property
    def is_ours(self) -> bool:
        """Instagram shows our own scoped id beside what we wrote ourselves."""
        own = _id(object_of(self.value, "from"), "self_ig_scoped_id")
        return bool(own) or (bool(self.entry) and self.author.user == self.entry)

    @property
    def reply_path(self) -> str:
        """Where an answer goes: `comment:ID`, `post:ID`, or `unsigned:ID` for a comment whose author Meta leaves out;
        empty where nothing can be answered."""
        if not self.id or self.field in {"ratings", "mention"} or "media_id" in self.value:
            return ""
        if self.item != "comment":
            return f"post:{self.id}"
        return f"comment:{self.id}" if self.author.user else f"unsigned:{self.id}"


def is_feed(field: str) -> bool:
    """Are changes of this field people's words?"""
    return field in _FIELDS


def feed_fields(change: FeedChange, kind: str) -> tuple[str, dict[str, Any]]:
    """The native id of a change, and the fields of its `Message`. `kind` begins the author's id."""
    value, verb = change.value, change.verb
    known: dict[str, Any] = {
        "sender": _sender(change, kind),
        "sent_at": time_of(value.get("created_time")) or time_of(change.at),
        "refusal": _refusal(change),
    }
    if change.item in _REACTIONS:
        return _derived(change, string_of(value, "reaction_type") or verb), known | _reaction(change)
    if change.item not in _WRITTEN | {"rating"}:
        return _derived(change, verb), known | _strange(change)
    if verb in _ADDED:
        return change.id, known | _words(change)
    if verb in _EDITED:
        return _derived(change, verb), known | _words(change) | {"kind": "edit", "refers_to": change.id or None}
    if verb in _REMOVED:
        return _derived(change, verb), known | {"kind": "deletion", "refers_to": change.id or None}
    return _derived(change, verb), known | _notice(verb)


def _refusal(change: FeedChange) -> str | None:
    if not change.is_ours:
        return None
    return "echo of our own" if change.item == "comment" else "own publicity"


def _words(change: FeedChange) -> dict[str, Any]:
    value = change.value
    text = next(filter(None, (string_of(value, name) for name in ("message", "text", "review_text"))), "")
    files = _files(change)
    return {
        "kind": _kind(text, value, files),
        "kind_word": None if text or files else change.field if change.field != "feed" else change.item,
        "text": text,
        "attachments": files,
        "refers_to": change.parent or None,
        "extra": _extra(change),
        "answerable": bool(change.reply_path),
    }


def _kind(text: str, value: Json, files: tuple[Attachment, ...]) -> MessageKind:
    if not files:
        return "text" if text else "unknown"
    return "video" if string_of(value, "item") == "video" or "video" in value else "image"


def _files(change: FeedChange) -> tuple[Attachment, ...]:
    """Pictures and films by address; `link` is one only where the item says so."""
    value = change.value
    urls = [string_of(value, "photo"), string_of(value, "video")]
    if change.item in {"photo", "video"}:
        urls.append(string_of(value, "link"))
    listed = value.get("photos")
    urls += [url for url in listed if isinstance(url, str)] if isinstance(listed, list) else []
    return tuple(file_of(url) for url in dict.fromkeys(urls) if url and not is_page(url))


def _reaction(change: FeedChange) -> dict[str, Any]:
    action = "unreact" if change.verb in _REMOVED else "react"
    word = string_of(change.value, "reaction_type") or "like"
    return {"kind": "reaction", "text": word, "refers_to": change.id or None, "extra": {"action": action}}


def _strange(change: FeedChange) -> dict[str, Any]:
    """An item that we do not know. Without an author and words it is a change of the page itself."""
    words = _words(change)
    silent = not (change.author.user or words["text"] or words["attachments"])
    return words | {"kind_word": change.item[:40]} | ({"refusal": "notice"} if silent else {})


def _notice(verb: str) -> dict[str, Any]:
    """Hidden, shown again: what the page's staff did with it."""
    return {"kind": "system", "kind_word": verb[:40], "refusal": "notice"}


def _extra(change: FeedChange) -> dict[str, str]:
    value = change.value
    extra = {
        "field": change.field,
        "reply_to": change.reply_path,
        "post": _id(value, "post_id") or _id(object_of(value, "media"), "id") or _id(value, "media_id"),
        "link": string_of(object_of(value, "post"), "permalink_url") or string_of(value, "link"),
        "recommendation": string_of(value, "recommendation_type"),
        "tagged": ", ".join(string_of(tag, "name") for tag in objects_of(value, "message_tags")),
    }
    return {name: word for name, word in extra.items() if word}


def _sender(change: FeedChange, kind: str) -> Party:
    author = change.author
    return Party(name=author.name, user=f"{kind}:{author.user}" if author.user else None)


def _derived(change: FeedChange, what: str) -> str:
    """An id of what Meta gives none: by who, when, what, and the words."""
    at: datetime | None = time_of(change.value.get("created_time")) or time_of(change.at)
    words = sha256(string_of(change.value, "message").encode("utf-8", "replace")).hexdigest()[:12]
    when = int(at.timestamp()) if at else 0
    return f"{change.id}:{what[:40]}:{change.author.user or ''}:{when}:{words}" if change.id else ""


def _id(value: Json, name: str) -> str:
    found = value.get(name)
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) and found else ""


def changes_of(entry: Json, id: str) -> list[FeedChange]:
    """The changes of an entry that are people's words."""
    return [
        FeedChange(id, entry.get("time"), field, object_of(change, "value"))
        for change in objects_of(entry, "changes")
        if is_feed(field := string_of(change, "field"))
    ]
