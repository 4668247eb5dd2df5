"""The meaning of a portal's row: a citizen's message, and what was done about it. Compiled once of the manifest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from connectors._lapor_body import OURS
from connectors._port import Channel
from connectors._portal_expressions import Expression, compile_expression, is_yes, number_of, plain_text
from connectors._portal_manifest import ActionMap, Manifest, MessageMap, Stream
from connectors._portal_rows import Row
from connectors._request import Part
from connectors._rows.times import AmbiguousTime, read_time
from schemas import Action, Actor, Attachment, Category, Message, Office, Party, Place, Raw, Reject, Status
from schemas.regions import is_region

ECHO = "an echo of our own"
NOT_A_REPORT = "the portal's manifest says that it is no report"


_FLAGS = ("anonymous", "secret", "skip")
_ALIASES = (("lat", "latitude"), ("lon", "longitude"), ("words", "place"), ("code", "region"), ("words", "region"))


class PortalPart(NamedTuple):
    """One item of a row."""

    stream: str
    action: int | None
    """Position of the action among those of the stream; None: the message."""
    item: Row
    """The row, or the element that `each` found in it, with `row` beside its own fields."""
    row: Row


class Words:
    """The portal's words, times and offices."""

    def __init__(self, manifest: Manifest, account: str) -> None:
        self._tables, self._dates, self._account = manifest.tables, manifest.dates, account
        self._zone = ZoneInfo(manifest.zone)
        self._status = {_folded(word): status for word, status in manifest.tables.status.items()}

    def time(self, value: Any, name: str) -> datetime | None:
        """Raises Reject."""
        written = plain_text(value)
        if not written:
            return None
        try:
            return self.parse_time(written)
        except AmbiguousTime:
            raise Reject("ambiguous_time", f'{name}: may be two dates: set dates = "day-first"') from None
        except (ValueError, OverflowError, OSError):
            raise Reject("wrong_time", f"{name}: is no time that can be read") from None

    def parse_time(self, written: str) -> datetime:
        """In UTC. Raises ValueError, AmbiguousTime."""
        if written.isdigit() and len(written) in {10, 13}:
            return datetime.fromtimestamp(int(written) / (1000 if len(written) == 13 else 1), UTC)
        return read_time(written, self._zone, self._dates).astimezone(UTC)

    def status(self, word: str) -> Status:
        return self._status.get(_folded(word), "unknown")

    def office(self, value: Any) -> Office | None:
        """One that is not in the table is named as of the portal."""
        if not (word := plain_text(value)):
            return None
        known = self._tables.office.get(word)
        return Office(id=known, name=word) if known else Office(id=f"{self._account}:{word}", name=word)

    def category(self, value: Any) -> Category | None:
        """None: it is not in the table."""
        word = plain_text(value)
        known = self._tables.category.get(word)
        return Category(id=known, name=word) if known else None

    def region(self, value: Any) -> str | None:
        word = plain_text(value)
        known = self._tables.region.get(word, word)
        return known if is_region(known) else None


class MessageReader:
    """Reads the citizen's message of a row."""

    def __init__(self, map: MessageMap, words: Words) -> None:
        named = {f.name: getattr(map, f.name) for f in msgspec.structs.fields(map)}
        self._get = {name: compile_expression(source) for name, source in named.items() if isinstance(source, str)}
        self._systems = {name: compile_expression(source) for name, source in map.external_ids.items()}
        self._mapped = {name for name, source in named.items() if source}
        self._sources = {name: source for name, source in named.items() if isinstance(source, str)}
        self._words = words

    def native(self, row: Row) -> str:
        """The portal's id of the complaint; empty: it has none."""
        return plain_text(self._get["id"](row))

    def fields(self, row: Row, system: str) -> dict[str, Any]:
        """Raises Reject."""
        found = {name: self._get[name](row) for name in self._mapped if name in self._get}
        text = found.get("text")
        native = plain_text(found.get("id"))
        if not native:
            raise Reject("no_id", "the row has no id where the manifest says")
        if not isinstance(text, str) or not text.strip():
            raise Reject("no_text", f"row {native}: it has no words where the manifest says")
        skipped, ours = found.get("skip"), OURS.search(text)
        return {
            "text": text,
            "title": plain_text(found.get("title")),
            "sent_at": self._words.time(found.get("sent_at"), "sent_at"),
            "sender": _party(found),
            "place": self._place(found),
            "category": self._words.category(found.get("category")),
            "office": self._words.office(found.get("office")),
            "anonymous": is_yes(found.get("anonymous")),
            "secret": is_yes(found.get("secret")),
            "attachments": attachments_of(found.get("attachments")),
            "tags": _tags(found.get("tags")),
            "external_ids": {system: native, **self._external(row)},
            "extra": self._extra(found),
            "refusal": ECHO if ours else NOT_A_REPORT if skipped and skipped != "false" else None,
            "number": ours[1] if ours else None,
        }

    def empty(self, rows: Sequence[Row], account: str) -> dict[str, str]:
        """The mapped fields of which no row has a value that can be used, with their expressions."""
        found: set[str] = set()
        read = 0
        for row in rows:
            try:
                fields = self.fields(row, account)
            except Reject:
                continue
            read += 1
            shown = {name for name in _FLAGS if name in self._mapped}
            for part in (fields, fields["sender"], fields["place"], {"category": fields["extra"].get("category")}):
                shown |= {name for name, value in _values(part) if value}
            found |= shown | {of for name, of in _ALIASES if name in shown}
        missing = sorted(self._mapped - found - {"id"}) if read else ()  # rows that cannot be read show nothing
        return {name: self._sources[name] for name in missing if name in self._sources}

    def _external(self, row: Row) -> dict[str, str]:
        found = ((name, plain_text(get(row))) for name, get in self._systems.items())
        return {name: value for name, value in found if value}

    def _place(self, found: Row) -> Place | None:
        code, words = self._words.region(found.get("region")), plain_text(found.get("place")) or None
        if code is None and (said := plain_text(found.get("region"))):
            words = f"{words}, {said}" if words else said
        lat, lon = number_of(found.get("latitude")), number_of(found.get("longitude"))
        if lat is None or lon is None or not (-90 <= lat <= 90 and -180 <= lon <= 180) or (lat, lon) == (0, 0):
            lat = lon = None
        if code is None and words is None and lat is None:
            return None
        return Place(code=code, words=words, lat=lat, lon=lon, source="said" if lat is None else "shared")

    def _extra(self, found: Row) -> dict[str, str]:
        word = plain_text(found.get("category"))
        return {"category": word} if word and self._words.category(word) is None else {}


class ActionReader:
    """Reads an action of a row, or several."""

    def __init__(self, map: ActionMap, words: Words) -> None:
        self.what = map.what
        named = {f.name: getattr(map, f.name) for f in msgspec.structs.fields(map)}
        self._get: dict[str, Expression] = {
            name: compile_expression(source) for name, source in named.items() if name != "what"
        }
        self._each, self._has_of, self._has_when = map.each, bool(map.of), bool(map.when)
        self._words = words

    def elements(self, row: Row) -> Iterator[Row]:
        """The row, or the elements inside, as far as they are such an action."""
        if not self._each:
            found = [row]
        else:
            elements = self._get["each"](row)
            elements = [elements] if isinstance(elements, dict) else elements if isinstance(elements, list) else []
            found = [{**one, "row": row} for one in elements if isinstance(one, dict)]
        for one in found:
            if self._says_something(one):
                yield one

    def _says_something(self, one: Row) -> bool:
        if self._has_when:
            return is_yes(self._get["when"](one))
        names = ("status",) if self.what == "status" else ("text", "to", "attachments")
        return any(self._get[name](one) for name in names)

    def of(self, one: Row, native: str) -> str:
        return plain_text(self._get["of"](one)) if self._has_of else native

    def fields(self, one: Row, native: str, system: str) -> tuple[str, dict[str, Any]]:
        """The native id, and the fields of the Action. Raises Reject."""
        of, number = self.of(one, native), plain_text(self._get["number"](one)) or None
        if not of and not number:
            raise Reject("no_complaint", "the row does not say which complaint it is about")
        words, said = plain_text(self._get["text"](one)), plain_text(self._get["status"](one)) or None
        at = self._get["at"](one)
        own = plain_text(self._get["id"](one)) or _digest(words, said, plain_text(at))
        office = self._words.office(self._get["office"](one))
        to = self._words.office(self._get["to"](one)) if self.what == "disposition" else office
        echo = bool(OURS.search(words)) or is_yes(self._get["echo"](one))
        return f"{of or number}/{self.what}/{own}", {
            "what": self.what,
            "of": {system: of} if of else {},
            "number": number,
            "text": OURS.sub("", words).strip(),
            "status": self._words.status(said) if said else None,
            "status_said": said,
            "observed_at": self._words.time(at, "at"),
            "office": to,
            "actor": Actor(kind="office", name=office.name) if office else Actor(kind="system", id=system),
            "attachments": attachments_of(self._get["attachments"](one)),
            "refusal": ECHO if echo else None,
        }


class StreamReader:
    """Reads the rows of a stream."""

    def __init__(self, name: str, stream: Stream, words: Words) -> None:
        self.name = name
        self.message = MessageReader(stream.message, words) if stream.message else None
        self.actions = [ActionReader(action, words) for action in stream.actions]

    def parts(self, row: Row) -> Iterator[tuple[PortalPart, str]]:
        """The items of a row, the message first, each with the id of its complaint."""
        native = self.message.native(row) if self.message else ""
        if self.message:
            yield PortalPart(self.name, None, row, row), native
        for position, action in enumerate(self.actions):
            for one in action.elements(row):
                yield PortalPart(self.name, position, one, row), action.of(one, native)

    def item(self, channel: Channel, part: Part, raw: Raw) -> Message | Action:
        """What a part is, as an item of the channel. An office's own system says what it says of other systems."""
        found: PortalPart = part.payload
        if found.action is None:
            assert self.message is not None
            fields = self.message.fields(found.row, channel.account)
            native = fields["external_ids"][channel.account]
            conversation = part.conversation or raw.id
            return channel.message(raw, native, conversation, opens_report=True, ids_proven=True, **fields)
        native = self.message.native(found.row) if self.message else ""
        own, fields = self.actions[found.action].fields(found.item, native, channel.account)
        return channel.action(raw, own, **fields)


def attachments_of(value: Any) -> tuple[Attachment, ...]:
    """Of addresses, or of objects with `url`."""
    values = value if isinstance(value, list) else [value]
    found = []
    for one in values:
        url, name = (one.get("url"), one.get("name")) if isinstance(one, dict) else (one, None)
        if isinstance(url, str) and url.strip():
            found.append(
                Attachment(native_id=url.strip(), url=url.strip(), name=name if isinstance(name, str) else None)
            )
    return tuple(found)


def _values(part: Any) -> list[tuple[str, Any]]:
    if isinstance(part, dict):
        return list(part.items())
    return [] if part is None else [(field.name, getattr(part, field.name)) for field in msgspec.structs.fields(part)]


def _party(found: Row) -> Party:
    values = {name: plain_text(found.get(name)) or None for name in ("name", "phone", "email", "nik", "address")}
    email = values.pop("email")
    return Party(**values, email=email.lower() if email else None)


def _tags(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = value.split(",")
    return tuple(filter(None, map(plain_text, value))) if isinstance(value, list) else ()


def _folded(word: str) -> str:
    return " ".join(word.lower().split())


def _digest(*words: str | None) -> str:
    return sha256("\0".join(word or "" for word in words).encode()).hexdigest()[:16]
