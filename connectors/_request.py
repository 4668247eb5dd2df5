"""Requests as an account takes them in, their parts, and the parts grouped by conversation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from schemas import bounded_id


class Forbidden(Exception):  # noqa: N818 - the word of the protocol
    """The request does not prove where it comes from: 403. The reason names the check, never the secret."""


class Payload(Protocol):
    """A request as `parts` sees it: a `Request` at the ingress, or the `Raw` that was stored of it."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def query(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


class Request(msgspec.Struct, frozen=True):
    """One delivery to an account: a webhook call, the answer to a poll, a packet of a session."""

    method: str = "POST"
    path: str = ""
    """The rest of the path after `/in/ACCOUNT`."""
    query: str = ""
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Lower-case names."""
    body: bytes = b""


class IngressResponse(msgspec.Struct, frozen=True):
    """The ingress's answer to a request."""

    status: int = 200
    body: bytes = b""
    media_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)


ACCEPTED = IngressResponse()


class Part(NamedTuple):
    """One item of a request, in the channel's own words, and whose it is."""

    payload: Any
    """The input of `read`."""
    conversation: str | None = None
    """None: it belongs to no conversation."""
    address: str | None = None
    """The account it is meant for, where one request serves several (see `Channel.address`)."""


class PartGroup(NamedTuple):
    """The parts of a request that stand in one Raw: those of one conversation of one account."""

    conversation: str | None = None
    address: str | None = None
    positions: tuple[int, ...] | None = None
    """Positions among the parts of the request, for `Raw.parts`; None: all parts."""


class _TakesApart(Protocol):
    def parts(self, payload: Payload, /) -> Iterable[Part]: ...


class _EnclosesFiles(Protocol):
    def enclosed_files(self, request: Request, /) -> Iterable[bytes]: ...


def group_parts(channel: _TakesApart, payload: Payload) -> list[PartGroup]:
    """The groups of a request's parts, in the order of their first parts; at least one. Never raises: a request that
    cannot be taken apart, or holds nothing, is one group without a conversation."""
    found: dict[tuple[str | None, str | None], list[int]] = {}
    try:
        for position, part in enumerate(channel.parts(payload)):
            conversation = None if part.conversation is None else bounded_id(part.conversation)
            found.setdefault((conversation, part.address), []).append(position)
    except Exception:  # the bytes are stored whole, and the reader says what is wrong with them
        found.clear()
    if len(found) > 1:
        return [PartGroup(*key, tuple(positions)) for key, positions in found.items()]
    return [PartGroup(*key) for key in found] or [PartGroup()]


def files_in(channel: _EnclosesFiles, request: Request) -> Sequence[bytes]:
    """The files that lie inside a request. Never raises: of one that cannot be read none is stored, and it is taken in
    all the same."""
    try:
        return tuple(channel.enclosed_files(request))
    except Exception:  # as above: else one poisonous mail would stand before all others for ever
        return ()
