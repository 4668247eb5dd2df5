"""Meta's Graph API, as far as a WhatsApp door uses it: messages, media, and the statuses that Meta posts back."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from tests.fakes.server import Asked, Server, Told, told

VERSION = "/v23.0"


class Graph(Server):
    """`with Graph(token="…") as graph`: settings take `graph.graph_url`. Sent replies stand in `graph.sent`."""

    def __init__(self, token: str = "token-graph") -> None:
        super().__init__(self._respond)
        self.token = token
        self.sent: list[dict[str, Any]] = []
        self.files: dict[str, tuple[bytes, str]] = {}
        """Media id to bytes and media type."""

    @property
    def graph_url(self) -> str:
        return self.url + VERSION

    def _respond(self, asked: Asked) -> Told:
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            return error(401, 190)
        name = asked.path.removeprefix(VERSION).strip("/")
        if asked.method == "POST" and name.endswith("/messages"):
            return self._message(asked.json)
        if name.startswith("bytes/") and (file := self.files.get(name.removeprefix("bytes/"))):
            return Told(200, file[0], {"content-type": file[1]})
        if file := self.files.get(name):
            place = f"{self.url}/bytes/{name}"
            return told(200, {"id": name, "url": place, "mime_type": file[1], "file_size": len(file[0])})
        return error(400, 100)

    def _message(self, said: dict[str, Any]) -> Told:
        if not ("to" in said or "recipient" in said) or not said.get("text", {}).get("body"):
            return error(400, 100)
        self.sent.append(said)
        return told(200, {"messaging_product": "whatsapp", "messages": [{"id": f"wamid.sent.{len(self.sent)}"}]})

    def statuses(self, *states: str, number: str = "1068") -> dict[str, Any]:
        """What Meta posts about every sent message; name a state twice and it comes twice."""
        told = [
            {"id": f"wamid.sent.{place}", "status": state, "timestamp": "1755400000",
             "recipient_id": said.get("to") or said["recipient"],
             "biz_opaque_callback_data": said.get("biz_opaque_callback_data")}
            for place, said in enumerate(self.sent, 1) for state in states
        ]  # fmt: skip
        return webhook({"statuses": told}, number=number)


def error(status: int, code: int) -> Told:
    """An error as the Graph API words it."""
    said = {"message": f"(#{code}) said by the fake", "type": "OAuthException", "code": code, "fbtrace_id": "A1"}
    return told(status, {"error": said})


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
    said = {"from": sender, "id": native, "timestamp": "1755400000", "type": "text", "text": {"body": body}}
    return webhook({"contacts": [{"profile": {"name": "Sari"}, "wa_id": sender}], "messages": [said]}, number=number)


def signed(said: object, secret: str) -> tuple[bytes, dict[str, str]]:
    """Body and headers, signed as Meta does."""
    body = json.dumps(said).encode()
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return body, {"content-type": "application/json", "x-hub-signature-256": f"sha256={digest}"}
