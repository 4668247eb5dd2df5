"""The manifest of a portal or a database, tried on an answer or an export of it without any network."""

from __future__ import annotations

from collections import Counter

from hub.commands import print_message
from hub.commands.parse import items_of, payload_of, portal_of, print_item
from hub.settings import UsageError, did_you_mean
from schemas import Action, Dead, Event, Message, Reject


def try_manifest(manifest: str, sample: str, stream: str) -> int:
    """Print what each row would become, and which fields were not used. The number of items that cannot be read."""
    from connectors.database import Database
    from connectors.portal import Portal

    portal = portal_of(manifest, None)
    assert isinstance(portal, Portal | Database)
    if stream and stream not in portal.streams:
        near = did_you_mean(stream, portal.streams)
        raise UsageError(f"{stream} is no stream of {manifest}{near}: it has {', '.join(portal.streams)}")
    (raw,) = payload_of(sample, portal, {}, "")
    try:
        stream, rows = portal.rows_of_sample(raw.body, stream)
    except Reject as reject:
        raise UsageError(f"{sample}: {reject.detail}") from None
    (raw,) = payload_of(sample, portal, {}, "", stream)
    items = list(items_of(portal, [raw]))
    counts = Counter(_kind(item) for item in items)
    for item in items:
        print_item(item)
    found = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "nothing"
    print_message(f"stream {stream}: {len(rows)} rows: {found}")
    for name, count in portal.unused_fields(stream, rows).items():
        print_message(f"not used: {name} (in {count} of {len(rows)} rows)")
    for name, source in portal.empty_fields(stream, rows).items() if isinstance(portal, Portal) else ():
        print_message(f"{name}: no row has one that can be used, by {source}")
    for word in sorted({one.status_said or "" for one in items if isinstance(one, Action) and one.status == "unknown"}):
        print_message(f"[tables.status] has no {word}: it is kept as it is, and moves nothing")
    return counts["unreadable"]


def _kind(item: Event) -> str:
    if isinstance(item, Dead):
        return "unreadable"
    if isinstance(item, Message):
        return "not reports" if item.refusal else "reports"
    return "actions"
