"""Meta's Graph API, as far as WhatsApp uses it: messages, media, and the statuses that Meta posts back."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from connectors import HttpResponse
from tests.fakes.server import Behaviour, Received, Server, answer

VERSION = "/v23.0"


class Graph(Server):
    """`with Graph(token="…") as graph`: settings take `graph.graph_url`. Sent replies stand in `graph.sent`."""

    def __init__(self, token: str = "token-graph") -> None:
        super().__init__(self._respond)
        self.token = token
        self.sent: list[dict[str, Any]] = []
        self.files: dict[str, tuple[bytes, str]] = {}
        """Media id to bytes and media type."""
        self.late: set[str] = set()
        """Citizens who last wrote more than 24 hours ago: only a template reaches them."""
        self.nodes: dict[str, Any] = {}
        """Other answers to GET, by path."""
        self.broken: Behaviour | None = None
        """The answer to everything, while it is set."""

    @property
    def graph_url(self) -> str:
        return self.url + VERSION

    def _respond(self, received: Received) -> Behaviour:
        if self.broken is not None:
            return self.broken
        if received.headers.get("authorization") != f"Bearer {self.token}":
            return error(401, 190)
        name = received.path.removeprefix(VERSION).strip("/")
        if received.method == "POST" and name.endswith("/messages"):
            return self._message(received.json)
        if name in self.nodes:
            return answer(200, self.nodes[name])
        if name.startswith("bytes/") and (file := self.files.get(name.removeprefix("bytes/"))):
            return answer(200, file[0], content_type=file[1])
        if file := self.files.get(name):
            url = f"{self.url}/bytes/{name}"
            return answer(200, {"id": name, "url": url, "mime_type": file[1], "file_size": len(file[0])})
        return error(400, 100)

    def _message(self, message: dict[str, Any]) -> Behaviour:
        addressed, late = "to" in message or "recipient" in message, message.get("to") in self.late
        if not addressed or not (message.get("template") or message.get("text", {}).get("body")):
            return error(400, 100)
        if late and "template" not in message:
            return error(400, 131047)
        self.sent.append(message)
        return answer(200, {"messaging_product": "whatsapp", "messages": [{"id": f"wamid.sent.{len(self.sent)}"}]})

    def statuses(self, *states: str, number: str = "1068") -> dict[str, Any]:
        """A webhook with statuses of every sent message; a state that is named twice comes twice."""
        statuses = [
            {"id": f"wamid.sent.{count}", "status": state, "timestamp": "1755400000",
             "recipient_id": message.get("to") or message["recipient"],
             "biz_opaque_callback_data": message.get("biz_opaque_callback_data")}
            for count, message in enumerate(self.sent, 1) for state in states
        ]  # fmt: skip
        return webhook({"statuses": statuses}, number=number)


def error(status: int, code: int, subcode: int | None = None) -> HttpResponse:
    """An error as the Graph API words it."""
    words = {"message": f"(#{code}) of the fake", "type": "OAuthException", "code": code, "fbtrace_id": "A1"}
    return answer(status, {"error": words | ({} if subcode is None else {"error_subcode": subcode})})


def webhook(value: dict[str, Any], *, number: str = "1068", field: str = "messages") -> dict[str, Any]:
    """One change, wrapped as Meta posts it."""
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "622100001068", "phone_number_id": number},
    } | value
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "10229", "changes": [{"field": field, "value": value}]}],
    }


def text(body: str, *, sender: str = "628120000001", native: str = "wamid.1", number: str = "1068") -> dict[str, Any]:
    """One citizen's text message, as Meta posts it."""
    message = {"from": sender, "id": native, "timestamp": "1755400000", "type": "text", "text": {"body": body}}
    return webhook({"contacts": [{"profile": {"name": "Sari"}, "wa_id": sender}], "messages": [message]}, number=number)


def signed(payload: object, secret: str) -> tuple[bytes, dict[str, str]]:
    """Body and headers, signed as Meta does."""
    body = json.dumps(payload).encode()
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return body, {"content-type": "application/json", "x-hub-signature-256": f"sha256={digest}"}
