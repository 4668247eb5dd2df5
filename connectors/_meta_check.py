"""What `channels test` asks Meta: whose the access token is, how long it lives, its rights, what is subscribed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from connectors._json import Json, object_of, objects_of, string_of
from connectors._meta_content import time_of
from connectors._port import CheckResult, ProviderConnections
from schemas import AccountFault, Reject

if TYPE_CHECKING:
    from connectors._meta import MetaWebhook

WARN_DAYS = 14
"""Days before the end of a token from which on it is named as a fault."""


class Rights(NamedTuple):
    """What an account of a kind needs at Meta."""

    own_field: str
    """The field of `me` that holds the id which webhooks name."""
    setting: str
    """Our setting of that id."""
    scopes: tuple[str, ...]
    """Permissions of the access token."""
    fields: tuple[str, ...]
    """What the webhook should be subscribed to."""
    has_token_facts: bool = True
    """Instagram's own login tells nothing of its tokens."""


def utc_now() -> datetime:
    return datetime.now(UTC)


async def check_account(
    channel: MetaWebhook, outbound: ProviderConnections, rights: Rights, now: Callable[[], datetime] = utc_now
) -> list[CheckResult]:
    """Raises what `graph` raises where Meta does not know the token at all."""
    me = await channel.graph(outbound, "me", params={"fields": f"{rights.own_field},name"})
    found = [_owner(me, rights, getattr(channel.settings, rights.setting))]
    if rights.has_token_facts:
        found += await check_token(channel, outbound, rights.scopes, now)
    own = str(me.get(rights.own_field) or "")
    found.append(await check_subscription(channel, outbound, own, rights.fields))
    return found


def _owner(me: Json, rights: Rights, configured: str) -> CheckResult:
    own = str(me.get(rights.own_field) or "")
    if not configured:
        return CheckResult(
            f"the access token is of {own}: set {rights.setting}, so that accounts can be told apart", True
        )
    if own != configured:
        return CheckResult(f"the access token is of {own}: set {rights.setting} to it, or enter the right token", True)
    return CheckResult(f"the access token is of {own}, as {rights.setting} says")


async def check_token(
    channel: MetaWebhook, outbound: ProviderConnections, scopes: tuple[str, ...], now: Callable[[], datetime]
) -> list[CheckResult]:
    """The token's life and rights."""
    try:
        data = await token_facts(channel, outbound)
    except (AccountFault, Reject) as fault:
        return [CheckResult(f"Meta tells nothing about the access token: {_why(fault)}", True)]
    return list(_judged_token(data, scopes, now()))


async def token_facts(channel: MetaWebhook, outbound: ProviderConnections) -> Json:
    """What Meta knows of the access token."""
    asked = {"input_token": channel.settings.access_token.reveal()}
    return object_of(await channel.graph(outbound, "debug_token", params=asked), "data")


def _why(fault: AccountFault | Reject) -> str:
    """Meta says the same of an id that is wrong and of one that the token may not see."""
    hidden = "it does not show this to the access token: check the account's id, the token's rights and graph_url"
    return hidden if fault.code in {"gone", "request_refused"} else fault.reason


def _judged_token(data: Json, scopes: tuple[str, ...], now: datetime) -> Iterator[CheckResult]:
    if data.get("is_valid") is not True:
        yield CheckResult("the access token is no longer valid: make a new one and enter it", True)
        return
    yield judge_life(lapses_at(data), now)
    granted = data.get("scopes")
    missing = [scope for scope in scopes if scope not in (granted if isinstance(granted, list) else [])]
    if missing:
        yield CheckResult(f"the access token lacks {', '.join(missing)}: grant them and make a new one", True)
    else:
        yield CheckResult("the access token has all rights that are needed")


def lapses_at(data: Json) -> datetime | None:
    """When the access token ends; None: it does not."""
    expires_at = data.get("expires_at")
    return time_of(expires_at) if expires_at else None


def judge_life(end: datetime | None, now: datetime) -> CheckResult:
    """Is it time for a new access token?"""
    if end is None:
        return CheckResult("the access token does not expire")
    days = (end - now).days
    what = f"the access token ends on {end:%Y-%m-%d}, in {days} days"
    return CheckResult(f"{what}: make a new one now", True) if days < WARN_DAYS else CheckResult(what)


async def check_subscription(
    channel: MetaWebhook, outbound: ProviderConnections, node: str, fields: tuple[str, ...]
) -> CheckResult:
    """Is the app subscribed to what happens at this node?"""
    try:
        answer = await channel.graph(outbound, f"{node}/subscribed_apps")
    except (AccountFault, Reject) as fault:
        return CheckResult(f"whether the webhook is subscribed cannot be seen: {_why(fault)}", True)
    apps = objects_of(answer, "data")
    if not apps:
        return CheckResult("no app is subscribed: in Meta's dashboard subscribe the webhook to this account", True)
    listed = [app.get("subscribed_fields") for app in apps]
    subscribed = {field for one in listed if isinstance(one, list) for field in one}
    missing = [field for field in fields if field not in subscribed]
    if missing:
        return CheckResult(f"the webhook is not subscribed to {', '.join(missing)}: subscribe it", True)
    return CheckResult("the webhook is subscribed to all that is needed")


async def check_number(
    channel: MetaWebhook, outbound: ProviderConnections, number: str, now: Callable[[], datetime] = utc_now
) -> list[CheckResult]:
    """As `check_account`, of a number of WhatsApp's."""
    facts = await channel.graph(outbound, number, params={"fields": "verified_name,quality_rating,status"})
    found = [_number(facts)]
    scopes = ("whatsapp_business_messaging", "whatsapp_business_management")
    found += await check_token(channel, outbound, scopes, now)
    try:
        granted = objects_of(await token_facts(channel, outbound), "granular_scopes")
    except (AccountFault, Reject):
        return found
    for account in _targets(granted, "whatsapp_business_management")[:3]:
        found.append(await check_subscription(channel, outbound, account, ()))
    return found


def _number(facts: Mapping[str, Any]) -> CheckResult:
    status, quality = string_of(dict(facts), "status"), string_of(dict(facts), "quality_rating")
    words = f"the number is known to Meta, status {status or 'not named'}, quality {quality or 'not named'}"
    if status not in {"", "CONNECTED"}:
        return CheckResult(f"{words}: register it, or see Meta's dashboard", True)
    return CheckResult(f"{words}: citizens block it, write less", True) if quality == "RED" else CheckResult(words)


def _targets(granted: list[Json], scope: str) -> list[str]:
    found = (one.get("target_ids") for one in granted if string_of(one, "scope") == scope)
    return [str(id) for ids in found if isinstance(ids, list) for id in ids]
