"""What officers do, by the API: `POST /api/v1/reports/NUMBER/actions`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request as HttpRequest

from connectors.console import Act, ConsoleChannel
from hub.officers import Request
from hub.web.api.models import ApiModel
from hub.web.api.problems import Problem, responses, too_many
from hub.web.dependencies import Address, ApiKey, Limiter, SecondsToWait, TheAccounts, TheIdempotencyKey
from hub.web.officers import OfficerActs, account_of_key

router = APIRouter(prefix="/api/v1", tags=["actions"])


class ActionInput(BaseModel):
    """One act on one report."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    act: Act
    text: Annotated[str, Field(max_length=10_000)] = ""
    """The words: of the answer, the question, the reason."""
    to: Annotated[str, Field(max_length=200)] | None = None
    """pass: the office, by id, name or region. join, link, unlink: the other report's number."""
    office: Annotated[str, Field(max_length=200)] | None = None
    """The office that acts, where the key does not say so."""
    by: Annotated[str, Field(max_length=200)] | None = None
    """The officer, also where an office acts; citizens and other systems never see it. Left out: the key's account."""


class ActionAccepted(ApiModel):
    """An act that is stored; with `Prefer: wait=N` also what became of it."""

    id: str
    outcome: str | None = None
    """added: it was applied. refused: it changed nothing. redelivered: the same key came before."""
    reason: str | None = None


def _officers(request: HttpRequest) -> OfficerActs:
    found: OfficerActs = request.app.state.officers
    return found


def acting_account(key: ApiKey, accounts: TheAccounts, limiter: Limiter, address: Address) -> ConsoleChannel:
    """The account of the key that was sent. Raises Problem."""
    account = None if key is None else account_of_key(accounts, key)
    if account is None:
        waiting = limiter.wrong_key(address) if key is not None else 0
        if waiting:
            raise too_many(waiting)
        raise Problem(401, "act_key", headers={"WWW-Authenticate": "Bearer"})
    return account


@router.post(
    "/reports/{number}/actions",
    status_code=202,
    response_model_exclude_unset=True,
    responses={200: {"model": ActionAccepted}, **responses(400, 401, 403, 404, 422, 429, 500, 503)},
    openapi_extra={"security": [{"bearer": []}, {"key": []}]},
)
async def act(
    *,
    response: Response,
    number: str,
    given: Annotated[ActionInput, Body()],
    account: Annotated[ConsoleChannel, Depends(acting_account)],
    officers: Annotated[OfficerActs, Depends(_officers)],
    key: TheIdempotencyKey,
    wait: SecondsToWait,
) -> ActionAccepted:
    """Act on a report. With `Prefer: wait=N` the answer waits for what became of it."""
    request = Request(given.act, given.text, given.to, given.office, given.by)
    raw = await officers.act(account, number, request, key.value if key else None)
    response.headers["Cache-Control"] = "no-store"
    found = await officers.outcome(raw, wait) if wait else None
    if found is None:
        return ActionAccepted(id=raw)
    response.status_code = 200
    return ActionAccepted(id=raw, outcome=found.outcome, reason=None if found.outcome == "added" else found.reason)
