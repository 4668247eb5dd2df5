"""What may leave: a forward is cut down to the fields that its destination may have, by the lists in `disclosure.toml`.

The disclosure log (table `disclosures`) is written in the transaction that queues the forward. It holds names of fields
and a keyed hash of all that left, never a value.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from schemas import Forward, Party, Place, encode
from schemas.personal import mask_personal

PLAIN = ("report_class", "title", "text", "category", "incident_date", "offices", "status", "attachments")
PLACE = {
    "place.code": ("code",),
    "place.name": ("name", "level"),
    "place.words": ("words",),
    "place.point": ("lat", "lon"),
}
REPORTER = tuple(f"reporter.{name}" for name in ("name", "phone", "email", "nik", "address"))
FIELDS = frozenset({*PLAIN, *PLACE, *REPORTER})
"""Everything that a list may name. A channel's own id of a person never leaves."""


class Projection(NamedTuple):
    """What may leave for one destination."""

    name: str
    """List and version, as the log shows it."""
    fields: frozenset[str]
    masked: frozenset[str]


class Projected(NamedTuple):
    """A forward as it leaves."""

    forward: Forward
    fields: tuple[str, ...]
    """Names of the fields that leave, sorted."""
    withheld: tuple[str, ...]
    """Names of those that have a value and stay."""


class _List(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    fields: tuple[str, ...]
    mask: tuple[str, ...] = ()


def projection_of(destination: str, forward: Forward, withheld: Collection[str] = ()) -> Projection:
    """What of this forward may leave for that destination; `withheld` are names that its account keeps back."""
    version, lists = _load()
    chosen = destination if destination in lists else "default"
    wishes = [name for name, wished in (("anonymous", forward.anonymous), ("secret", forward.secret)) if wished]
    wishes = wishes or ["open"]
    fields = frozenset.intersection(*(frozenset(lists[chosen][wish].fields) for wish in wishes))
    masked = frozenset().union(*(lists[chosen][wish].mask for wish in wishes))
    return Projection(f"{chosen}.{'+'.join(wishes)} v{version}", fields - frozenset(withheld), masked)


def project(forward: Forward, by: Projection) -> Projected:
    """The forward with the fields that may leave."""
    present = _present(forward)
    plain = {name: getattr(forward, name) for name in PLAIN if name in by.fields and name in present}
    plain |= {name: mask_personal(plain[name]) for name in by.masked & plain.keys()}
    left = Forward(
        what=forward.what, number=forward.number, reference=forward.reference, at=forward.at,
        sent_at=forward.sent_at, owner=forward.owner,
        channel=forward.channel, native=forward.native, due=forward.due,
        anonymous=forward.anonymous, secret=forward.secret, **plain,
        place=_place(forward.place, by.fields & present), reporter=_reporter(forward.reporter, by.fields & present),
    )  # fmt: skip
    return Projected(left, tuple(sorted(present & by.fields)), tuple(sorted(present - by.fields)))


def canonical(forward: Forward) -> str:
    """All that leaves, as the log's hash is made of it."""
    return encode(replace(forward, native=None)).decode()


def _present(forward: Forward) -> frozenset[str]:
    """Names of the fields that have a value."""
    found = {name for name in PLAIN if getattr(forward, name) not in (None, "", (), "unknown")}
    if forward.place is not None:
        place = forward.place
        found |= {name for name, parts in PLACE.items() if any(getattr(place, part) is not None for part in parts)}
    if forward.reporter is not None:
        found |= {name for name in REPORTER if getattr(forward.reporter, name.removeprefix("reporter.")) is not None}
    return frozenset(found)


def _place(place: Place | None, fields: Collection[str]) -> Place | None:
    kept = [part for name, parts in PLACE.items() if name in fields for part in parts]
    return Place(**{part: getattr(place, part) for part in kept}) if place is not None and kept else None


def _reporter(party: Party | None, fields: Collection[str]) -> Party | None:
    kept = [name.removeprefix("reporter.") for name in REPORTER if name in fields]
    return Party(**{name: getattr(party, name) for name in kept}) if party is not None and kept else None


@cache
def _load() -> tuple[str, Mapping[str, Mapping[str, _List]]]:
    body: dict[str, Any] = tomllib.loads(Path(__file__).with_name("disclosure.toml").read_text(encoding="utf-8"))
    version = body.pop("version")
    lists = msgspec.convert(body, dict[str, dict[str, _List]])
    for name, of in ((f"{a}.{b}", one) for a, inner in lists.items() for b, one in inner.items()):
        if unknown := {*of.fields, *of.mask} - FIELDS:
            raise ValueError(f"disclosure.toml, {name}: there is no field {', '.join(sorted(unknown))}")
    return str(version), lists
