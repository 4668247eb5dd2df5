"""The messages of the demo's citizens, and the requests by which a provider would bring them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

DemoForm = Literal["text", "image", "location", "sticker", "unreadable", "forged"]
"""`unreadable`: the provider's body cut in half. `forged`: signed with a secret that is not the account's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoItem:
    """One message of one invented citizen."""

    id: str
    text: str
    name: str
    phone: str
    """Digits with the country code: 62812…"""
    at: datetime
    form: DemoForm = "text"
    region: str = ""
    """Region code, for channels whose reports name one."""
    lat: float = 0.0
    lon: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRequest:
    """The HTTP request that brings a DemoItem to the hub. The same item gives the same bytes: a redelivery."""

    path: str = ""
    """From the root of the hub, as `/in/ACCOUNT`. Empty: the channel takes no HTTP, and the hub stores the body
    as a Raw."""
    method: str = "POST"
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
