"""The provider of the made-up channel `kiosk`: takes messages, and has photos."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from connectors import HttpResponse
from tests.fakes.server import Received, Server, answer


class KioskServer(Server):
    """`with KioskServer() as kiosk`: settings take `kiosk.url`. Sent messages stand in `kiosk.sent`."""

    def __init__(self, token: str = "rahasia-kios") -> None:
        super().__init__(self._respond)
        self.sent: list[dict[str, Any]] = []
        self.photos: dict[str, bytes] = {}
        self._token = token

    def _respond(self, received: Received) -> HttpResponse:
        if received.headers.get("x-kiosk") != self._token:
            return answer(401, {"error": "password"})
        if received.path == "/send":
            self.sent.append(received.json)
            return answer(200, {"id": f"kiosk-{len(self.sent)}"})
        photo = self.photos.get(unquote(received.path.removeprefix("/photos/")))
        return answer(404, "") if photo is None else answer(200, photo, content_type="image/jpeg")
