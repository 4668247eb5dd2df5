"""The one way out over HTTP.

    RoadError
    ├── Retry            no connection, 429, 5xx: it did not arrive, or may be asked again (Retry-After is honoured)
    │   └── Unanswered   it was sent and nothing, or only half an answer, came back: it may have arrived
    └── Reject           any other answer but 2xx, a redirect, or a body over the limit

A reason names what happened in a status or a few words. It never holds a URL (some carry passwords and phone numbers),
a header or a body. Redirects are not followed: they would carry our secrets to where we did not mean them to go.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NamedTuple, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError, NewConnectionError

from schemas import Reject, Retry, RoadError

TRIES = 8
"""How often a fault of the world outside is tried again at most."""
LONGEST_WAIT = 24 * 3600.0
"""Seconds; a Retry-After beyond it is cut."""

# urllib3 writes whole URLs into its log, and Kannel's carry the password and the citizen's number
logging.getLogger("urllib3").setLevel(logging.CRITICAL)


class Unanswered(Retry):
    """The request was sent and no whole answer came back: it may have arrived."""


class Heard(NamedTuple):
    """An answer, read whole."""

    status: int
    headers: Mapping[str, str]
    """Names in any case."""
    body: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Call:
    """A request to be made. Its repr shows nothing: address, headers and body hold secrets and citizens' words."""

    url: str
    method: str = "GET"
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    limit: int = 1024 * 1024
    """Bytes of the answer; more is a Reject."""
    judge: Callable[[Heard], RoadError | None] = lambda _: None
    """Asked first about any answer but 2xx: the channel's own table of errors. None: judged by the status."""


class Http:
    """Makes calls; one instance serves all threads of the process.

    `connect` and `read` are seconds to wait for a connection and for the next byte, `whole` for the entire answer.
    """

    def __init__(
        self,
        *,
        connect: float = 5,
        read: float = 20,
        whole: float = 120,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._timeout = (connect, read)
        self._whole = whole
        self._clock = clock
        self._now = now
        self._of_thread = threading.local()
        self._sessions: list[requests.Session] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for session in self._sessions:
            session.close()

    def ask(self, call: Call) -> Heard:
        """The 2xx answer. Raises Retry, Unanswered or Reject."""
        try:
            heard = self._exchange(call)
        except requests.RequestException as fault:
            error = _fault(fault)
        else:
            if 200 <= heard.status < 300:
                return heard
            error = call.judge(heard) or self._by_status(heard)
        raise error  # outside the handler: no chained exception, whose text would hold the URL

    def _exchange(self, call: Call) -> Heard:
        give_up = self._clock() + self._whole
        with self._session().request(
            call.method,
            call.url,
            params=dict(call.params),
            headers=dict(call.headers),
            json=call.json,
            timeout=self._timeout,
            allow_redirects=False,
            stream=True,
        ) as answer:
            body = bytearray()
            for chunk in answer.iter_content(64 * 1024):
                body += chunk
                if len(body) > call.limit:
                    raise Reject(f"the answer is larger than {call.limit} bytes")
                if self._clock() > give_up:
                    raise Unanswered("the answer did not end in time", limit=TRIES)
            return Heard(answer.status_code, answer.headers, bytes(body))

    def _session(self) -> requests.Session:
        """One for each thread: requests does not promise that a session may be shared."""
        session: requests.Session | None = getattr(self._of_thread, "session", None)
        if session is None:
            session = self._of_thread.session = requests.Session()
            self._sessions.append(session)
            session.auth = _no_netrc
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # accounts share this session
            session.mount("http://", HTTPAdapter(max_retries=0))
            session.mount("https://", HTTPAdapter(max_retries=0))
        return session

    def _by_status(self, heard: Heard) -> RoadError:
        if heard.status == 429 or heard.status >= 500:
            return Retry(f"answered with {heard.status}", after=self.retry_after(heard), limit=TRIES)
        if 300 <= heard.status < 400:
            return Reject(f"answered with {heard.status}, a redirect: set the address it leads to")
        return Reject(f"answered with {heard.status}")

    def retry_after(self, heard: Heard) -> float | None:
        """Seconds, from either form of Retry-After; None where there is none that can be read."""
        said = heard.headers.get("retry-after", "").strip()
        try:
            seconds = float(said) if said.isdigit() else (parsedate_to_datetime(said) - self._now()).total_seconds()
        except (ValueError, TypeError):  # no date, or one without a zone
            return None
        return min(max(seconds, 0.0), LONGEST_WAIT)


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Stands where requests would otherwise put a password from ~/.netrc over our own."""
    return request


def _fault(fault: requests.RequestException) -> RoadError:
    if isinstance(
        fault, ValueError
    ):  # no URL, or a header that cannot be one: requests never got as far as the network
        return Reject("no request can be made of the account's settings: check its addresses and secrets")
    if isinstance(fault, requests.exceptions.SSLError):
        return Retry("the certificate or the TLS handshake failed", limit=TRIES)
    if isinstance(fault, requests.ConnectTimeout | requests.exceptions.ProxyError) or _never_connected(fault):
        return Retry("no connection", limit=TRIES)
    return Unanswered("no whole answer: it may have arrived", limit=TRIES)


def _never_connected(fault: requests.RequestException) -> bool:
    cause = fault.args[0] if fault.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
