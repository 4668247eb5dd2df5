"""Kannel's smsbox: takes `sendsms`, and names the URLs of its delivery reports."""

from __future__ import annotations

from tests.fakes.server import Behaviour, Received, Server, answer


class Kannel(Server):
    """`with Kannel() as kannel`: settings take `kannel.send_url`. Sent messages stand in `kannel.sent`."""

    def __init__(self, username: str = "satupintu", password: str = "sandi-kannel") -> None:
        super().__init__(self._respond)
        self.login = (username, password)
        self.sent: list[dict[str, str]] = []

    @property
    def send_url(self) -> str:
        return self.url + "/cgi-bin/sendsms"

    def _respond(self, received: Received) -> Behaviour:
        params = received.params
        if (params.get("username"), params.get("password")) != self.login:
            return answer(403, "Authorization failed for sendsms")
        if not params.get("to"):
            return answer(400, "Missing receiver number, rejected")
        self.sent.append(params)
        return answer(202, "0: Accepted for delivery")

    def reports(self, state: int) -> list[str]:
        """The URLs that Kannel would fetch: 1 delivered, 2 failed, 8 taken by the network, 16 refused by it."""
        return [s["dlr-url"].replace("%d", str(state)).replace("%%", "%") for s in self.sent if "dlr-url" in s]
