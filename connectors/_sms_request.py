"""What an SMS gateway's request says, by query or form: parameters under our names, still bytes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from urllib.parse import unquote_plus, unquote_to_bytes

_NAMES = {
    "from": ("from", "sender", "msisdn"),
    "to": ("to", "receiver", "recipient"),
    "text": ("text", "msg", "message", "body", "binary"),
    "id": ("id", "msgid", "message_id"),
    "time": ("ts", "time", "timestamp"),
}


def is_report(given: Mapping[str, bytes]) -> bool:
    """Some get-urls carry %d for messages too; the dlr-url that we send never carries a text."""
    return "dlr" in given and "text" not in given


def parameters(query: str, body: bytes) -> dict[str, bytes]:
    """By our own names, percent-decoded and not yet text: their charset is one of them."""
    given: dict[str, bytes] = {}
    for pair in filter(None, [*_bytes(query).split(b"&"), *body.split(b"&")]):
        name, _, value = pair.partition(b"=")
        key = (unquote_to_bytes(name) if b"%" in name else name).decode("latin-1").strip().lower()
        if key not in given:
            value = value.replace(b"+", b" ")
            given[key] = unquote_to_bytes(value) if b"%" in value else value
    for ours, names in _NAMES.items():
        for theirs in names:
            if theirs in given:
                given[ours] = given[theirs]
                break
    return given


def token_in(query: str) -> str:
    """The first parameter `token` that is not empty, as `parse_qs` finds it in four times as long."""
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if value and unquote_plus(name) == "token":
            return unquote_plus(value)
    return ""


def _bytes(query: str) -> bytes:
    """The ingress hands raw bytes on as Latin-1."""
    try:
        return query.encode("latin-1")
    except UnicodeEncodeError:
        return query.encode("utf-8", "replace")


def string(given: Mapping[str, bytes], name: str) -> str:
    return given.get(name, b"").decode("utf-8", "replace").replace("\x00", "").strip()


def gateway_time(written: str, zone: tzinfo) -> datetime | None:
    """Seconds since 1970 as Kannel's %T, or ISO 8601 as its %t, in `zone` where it names none; None: it is neither."""
    try:
        if written.isdigit():
            return datetime.fromtimestamp(int(written), UTC)
        time = datetime.fromisoformat(written)
        time = time if time.tzinfo else time.replace(tzinfo=zone)
        time.astimezone(UTC)  # the first and last days of the calendar have no such instant
        return time
    except (ValueError, OverflowError, OSError):
        return None


def concatenation(udh: bytes) -> dict[str, str]:
    """Which part of a long message this is, where the gateway did not join it."""
    try:
        header = bytes.fromhex(udh.decode("ascii"))
    except ValueError:
        header = udh
    at = 1
    while at + 1 < len(header):
        element, size = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + size]
        if (element, len(value)) in {(0x00, 3), (0x08, 4)}:
            return {"part": f"{value[-1]}/{value[-2]}", "ref": str(int.from_bytes(value[:-2], "big"))}
        at += 2 + size
    return {}
