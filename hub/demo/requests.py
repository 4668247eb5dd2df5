"""The demo's requests: what a citizen says, as the door's own provider would bring it."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

from connectors import Channel, Secret
from hub.demo.stories import Said

REGION = "32.73"
NEAR = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True)
class Knock:
    """One HTTP request at a door of the hub."""

    path: str
    method: str = "POST"
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    accepted: bool = True
    """What is to be expected of it: False for a forged one, which must be refused."""

    @property
    def mark(self) -> bytes:
        """What of it stands in the Raw, to know it again: its query, without the token, and its body."""
        query = self.path.partition("?")[2]
        return "&".join(p for p in query.split("&") if not p.startswith("token=")).encode() + self.body


def would_send(channel: Channel) -> str | None:
    """Why the demo must not use this account: its answers would reach real phones. None: they cannot."""
    settings = channel.settings
    url, token = getattr(settings, "send_url", ""), getattr(settings, "access_token", None)
    if url and urlsplit(url).hostname not in NEAR:
        return "its send_url is a real gateway's"
    if token and urlsplit(settings.graph_url).hostname not in NEAR:
        return "it has an access_token for Meta's Graph API"
    return None


def knock(channel: Channel, said: Said, at: datetime) -> Knock:
    """The request that brings it. The same words at the same time are the same bytes: a redelivery."""
    return {"sms": _sms, "whatsapp": _whatsapp, "web": _web}[channel.kind](channel, said, at)


def row(said: Said, at: datetime) -> dict[str, Any]:
    """A row of a file, as an office would export its own list."""
    return {
        "id": said.id,
        "text": said.text,
        "sender": f"+{said.who.phone}",
        "name": said.who.name,
        "sent_at": at.isoformat(),
        "region": REGION,
        "latitude": said.lat,
        "longitude": said.lon,
    }


def _sms(channel: Channel, said: Said, at: datetime) -> Knock:
    told = {
        "token": channel.settings.token.reveal(),
        "from": f"+{said.who.phone}",
        "to": channel.settings.sender or "1708",
        "text": said.text,
        "id": said.id,
        "ts": at.strftime("%Y-%m-%d %H:%M:%S"),
        "coding": "0",
        "charset": "UTF-8",
    }
    return Knock(f"/in/{channel.account}?{urlencode(told)}", "GET")


def _whatsapp(channel: Channel, said: Said, at: datetime) -> Knock:
    body = json.dumps(_webhook(channel, said, at), ensure_ascii=False).encode()
    if said.form == "unreadable":
        body = body[: len(body) // 2]
    signature = hmac.new(_secret(channel.settings.app_secret, said), body, sha256).hexdigest()
    headers = {"content-type": "application/json", "x-hub-signature-256": f"sha256={signature}"}
    return Knock(f"/in/{channel.account}", "POST", body, headers, accepted=said.form != "forged")


def _secret(secret: Secret, said: Said) -> bytes:
    return b"guessed" if said.form == "forged" else secret.reveal().encode()


def _webhook(channel: Channel, said: Said, at: datetime) -> dict[str, Any]:
    number = channel.settings.phone_number_id or "1708000000000001"
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "622100001708", "phone_number_id": number},
        "contacts": [{"profile": {"name": said.who.name}, "wa_id": said.who.phone}],
        "messages": [
            {"from": said.who.phone, "id": f"wamid.{said.id}", "timestamp": str(int(at.timestamp())), **_content(said)}
        ],
    }
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}],
    }


def _content(said: Said) -> dict[str, Any]:
    if said.form == "image":
        picture = {"mime_type": "image/jpeg", "sha256": "", "id": str(int(said.id, 16))[:16], "caption": said.text}
        return {"type": "image", "image": picture}
    if said.form == "location":
        return {"type": "location", "location": {"latitude": said.lat, "longitude": said.lon}}
    return {"type": "text", "text": {"body": said.text}}


def _web(channel: Channel, said: Said, at: datetime) -> Knock:
    report = {"text": said.text, "name": said.who.name, "phone": f"+{said.who.phone}"}
    keys = channel.settings.api_keys
    headers = {"content-type": "application/json", "idempotency-key": said.id}
    if keys:
        headers["authorization"] = f"Bearer {keys[0].reveal()}"
    return Knock("/api/v1/reports", "POST", json.dumps(report).encode(), headers)
