"""A server of access tokens for XOAUTH2: they end soon, may be revoked, and Dovecot asks it which are good."""

from __future__ import annotations

import secrets
import time
from urllib.parse import parse_qs

from tests.channels.mail.dovecot import USER
from tests.channels.mail.servers import MailServer
from tests.fakes.server import Behaviour, Received, Server, answer

CLIENT, SECRET = "satupintu", "rahasia-klien"
LASTS = 150
"""Seconds of a token: the account asks for a new one 120 s before."""


class TokenServer(Server):
    """`with TokenServer(sending) as tokens:`; the sending server takes every token that was not revoked."""

    def __init__(self, sending: MailServer) -> None:
        super().__init__(self._answer)
        self._sending, self._until = sending, dict[str, float]()
        self.revoke()

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def given(self) -> int:
        """Tokens."""
        return sum(request.method == "POST" for request in self.received)

    def revoke(self) -> None:
        """No token that was given is good any more."""
        self._until.clear()
        self._sending.password = secrets.token_hex(8)

    def _answer(self, received: Received) -> Behaviour:
        if received.method == "GET":
            left = self._until.get(received.params.get("access_token", ""), 0.0) - time.monotonic()
            good = {"email": USER, "expires_in": int(left)}
            return answer(200, good) if left > 0 else answer(401, {"error": "invalid_token"})
        form = parse_qs(received.body.decode())
        if (form["client_id"], form["client_secret"]) != ([CLIENT], [SECRET]):
            return answer(401, {"error": "invalid_client"})
        token = f"{self._sending.password}.{secrets.token_hex(8)}"
        self._until[token] = time.monotonic() + LASTS
        return answer(200, {"access_token": token, "expires_in": LASTS, "token_type": "Bearer"})
