"""How bytes come in: the Raws of a request, and where they are published: straight to the bus, or through a spool where
the bus belongs to another machine."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote_plus

from bus import BodyStore, Bus, Spool, spooled_events
from connectors import Channel, Listens, PartGroup, Request, files_in, group_parts
from hub.settings import Settings
from schemas import Body, Raw

UNCLAIMED = "unclaimed-address"
"""Header of a Raw that was meant for an address of the provider's which no account has; an account took it in all the
same."""
INLINE_BODY = 256 * 1024
"""Bytes; a body that takes more in all Raws of its request together lies with the blobs."""

_AccountGroup = tuple[Channel, str | None, tuple[int, ...] | None, str | None]
"""An account, a conversation of it, the positions of its parts, and the address where no account has it."""


def spool_path(settings: Settings) -> Path:
    """The spool of every ingress of this data folder."""
    return settings.data / "spool.db"


@asynccontextmanager
async def open_intake(settings: Settings, bus: Bus, bodies: BodyStore) -> AsyncIterator[Bus]:
    """A spool before a bus that may be unavailable, and before any bus while it holds events of an earlier day.

    Raises UnusableLog.
    """
    if settings.remote or _holds_events(spool_path(settings)):
        async with Spool(bus, spool_path(settings), settings.spool_limit, bodies=bodies) as spool:
            yield spool
    else:
        yield bus


async def split_into_raws(
    channel: Channel,
    request: Request,
    *,
    store: Callable[[bytes], Awaitable[str]],
    clock: Callable[[], datetime],
    new_id: Callable[[], str],
    sibling: Callable[[str], Channel | None] = lambda address: None,
) -> list[Raw]:
    """One Raw for each (account, conversation) of the request; one for all of it where nothing can be listed.

    `store` takes a body to the blobs and returns its SHA-256; `sibling` gives the account of the same kind that the
    provider calls by another address than ours, if there is one that may have it.
    """
    groups = _by_account(channel, group_parts(channel, request), sibling)
    for file in files_in(channel, request):
        await store(file)
    blob = await store(request.body) if len(request.body) * len(groups) > INLINE_BODY else None
    return _raws_of(channel, request, groups, blob=blob, clock=clock, new_id=new_id)


def split_at_once(
    channel: Listens,
    request: Request,
    *,
    clock: Callable[[], datetime],
    new_id: Callable[[], str],
    sibling: Callable[[str], Channel | None],
) -> list[Raw] | None:
    """As `split_into_raws`. None: something of the request has to lie with the blobs first."""
    groups = _by_account(channel, group_parts(channel, request), sibling)
    if len(request.body) * len(groups) > INLINE_BODY or files_in(channel, request):
        return None
    return _raws_of(channel, request, groups, blob=None, clock=clock, new_id=new_id)


def _raws_of(
    channel: Channel,
    request: Request,
    groups: Sequence[_AccountGroup],
    *,
    blob: str | None,
    clock: Callable[[], datetime],
    new_id: Callable[[], str],
) -> list[Raw]:
    query, headers = _without_secrets(channel, request)
    body, now = Body() if blob else Body(request.body), clock()
    return [
        Raw(
            id=new_id(),
            account=account.account,
            channel=account.kind,
            owner=account.owner,
            received_at=now,
            conversation=conversation,
            parts=parts,
            method=request.method,
            path=request.path,
            query=query,
            headers=headers if address is None else headers | {UNCLAIMED: address},
            body=body,
            blob=blob,
        )
        for account, conversation, parts, address in groups
    ]


def _without_secrets(channel: Channel, request: Request) -> tuple[str, dict[str, str]]:
    """Query and headers as they may be stored."""
    if not isinstance(channel, Listens):
        return request.query, dict(request.headers)
    kept = {name: value for name in channel.kept_headers if (value := request.headers.get(name)) is not None}
    return _without(request.query, channel.secret_parameters), kept


def _by_account(
    channel: Channel, groups: Sequence[PartGroup], sibling: Callable[[str], Channel | None]
) -> list[_AccountGroup]:
    """Each account and conversation once, with the positions of its parts, and the address where no account has it."""
    if len(groups) == 1:  # nearly every request
        account, unclaimed = _account_of(channel, groups[0].address, sibling)
        return [(account, groups[0].conversation, None, unclaimed)]
    accounts = {address: _account_of(channel, address, sibling) for address in {group.address for group in groups}}
    found: dict[tuple[str, str | None], tuple[Channel, list[int], str | None]] = {}
    for group in groups:
        account, unclaimed = accounts[group.address]
        entry = found.setdefault((account.account, group.conversation), (account, [], unclaimed))
        entry[1].extend(group.positions or ())
    whole = len(found) == 1
    return [
        (account, conversation, None if whole else tuple(sorted(positions)), unclaimed)
        for (_, conversation), (account, positions, unclaimed) in found.items()
    ]


def _account_of(
    channel: Channel, address: str | None, sibling: Callable[[str], Channel | None]
) -> tuple[Channel, str | None]:
    """The account that has this address, and the address itself where none has it."""
    own = channel.address
    if not address or address == own:
        return channel, None
    account = sibling(address)
    return (channel, address if own else None) if account is None else (account, None)


def _without(query: str, secret: Iterable[str]) -> str:
    """The query as it came, less the parameters named."""
    if not query or not secret:
        return query
    return "&".join(p for p in query.split("&") if unquote_plus(p.partition("=")[0]) not in secret)


def _holds_events(path: Path) -> bool:
    try:
        return spooled_events(path) > 0
    except sqlite3.Error:
        return True  # opening it names the fault
