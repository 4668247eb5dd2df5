"""The settings of an account at an SMS gateway."""

from __future__ import annotations

from typing import Literal

import msgspec

from connectors._settings import Secret, Settings, require_zone
from schemas import ReceiptState


class SmsSettings(Settings, frozen=True, kw_only=True):
    gateway: Literal["kannel", "jasmin", "twilio", "infobip", "other"] = "kannel"
    """Whose words the gateway uses. With any but kannel the next seven settings add to what is known of it."""
    fields: dict[str, str] = msgspec.field(default_factory=dict)
    """Our names and where theirs stand: from = "msisdn", text = "content", id = "data.uuid". Others are to, hex,
    coding, time, state, reference."""
    items: str = ""
    """Where the list of messages stands in their JSON, as "results"."""
    states: dict[str, ReceiptState] = msgspec.field(default_factory=dict)
    """Their words in reports, in capitals, and our states: DELIVRD = "delivered"."""
    send: dict[str, str] = msgspec.field(default_factory=dict)
    """Their fields of a message that we send: dest = "{to}", message = "{text}", "a.0.callback" = "{report_url}"."""
    send_as: Literal["", "query", "form", "json"] = ""
    """How these fields go out; empty: as is known of the gateway, else as a form."""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    """Of the request that sends: Authorization = "Bearer {password}"."""
    sent_id: str = ""
    """Where the message's id stands in the answer to it."""
    zone: str = "Asia/Jakarta"
    """Of a time in a message that came without one, from any gateway but kannel, whose times are UTC."""
    token: Secret = Secret("")
    """Proves that the gateway is ours: in the query as `token`, or in the header `X-Token`."""
    keywords: dict[str, str] = msgspec.field(default_factory=dict)
    """Region keyword to region code: TANGKAB = "36.03"."""
    send_url: str = ""
    """Kannel's sendsms, as http://127.0.0.1:13013/cgi-bin/sendsms, or another's. Empty: nothing can be answered."""
    username: str = ""
    """Of the sendsms user at the gateway."""
    password: Secret = Secret("")
    """Of the sendsms user at the gateway."""
    sender: str = ""
    """Our number as the citizen sees it."""
    auth_token: Secret = Secret("")
    """Twilio's Auth Token: with it, a request without Twilio's right signature is refused. Needs public_url."""
    public_url: str = ""
    """Where the gateway reaches the hub, as https://pengaduan.example.go.id: delivery reports are asked for there."""

    def __post_init__(self) -> None:
        require_zone(self.zone)
