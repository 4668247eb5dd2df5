"""The API of X, as far as the hub uses it: mentions in pages, direct messages, answers, credits, limits, signatures."""

from __future__ import annotations

import hmac
from base64 import b64encode
from typing import Any
from urllib.parse import quote, unquote

from tests.fakes.server import Behaviour, Received, Server, answer

SECRETS = ("rahasia-aplikasi", "rahasia-akses")
DIRECT = "dm_conversations/with/"


class XServer(Server):
    """`with XServer() as x`: settings take `x.url`. Posts stand in `x.posts`, the oldest first; answers in `x.sent`."""

    def __init__(self, bearer: str = "token-baca") -> None:
        super().__init__(self._respond)
        self.posts: list[dict[str, Any]] = []
        self.direct: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []
        self.billed = 0
        """Thousandths of a dollar, by the published prices; the same post costs once."""
        self.broken: Behaviour | None = None
        """The answer to everything, while it is set."""
        self._bearer = bearer
        self._read: set[str] = set()

    def _respond(self, received: Received) -> Behaviour:
        if self.broken is not None:
            return self.broken
        path = received.path.removeprefix("/2/")
        if received.method == "POST":
            return self._answer(path, received) if self._is_signed(received) else answer(401, {"title": "Unauthorized"})
        proof = received.headers.get("authorization", "")
        if proof != f"Bearer {self._bearer}" and not self._is_signed(received):
            return answer(401, {"title": "Unauthorized"})
        if path == "users/me" and not self._is_signed(received):
            return answer(403, {"title": "Unsupported Authentication", "type": ".../unsupported-authentication"})
        if path in {"users/me", "users/5001"}:
            return answer(200, {"data": {"id": "5001", "username": "dinas"}})
        if path.startswith("users/") and not path.endswith("/mentions"):
            return answer(200, {"errors": [{"title": "Not Found Error", "resource_type": "user"}]})
        return self._page(self.direct if path == "dm_events" else self.posts, received.params)

    def _page(self, kept: list[dict[str, Any]], params: dict[str, str]) -> Behaviour:
        since = int(params.get("since_id", "0"))
        newest_first = [one for one in reversed(kept) if int(one["id"]) > since]
        at, size = int(params.get("pagination_token", "0")), int(params["max_results"])
        page = newest_first[at : at + size]
        fresh = [one["id"] for one in page if one["id"] not in self._read]
        self._read.update(fresh)
        self.billed += len(fresh) * (10 if kept is self.direct else 5)
        more = {"next_token": str(at + size)} if at + size < len(newest_first) else {}
        return answer(200, {"data": page, "meta": {"result_count": len(page)} | more} if page else {"meta": {}})

    def _answer(self, path: str, received: Received) -> Behaviour:
        words = received.json["text"]
        self.billed += 15 if path.startswith(DIRECT) else 200 if "http" in words else 10
        self.sent.append({"path": path} | received.json)
        native = str(1900000000000009000 + len(self.sent))
        return answer(201, {"data": {"dm_event_id": native} if path.startswith(DIRECT) else {"id": native}})

    def _is_signed(self, received: Received) -> bool:
        """RFC 5849, 3.4: HMAC-SHA1 over the method, the address and the sorted parameters."""
        scheme, _, fields = received.headers.get("authorization", "").partition(" ")
        pairs = [pair.strip().partition("=") for pair in fields.split(",")]
        given = {name: unquote(value.strip('"')) for name, _, value in pairs}
        signature = given.pop("oauth_signature", "")
        params = sorted((_coded(n), _coded(v)) for n, v in (given | received.params).items())
        listed = "&".join(f"{name}={value}" for name, value in params)
        base = "&".join(map(_coded, (received.method, f"{self.url}{received.path}", listed)))
        right = b64encode(hmac.digest("&".join(map(_coded, SECRETS)).encode(), base.encode(), "sha1")).decode()
        return scheme == "OAuth" and hmac.compare_digest(signature, right)


def post(number: int, text: str = "jalan rusak", author: str = "7001", **known: Any) -> dict[str, Any]:
    """A post that mentions us; its id counts up with `number`."""
    id = str(1900000000000000000 + number)
    mentions = {"mentions": [{"id": "5001", "username": "dinas"}]}
    return {"id": id, "text": f"@dinas {text}", "author_id": author, "entities": mentions} | known


def _coded(value: str) -> str:
    return quote(value, safe="-._~")
