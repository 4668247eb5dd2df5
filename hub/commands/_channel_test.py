"""A real connection to the provider of one account: what was found, and what to do. Nothing is stored but a
secret that the provider renews."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlsplit
from uuid import uuid4

from connectors import Channel, Connects, Http, Polls, ProviderConnections, RenewedSecret, Request, Speaks
from hub.clock import utc_now
from hub.commands._account_report import missing_words
from hub.commands._doctor_host import is_listening
from hub.commands._finding import Finding
from schemas import AccountFault, Reject, Reply, Retry

TEXT = "Pesan uji dari Satu Pintu. Tidak perlu dibalas."


async def try_channel(
    channel: Channel, send_to: str | None, renewed: RenewedSecret | None = None
) -> AsyncIterator[Finding]:
    """Try the account at its provider: a finding for each thing that was tried. One that asks for what is new is tried
    also where it cannot answer."""
    if missing := missing_words(channel):
        yield Finding(channel.account, missing, True)
    if not missing or _only_reads(channel):
        async for finding in _tried(channel, send_to, renewed):
            yield finding


async def _tried(channel: Channel, send_to: str | None, renewed: RenewedSecret | None) -> AsyncIterator[Finding]:
    for url in channel.outbound_urls:
        yield _reached(channel, url)
    async with Http() as http:
        for finding in await _checked(channel, ProviderConnections(http)):
            yield finding
        if isinstance(channel, Polls) and channel.polling and not channel.poll_disturbs:
            yield await _polled(channel, ProviderConnections(http))
        if isinstance(channel, Connects):
            async for finding in _connected(channel, renewed):
                yield finding
        if send_to is not None:
            yield await _sent(channel, send_to, http, renewed)


def _only_reads(channel: Channel) -> bool:
    """Does it ask for what is new, with all that it needs for that?"""
    asks = isinstance(channel, Connects) or (isinstance(channel, Polls) and channel.polling)
    return asks and channel.missing_for_intake is None


def _reached(channel: Channel, url: str) -> Finding:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    reached = is_listening(parts.hostname or "", port)
    words = "answers" if reached else "does not answer: check it, and the firewall"
    return Finding(channel.account, f"{parts.hostname}:{port} {words}", not reached)


async def _checked(channel: Channel, outbound: ProviderConnections) -> list[Finding]:
    try:
        return [Finding(channel.account, text, failed) for text, failed in await channel.check(outbound)]
    except Exception as fault:
        return [_failed(channel, "a check", fault)]


async def _polled(channel: Polls, outbound: ProviderConnections) -> Finding:
    try:
        polled = await channel.poll(None, outbound)
    except Exception as fault:
        return _failed(channel, "a poll", fault)
    return Finding(channel.account, f"a poll works and brought {len(polled.requests)} items, which are not stored")


async def _connected(channel: Connects, renewed: RenewedSecret | None) -> AsyncIterator[Finding]:
    try:
        async with channel.connect(_take_nothing, None, renewed) as session:
            yield Finding(channel.account, "a session opens")
            if fault := session.partial_fault:
                yield Finding(channel.account, f"one of its connections does not: {fault.detail}", True)
            for words in await session.check():
                yield Finding(channel.account, words)
    except Exception as fault:
        yield _failed(channel, "a session", fault)


async def _sent(channel: Channel, to: str, http: Http, renewed: RenewedSecret | None) -> Finding:
    if not isinstance(channel, Speaks):
        return Finding(channel.account, f"a channel of kind {channel.kind} sends nothing", True)
    address = channel.typed_address(to)
    reply = Reply(
        id=str(uuid4()), account=channel.account, channel=channel.kind, conversation=address, to=address, text=TEXT,
        template="test", created_at=utc_now(),
    )  # fmt: skip
    try:
        if not isinstance(channel, Connects):
            sent = await channel.send(reply, ProviderConnections(http))
        else:
            async with channel.connect(_take_nothing, None, renewed) as session:
                sent = await channel.send(reply, ProviderConnections(http, session))
    except Exception as fault:
        return _failed(channel, "a message", fault)
    return Finding(channel.account, f"a message was sent to that address ({len(sent.native_ids)} ids came back)")


async def _take_nothing(requests: Sequence[Request], cursor: str | None = None) -> None:
    raise Retry("a test takes nothing in")


def _failed(channel: Channel, what: str, fault: Exception) -> Finding:
    words = fault.reason if isinstance(fault, Retry | AccountFault | Reject) else type(fault).__name__
    return Finding(channel.account, f"{what} failed: {words}", True)
