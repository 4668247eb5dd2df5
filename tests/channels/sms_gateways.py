"""What SMS gateways other than Kannel bring, written for the tests: messages and reports, with their settings."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from connectors import Request

SARI = "+628120000001"
OTHER = {
    "gateway": "other", "items": "data",
    "fields": {"from": "msisdn", "text": "content.body", "id": "uuid", "time": "at"},
    "states": {"SAMPAI": "delivered", "GAGAL": "failed"}, "send_as": "query", "sent_id": "result.ref",
    "send": {"dest": "{digits}", "pesan": "{text}", "key": "{password}"}, "headers": {"X-Key": "Kunci {password}"},
}  # fmt: skip


def form(**given: str) -> Request:
    return Request("POST", body=urlencode(given).encode())


def as_json(value: Any) -> Request:
    return Request("POST", body=json.dumps(value).encode())


JASMIN = {"id": "c2-1", "from": "628120000001", "to": "1708", "origin-connector": "telkom", "priority": "1"}
TWILIO = {"MessageSid": "SM1", "SmsSid": "SM1", "AccountSid": "AC1", "From": SARI, "To": "1708", "NumMedia": "0"}
INFOBIP = {"messageId": "817", "from": "628120000001", "to": "1708", "receivedAt": "2025-08-17T03:06:40.0000000+00:00"}
MESSAGES: dict[str, tuple[dict[str, Any], Request, str]] = {
    "jasmin": ({"gateway": "jasmin"}, form(**JASMIN, coding="0", content="Jalan rusak", binary="4a"), "c2-1"),
    "jasmin, UCS-2": (
        {"gateway": "jasmin"}, form(**JASMIN, coding="8", content="?", binary="Jalan rusak".encode("utf-16-be").hex()),
        "c2-1",
    ),
    "twilio": ({"gateway": "twilio"}, form(**TWILIO, SmsStatus="received", Body="Jalan rusak"), "SM1"),
    "infobip": ({"gateway": "infobip"}, as_json({"results": [INFOBIP | {"text": "Jalan rusak"}]}), "817"),
    "another": (OTHER, as_json({"data": [{"msisdn": SARI, "content": {"body": "Jalan rusak"}, "uuid": 77}]}), "77"),
}  # fmt: skip

REPORTS: dict[str, tuple[dict[str, Any], Request, tuple[str, str | None, str | None]]] = {
    "jasmin": (
        {"gateway": "jasmin"},
        Request("POST", query="ref=balasan-1", body=b"id=c2-9&message_status=UNDELIV&level=2&err=011"),
        ("failed", "balasan-1", "c2-9"),
    ),
    "jasmin, refused by the centre": (
        {"gateway": "jasmin"},
        Request("POST", query="ref=balasan-1", body=b"id=c2-9&message_status=ESME_RINVDSTADR&level=1"),
        ("failed", "balasan-1", "c2-9"),
    ),
    "jasmin, tried again": (
        {"gateway": "jasmin"},
        Request("POST", query="ref=balasan-1", body=b"id=c2-9&message_status=ESME_RTHROTTLED&level=1"),
        ("unknown", "balasan-1", "c2-9"),
    ),
    "twilio": (
        {"gateway": "twilio"},
        Request("POST", query="ref=balasan-1", body=b"MessageSid=SM9&MessageStatus=delivered&To=%2B628120000001"),
        ("delivered", "balasan-1", "SM9"),
    ),
    "infobip": (
        {"gateway": "infobip"},
        as_json({"results": [{"messageId": "9", "callbackData": "b-1", "status": {"groupName": "DELIVERED"}}]}),
        ("delivered", "b-1", "9"),
    ),
    "another, by its own id": (OTHER, as_json({"data": [{"uuid": 9, "status": "sampai"}]}), ("delivered", None, "9")),
    "an unknown word": (OTHER, as_json({"data": [{"uuid": 9, "status": "entah"}]}), ("unknown", None, "9")),
}
