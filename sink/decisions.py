"""Decisions of the matcher as the record stores them: without what their row says already, and without a channel's id.

A message id is stored as what was added to the id of the item as it was read: nothing, or `~2` where the same id came
again with other content. The id itself comes back from the item that is asked about.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import msgspec
from msgspec.structs import replace

from schemas import Action, Match, Message, Outcome, Place, encode
from schemas.memory import Decision
from sink.identifiers import Identifiers
from sink.instant import parse_instant
from sink.vault import Vault

Item = Message | Action


class _Stored(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A Decision without `raw`, `item_index`, `message` and `received_at`."""

    suffix: str = ""
    content: str = ""
    outcome: Outcome
    complaint: str | None = None
    number: str | None = None
    opens_complaint: bool = False
    reason: str | None = None
    matches: tuple[Match, ...] = ()
    missing: tuple[str, ...] = ()
    place: Place | None = None
    stranger: bool = False
    switches_thread: bool = False
    reader: str = ""
    matcher: str = ""


_decode = msgspec.json.Decoder(_Stored).decode
_SHARED = [name for name in _Stored.__struct_fields__ if name not in {"suffix", "matches"}]
_shared = attrgetter(*_SHARED)


class DecisionRows:
    """Makes rows of `decisions`, and reads them."""

    def __init__(self, vault: Vault, ids: Identifiers) -> None:
        self._vault = vault
        self._ids = ids

    def row(self, item: Item, decision: Decision, at: Any, now: Any) -> dict[str, Any]:
        """`at` is the item's receipt, `now` the time of the decision; both as the driver takes them."""
        return {
            "raw": decision.raw, "item_index": decision.item_index, "owner": item.owner,
            "first": None if decision.outcome == "redelivered" else self._vault.message_key(decision.message),
            "found_by": self.fingerprint_key(item) or self._deleted_key(item), "at": at, "decided_at": now,
            "decision": self._encode(item, decision),
        }  # fmt: skip

    def fingerprint_key(self, item: Item) -> bytes | None:
        """The hash of a message's fingerprint; None: it has none."""
        fingerprint = item.fingerprint if isinstance(item, Message) else None
        return self._vault.digest("fingerprint", fingerprint) if fingerprint else None

    def deletion_key(self, id: str) -> bytes:
        """The hash under which the deletion of the message with this id stands."""
        return self._vault.digest("deletion", id)

    def _deleted_key(self, item: Item) -> bytes | None:
        deleted = item.deletes if isinstance(item, Message) else None
        return self.deletion_key(deleted) if deleted else None

    def _encode(self, item: Item, decision: Decision) -> str:
        suffix = decision.message.removeprefix(item.id)
        matches = tuple(replace(m, of=self._ids.public_message_id(m.of)) for m in decision.matches)
        shared = dict(zip(_SHARED, _shared(decision), strict=True))
        return encode(_Stored(suffix=suffix, matches=matches, **shared)).decode()


def decision_about(row: Any, id: str) -> Decision:
    """The decision of a row about the item whose id, as it was read, is `id`."""
    stored = _decode(row.decision)
    return _decision(row, stored, id + stored.suffix)


def decision_with_id(row: Any, id: str) -> Decision:
    """The decision of a row whose settled message id is known to be `id`."""
    return _decision(row, _decode(row.decision), id)


def _decision(row: Any, stored: _Stored, id: str) -> Decision:
    shared = dict(zip(_SHARED, _shared(stored), strict=True))
    return Decision(
        raw=row.raw, item_index=row.item_index, message=id, received_at=parse_instant(row.at),
        matches=stored.matches, **shared,
    )  # fmt: skip
