"""An officer's act as a Raw: it enters by an account of kind console, is stored, and walks the pipeline."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec

from connectors import Channel
from connectors.console import NEEDS_OTHER, NEEDS_TEXT, Act, OfficerAct
from hub.web.translations import TranslatableText
from normalizer.clean import is_blank
from router import OfficeRegistry
from schemas import CLOSED_STATUSES, Body, Raw
from schemas.values import ActorKind
from sink.action_targets import ActionTarget

REASONS = {
    "status_is_current": "the report has that status already",
    "status_would_move_back": "the report is further than that; reopen a closed one",
    "older_than_the_current_status": "a later status was reported already",
    "another_office_works_on_it": "another office still works on it; the own part is done",
    "passed_on": "the office passed it on and another has it; it gets it back by pass",
    "closed": "the report is closed; reopen it first",
    "office_has_it": "the office has it already",
    "linked_already": "the two reports are linked already",
    "not_linked": "the two reports are not linked",
    "no_other_complaint": "name another report by its number",
    "nothing_to_apply": "it has no words",
}
"""Why an act changed nothing, by the record's word."""


class Request(NamedTuple):
    """What somebody asks for."""

    act: Act
    text: str = ""
    to: str | None = None
    """An office (its id, its name or a region) for `pass`; the other report's number for join, link and unlink."""
    acting: str | None = None
    """The office that acts."""
    person: str | None = None
    """Who acts, for an office or without one."""


class IncompleteActError(Exception):
    """Something is missing in the act, the office is not known, or the report must be reopened first."""

    def __init__(self, key: str, **values: object) -> None:
        self.words = TranslatableText(f"p_{key}", values)
        super().__init__(self.words.to("en"))


def officer_act(
    request: Request, target: ActionTarget, offices: OfficeRegistry, native: str, at: datetime
) -> OfficerAct:
    """The act as it is stored. Raises IncompleteActError."""
    if request.act in NEEDS_TEXT and is_blank(request.text):
        raise IncompleteActError("act_needs_text", act=request.act)
    if request.act in NEEDS_OTHER and not request.to:
        raise IncompleteActError("act_needs_other", act=request.act)
    if request.act == "pass" and target.status in CLOSED_STATUSES:
        raise IncompleteActError("act_closed", act=request.act)
    acting = _office(request.acting, offices, target) if request.acting else _own_desk(request, target, offices)
    kind: ActorKind = "office" if acting else "officer"
    actor_id, actor_name = acting or (request.person, request.person)
    current = (target.office, target.office_name) if target.office else (None, None)
    office, name = acting or current
    if request.act == "pass":
        office, name = _office(request.to, offices, target) if request.to else (None, None)
    return OfficerAct(
        native=native, number=target.number, act=request.act, text=request.text,
        to=request.to if request.act in NEEDS_OTHER else None, office=office, office_name=name,
        actor_kind=kind, actor_id=actor_id, actor_name=actor_name,
        person=request.person if acting else None, at=at,
    )  # fmt: skip


def _own_desk(request: Request, target: ActionTarget, offices: OfficeRegistry) -> tuple[str, str | None] | None:
    """Whoever names no office passes a report on for the region's coordinator, where that has it: what it had begun
    does not stay with it. From another office's hands a person sends it on, and what that office began goes on."""
    coordinator = offices.coordinator(target.owner)
    return (coordinator.id, coordinator.name) if request.act == "pass" and target.office == coordinator.id else None


def _office(named: str, offices: OfficeRegistry, target: ActionTarget) -> tuple[str, str | None]:
    if found := offices.find(named, target.owner):
        return found.id, found.name
    if named in target.offices:  # chosen by a rule, and not in the registry
        return named, target.office_name if named == target.office else None
    raise IncompleteActError("act_unknown_office", office=named)


def act_raw(act: OfficerAct, account: Channel, owner: str, *, id: str, at: datetime) -> Raw:
    """The act as it is stored; `owner` is the report's."""
    return Raw(
        id=id, account=account.account, channel=account.kind, owner=owner, received_at=at, conversation=act.number,
        headers={"content-type": "application/json"}, body=Body(msgspec.json.encode(act)),
    )  # fmt: skip
