"""Names for the parts of ASGI, and the headers of a request as channels read them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any

from connectors import IngressResponse

INGRESS_PREFIX = "/in/"
"""Paths of the ingress: the account follows."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class Headers(Mapping[str, str]):
    """Lower-case names to values, decoded on access: most are never read. Of a repeated name the first value counts."""

    __slots__ = ("_known",)

    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        self._known = dict(reversed(raw))

    def __getitem__(self, name: str) -> str:
        value: str | None = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.encode("latin-1", "replace") in self._known

    def get(self, name: str, default: Any = None) -> Any:
        value = self._known.get(name.encode("latin-1"))
        return default if value is None else value.decode("latin-1")

    def __iter__(self) -> Iterator[str]:
        return (key.decode("latin-1") for key in self._known)

    def __len__(self) -> int:
        return len(self._known)


def header_fields(answer: IngressResponse) -> list[tuple[bytes, bytes]]:
    """The headers of an answer of the ingress."""
    fields = [(b"content-length", b"%d" % len(answer.body))]
    if answer.body:
        fields.append((b"content-type", answer.media_type.encode("latin-1")))
    if answer.headers:
        fields += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    return fields
