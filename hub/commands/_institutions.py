"""The list of offices of a system into which an account leads, fetched as the registry takes it in."""

from __future__ import annotations

import asyncio

from connectors import Forwards, Http, ProviderConnections
from hub.accounts_file import load_accounts
from hub.commands import OutOfBalance
from hub.commands._accounts import current_accounts
from hub.settings import Settings, UsageError, did_you_mean
from schemas import PipelineError, encode


def fetch_institutions(settings: Settings, account: str) -> bytes:
    """As an answer of LAPOR!'s API, all pages in one. Raises UsageError, and OutOfBalance where it cannot be asked."""
    snapshot = current_accounts(settings) or load_accounts(settings.channels)
    channels = snapshot.channels
    if account not in channels:
        raise UsageError(f"{account} is no account in {settings.channels}{did_you_mean(account, channels)}")
    channel = channels[account]
    found = asyncio.run(_fetched(channel)) if isinstance(channel, Forwards) else None
    if found is None:
        raise UsageError(f"{account}: an account of kind {channel.kind} knows no list of offices")
    return encode({"results": {"data": found}})


async def _fetched(channel: Forwards) -> list[dict[str, object]] | None:
    async with Http() as http:
        try:
            found = await channel.institutions(ProviderConnections(http))
        except PipelineError as fault:
            words = getattr(fault, "reason", None) or str(fault)
            raise OutOfBalance(f"{channel.account}: {words}; see satupintu channels test {channel.account}") from None
    return None if found is None else [{"id": one.get("id"), "name": one.get("name")} for one in found]
