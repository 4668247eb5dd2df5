"""What officers do, by command line, API or console. The hub stores it as a Raw; this reads it as an Action.

| act | action | status |
|---|---|---|
| verify, take | status | verified, in_progress |
| ask, note | question, note | |
| answer | answer | in_progress, where the report was not that far |
| finish, archive, reject | status | done, archived, rejected |
| reopen | status, stated | in_progress |
| pass | disposition | |
| link, join, unlink | link, join, undo | |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from connectors._port import Channel
from connectors._request import Part, Payload
from connectors._settings import Secret, Settings
from schemas import Action, Actor, Office, Raw, Reject, Status
from schemas.values import ActionKind, ActorKind, Instant

Act = Literal[
    "verify", "take", "ask", "note", "answer", "pass", "finish", "archive", "reject", "reopen", "join", "link", "unlink"
]
MEANINGS: Mapping[str, tuple[ActionKind, Status | None]] = {
    "verify": ("status", "verified"), "take": ("status", "in_progress"), "ask": ("question", None),
    "note": ("note", None), "answer": ("answer", "in_progress"), "pass": ("disposition", None),
    "finish": ("status", "done"), "archive": ("status", "archived"), "reject": ("status", "rejected"),
    "reopen": ("status", "in_progress"), "join": ("join", None), "link": ("link", None), "unlink": ("undo", None),
}  # fmt: skip
NEEDS_TEXT = frozenset({"ask", "note", "answer", "archive", "reject"})
NEEDS_OTHER = frozenset({"join", "link", "unlink"})
"""Acts that name another report."""
Short = Annotated[str, Meta(max_length=200)]


class ConsoleSettings(Settings, frozen=True, kw_only=True):
    api_keys: tuple[Secret, ...] = ()
    """Keys of callers that may act, on reports of the account's owner and below."""
    office: str = ""
    """Of the office for which they act: id, name or region; empty: for the region's coordinator."""
    actions: tuple[Act, ...] = ()
    """What they may do; empty: everything."""


class OfficerAct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One act on one report, as the hub writes it."""

    native: Annotated[str, Meta(min_length=1, max_length=255)]
    number: Annotated[str, Meta(pattern=r"^\d{10}$")]
    act: Act
    text: Annotated[str, Meta(max_length=10_000)] = ""
    to: Short | None = None
    """The other report's number, for join, link and unlink."""
    office: Short | None = None
    """Id of the office: the one it is passed to, or the one that answers. None with `pass`: up the hierarchy."""
    office_name: Short | None = None
    actor_kind: ActorKind = "officer"
    actor_id: Short | None = None
    actor_name: Short | None = None
    person: Short | None = None
    """Who acts for the office."""
    at: Instant | None = None


_act = msgspec.json.Decoder(OfficerAct)


class ConsoleChannel(Channel):
    kind = "console"
    proof_settings = ("api_keys",)
    settings_type = ConsoleSettings
    counts_for_guard = False
    template = """\
# Officers and systems that act on reports by POST /api/v1/reports/NUMBER/actions, within the owner's region.
api_keys = ["{secret}"]
# office = "dishub"                  # by id, name or region; left out: the region's coordinator
# actions = ["answer", "finish"]     # what they may do; left out: everything
"""

    def setup_help(self, url: str) -> str:
        return "callers of the actions API send `Authorization: Bearer KEY`, one of api_keys"

    def parts(self, payload: Payload) -> Iterator[Part]:
        try:
            act = _act.decode(payload.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Reject("not_an_act", str(error)) from None
        yield Part(act, act.number)

    def read(self, part: Part, raw: Raw) -> Action:
        act: OfficerAct = part.payload
        what, status = MEANINGS[act.act]
        known: dict[str, Any] = {
            "what": what, "status": status, "number": act.number, "text": act.text, "to": act.to,
            "reopens": act.act == "reopen", "observed_at": act.at,
            "actor": Actor(kind=act.actor_kind, id=act.actor_id, name=act.actor_name, person=act.person),
            "office": Office(id=act.office, name=act.office_name) if act.office else None,
        }  # fmt: skip
        return self.action(raw, act.native, **known)
