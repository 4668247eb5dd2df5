"""What the routes depend on: the services of the application, the caller, its address and its limits."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from fastapi import Depends, Header
from starlette.requests import Request

from connectors._report import KeyedSettings
from connectors.app import AppChannel
from connectors.web import WebSettings
from hub.accounts import Accounts
from hub.settings import Settings
from hub.web.access_proof import AccessProof
from hub.web.api.problems import Problem, too_many
from hub.web.client_address import client_address
from hub.web.devices import Device
from hub.web.idempotency import Caller, IdempotencyKey, caller_of_key
from hub.web.limits import RateLimiter
from hub.web.reports import WebReports
from hub.web.translations import Language, page_language

if TYPE_CHECKING:
    from connectors import Channel

LONGEST_WAIT = 30
"""Seconds."""
EASTERNMOST = ZoneInfo("Asia/Jayapura")
_KEY = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,199}")
_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,6})\"?\s*(?:$|[,;])", re.IGNORECASE)


def _settings(request: Request) -> Settings:
    found: Settings = request.app.state.settings
    return found


def _accounts(request: Request) -> Accounts:
    found: Accounts = request.app.state.accounts
    return found


def _reports(request: Request) -> WebReports:
    found: WebReports = request.app.state.reports
    return found


def _access_proof(request: Request) -> AccessProof:
    found: AccessProof = request.app.state.access_proof
    return found


def _rate_limiter(request: Request) -> RateLimiter:
    found: RateLimiter = request.app.state.rate_limiter
    return found


TheSettings = Annotated[Settings, Depends(_settings)]
TheAccounts = Annotated[Accounts, Depends(_accounts)]
Reports = Annotated[WebReports, Depends(_reports)]
Proof = Annotated[AccessProof, Depends(_access_proof)]
Limiter = Annotated[RateLimiter, Depends(_rate_limiter)]


def _address(request: Request, settings: TheSettings) -> str:
    return client_address(request.scope, settings.proxies)


Address = Annotated[str, Depends(_address)]


async def _now(request: Request, settings: TheSettings) -> datetime:
    """The present where the hub stands."""
    now: datetime = request.app.state.clock()
    return now.astimezone(settings.zone)


Now = Annotated[datetime, Depends(_now)]


def _today(now: Now) -> date:
    """The latest day that has begun in Indonesia: a citizen in Papua writes two hours ahead of Jakarta."""
    return max(now.date(), now.astimezone(EASTERNMOST).date())


Today = Annotated[date, Depends(_today)]


def _language(request: Request) -> Language:
    return page_language(request.query_params.get("lang"), request.headers.get("accept-language", ""))


PageLanguage = Annotated[Language, Depends(_language)]


def api_key(
    authorization: Annotated[str, Header(include_in_schema=False)] = "",
    x_api_key: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> str | None:
    """The API key that was sent."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "bearer" and credentials.strip():
        return credentials.strip()
    return x_api_key


ApiKey = Annotated[str | None, Depends(api_key)]


def require_same_site(request: Request, settings: TheSettings) -> None:
    """Raises Problem where another site made the browser send this. Over plain http browsers name only the origin."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        ours = site in {"same-origin", "none"}
    else:
        names = {request.headers.get("host"), urlsplit(settings.public_url).netloc}
        ours = origin is None or _host_of(origin) in names
    if not ours:
        raise Problem(403, "forbidden")


def _host_of(origin: str) -> str:
    """Empty: it names none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def require_origin_of(account: AppChannel, request: Request, settings: Settings) -> None:
    """Raises Problem where a browser sent this for a page that is not ours, and whose origin the account does not
    name. Apps outside of browsers name no origin."""
    if request.headers.get("origin") not in account.settings.origins:
        require_same_site(request, settings)


def web_account(accounts: TheAccounts) -> Channel:
    """The account of the form, and of callers without an API key. Raises Problem where there is none."""
    account = accounts.first("web")
    if account is None:
        raise Problem(503, "no_account", headers={"Retry-After": "60"})
    return account


def anonymous_caller(accounts: TheAccounts, limiter: Limiter, address: Address) -> Caller:
    """A caller by its address, one turn less. Raises Problem after too many."""
    account = web_account(accounts)
    take_form_turn(account, limiter, address)
    return Caller(f"address:{address}", account)


def take_form_turn(account: Channel | None, limiter: RateLimiter, address: str) -> None:
    """Raises Problem after too many forms. `account`: of kind web, where there is one."""
    name, settings = (account.account, account.settings) if account else ("web", WebSettings())
    assert isinstance(settings, WebSettings)
    waiting = limiter.report(name, max(1, settings.rate), address)
    if waiting:
        raise too_many(waiting)


def app_account(accounts: Accounts, name: str | None) -> AppChannel | None:
    """The account of kind app with that name; the first open one where none is named."""
    account = accounts.first("app") if name is None else accounts.get(name)
    return account if isinstance(account, AppChannel) else None


def take_device_turn(account: AppChannel, limiter: RateLimiter, address: str) -> None:
    """Raises Problem after too many reports and new devices."""
    waiting = limiter.report(account.account, max(1, account.settings.rate), address)
    if waiting:
        raise too_many(waiting)


def device_of_request(key: ApiKey, reports: Reports) -> Device | None:
    """The device whose key was sent."""
    return reports.device_of(key) if key is not None else None


TheDevice = Annotated[Device | None, Depends(device_of_request)]


def api_caller(
    *,
    request: Request,
    key: ApiKey,
    device: TheDevice,
    settings: TheSettings,
    accounts: TheAccounts,
    limiter: Limiter,
    address: Address,
) -> Caller:
    """The caller by its API key or the key of its device; without one by its address. Raises Problem."""
    if key is None:
        require_same_site(request, settings)
        return anonymous_caller(accounts, limiter, address)
    account = app_account(accounts, device.account) if device else _account_of_key(accounts, key)
    if account is None:
        waiting = limiter.wrong_key(address)
        if waiting:
            raise too_many(waiting)
        raise Problem(401, "unauthorized", headers={"WWW-Authenticate": "Bearer"})
    if accounts.state(account.account) == "closed":
        raise Problem(503, "no_account", headers={"Retry-After": "3600"})
    if device and isinstance(account, AppChannel):
        require_origin_of(account, request, settings)
        return Caller(f"device:{device.conversation}", account, has_key=True, device=device.id)
    return caller_of_key(account, key)


ApiCaller = Annotated[Caller, Depends(api_caller)]


def count_upload(limiter: RateLimiter, address: str, size: int) -> None:
    """Raises Problem where the address has sent too many bytes."""
    waiting = limiter.upload(address, size)
    if waiting:
        raise too_many(waiting)


def idempotency_key(
    idempotency_key: Annotated[
        str | None, Header(description="Same key and body, same answer; at most 200 ASCII characters.")
    ] = None,
) -> IdempotencyKey | None:
    """Raises Problem where it cannot be used."""
    if idempotency_key is not None and not _KEY.fullmatch(idempotency_key):
        raise Problem(400, "key_form")
    return None if idempotency_key is None else IdempotencyKey(idempotency_key)


def seconds_to_wait(
    prefer: Annotated[str, Header(description="wait=N: wait up to N seconds, 30 at most, for the number.")] = "",
) -> int:
    """Of `Prefer: wait=N`; 0 without."""
    found = _WAIT.search(prefer)
    return min(int(found[1]), LONGEST_WAIT) if found else 0


TheIdempotencyKey = Annotated[IdempotencyKey | None, Depends(idempotency_key)]
SecondsToWait = Annotated[int, Depends(seconds_to_wait)]


def _account_of_key(accounts: Accounts, key: str) -> Channel | None:
    """Every key is compared, found or not."""
    found = None
    for channel in accounts.values():
        if isinstance(channel.settings, KeyedSettings):
            for known in channel.settings.api_keys:
                found = channel if known.matches(key) else found
    return found
