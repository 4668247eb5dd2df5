"""Devices of an app: a key without signing up, and the reports of the device that has it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.requests import Request

from hub.web.api.models import ApiModel
from hub.web.api.problems import Problem, responses
from hub.web.dependencies import (
    Address,
    ApiKey,
    Limiter,
    Reports,
    TheAccounts,
    TheDevice,
    TheSettings,
    api_caller,
    app_account,
    require_origin_of,
    take_device_turn,
)
from schemas import Status

MOST = 50
"""Reports in one answer."""

router = APIRouter(prefix="/api/v1", tags=["devices"])


class NewDevice(ApiModel):
    """A device and its key, which the app keeps: it is shown once, and stored nowhere."""

    device: str
    key: str
    """Sent as `Authorization: Bearer KEY` from then on."""


class OwnReport(ApiModel):
    """A report of the device."""

    id: str
    number: str | None
    status: Status
    title: str | None
    received_at: datetime
    updated_at: datetime


class OwnReports(ApiModel):
    """Reports of the device, the newest first."""

    reports: list[OwnReport]
    next: str | None
    """For `before`, where there are more."""


@router.post("/devices", status_code=201, responses=responses(403, 404, 422, 429, 500, 503))
async def new_device(
    *,
    request: Request,
    response: Response,
    settings: TheSettings,
    reports: Reports,
    accounts: TheAccounts,
    limiter: Limiter,
    address: Address,
    account: Annotated[str | None, Query(max_length=63)] = None,
) -> NewDevice:
    """Draw a key for a device of an app. `account`: the account of kind app; left out, the first one."""
    found = app_account(accounts, account)
    if found is None and account is not None:
        raise Problem(404, "unknown_account")
    if found is None or accounts.state(found.account) == "closed":
        raise Problem(503, "no_account", headers={"Retry-After": "3600"})
    require_origin_of(found, request, settings)
    take_device_turn(found, limiter, address)
    id, key = reports.new_device(found)
    response.headers["Cache-Control"] = "no-store"
    return NewDevice(device=id, key=key)


@router.get(
    "/reports",
    responses=responses(401, 403, 422, 429, 500, 503),
    openapi_extra={"security": [{"bearer": []}, {"key": []}]},
)
async def own_reports(
    *,
    request: Request,
    response: Response,
    key: ApiKey,
    device: TheDevice,
    settings: TheSettings,
    reports: Reports,
    accounts: TheAccounts,
    limiter: Limiter,
    address: Address,
    before: Annotated[str | None, Query(pattern=r"^[0-9a-f-]{36}$")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
) -> OwnReports:
    """The reports of the device whose key is sent."""
    if key is not None:
        api_caller(
            request=request, key=key, device=device, settings=settings, accounts=accounts, limiter=limiter,
            address=address,
        )  # fmt: skip
    if device is None:
        raise Problem(401, "device_key", headers={"WWW-Authenticate": "Bearer"})
    found = await reports.of_device(device, before, limit)
    response.headers["Cache-Control"] = "no-store"
    shown = [OwnReport.model_validate(report, from_attributes=True) for report in found]
    return OwnReports(reports=shown, next=found[-1].id if len(found) == limit else None)
