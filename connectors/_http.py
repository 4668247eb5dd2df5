"""Requests to providers over HTTP.

An answer that is not 2xx, and a fault of the network, becomes one of four errors:

* `Retry`: the request surely did not arrive: nothing was written (no name, no connection, no TLS), or the answer is 408
  or 429 (Retry-After is honoured).
* `Unanswered`: it may have arrived: it was written, and no whole answer came within the total time, or a 5xx.
* `AccountFault`: 401, 403, or settings of which no request can be made.
* `Reject`: any other 4xx, a redirect, an answer over the limit.

The channel's own table of the provider's codes (`HttpRequest.judge`) comes first: it may say of a 500 that nothing
arrived, or of a 400 that the account is at fault. A reason names a status or a code. It never holds a URL (some carry
passwords and phone numbers), a header or a body. Redirects are not followed: they would carry secrets elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from yarl import URL

from schemas import AccountFault, Held, PipelineError, Reject, Retry, Unanswered

if TYPE_CHECKING:
    from connectors._http_session import HttpSession

TRIES = 8
"""How often a request that did not arrive is tried again at most."""
ANSWER = 4000
"""Bytes of an error's answer that are handed on."""
HELD = 900.0
"""Seconds between two tries of a reply that waits alone, where neither provider nor table names any."""
LONGEST_WAIT = 24 * 3600.0
"""Seconds; a Retry-After beyond it is cut."""


class HttpResponse(NamedTuple):
    """An answer, read whole."""

    status: int
    headers: Mapping[str, str]
    """Lower-case names."""
    body: bytes


class ErrorMeaning(NamedTuple):
    """The meaning of a provider's code, as a channel's table gives it."""

    meaning: Literal["retry", "hold", "account", "reject"]
    """retry: it did not arrive. hold: this reply waits, and the account goes on. account: the account is at fault.
    reject: this reply can never be sent."""
    code: str
    detail: str = ""
    after: float | None = None
    """Seconds to wait where the provider names none."""

    def error(self, after: float | None = None) -> PipelineError:
        """The error to raise. `after` is the provider's own wait."""
        after = self.after if after is None else after
        reason = f"{self.code}: {self.detail}".removesuffix(": ")
        if self.meaning in {"retry", "hold"}:
            return Retry(reason, after=after) if self.meaning == "retry" else Held(reason, after=after or HELD)
        if self.meaning == "account":
            return AccountFault(self.code, self.detail, after=after)
        return Reject(self.code, self.detail)


@dataclass(frozen=True, slots=True, repr=False)
class HttpRequest:
    """A request to be sent. Its repr shows nothing: address, headers and body hold secrets and citizens' words."""

    url: str
    method: str = "GET"
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = None
    """Sent as application/x-www-form-urlencoded, in the place of `json`."""
    content: tuple[str, bytes] | None = None
    """A media type and the bytes as they are, in the place of `json`."""
    limit: int = 1024 * 1024
    """Bytes of the answer; more is a Reject."""
    public: bool = False
    """The address came from outside, and the host is not one that the settings name: only public addresses are called
    (`_http_addresses.py`), else it is a Reject."""
    timeout: float | None = None
    """Seconds for everything; None: the sender's own."""
    judge: Callable[[HttpResponse], ErrorMeaning | None] = lambda _: None
    """Judges any answer but 2xx by the provider's own codes. None: judged by the status."""


class Http:
    """Sends requests; one instance serves all accounts of a process, made inside the running loop.

    `connect` is the seconds to wait for a connection, `total` for everything, the last byte of the answer included.
    """

    def __init__(
        self, *, connect: float = 5.0, total: float = 30.0, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._connect = connect
        self._total = total
        self._now = now

    async def __aenter__(self) -> Self:
        self._session: HttpSession | None = None
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, request: HttpRequest) -> HttpResponse:
        """The 2xx answer. Raises Retry, Unanswered, AccountFault or Reject."""
        error: PipelineError | None
        written, session = asyncio.Event(), await self._opened()
        try:
            async with asyncio.timeout(request.timeout or self._total):
                response = await session.exchange(request, written)
        except Reject as too_large:
            error = too_large
        except session.faults as fault:
            error = session.error_of(fault, written=written.is_set())
        else:
            error = error_from_response(request, response, self._now())
            if error is None:
                return response
            error.answer = response.body[:ANSWER].decode("utf-8", "replace")
        raise error  # outside the handler: no chained exception, whose text would hold the URL

    async def lines(self, request: HttpRequest, silent: float) -> AsyncGenerator[bytes, None]:
        """The lines of an answer without end, as they come, until it ends. Raises as `send` does, and Retry where it
        breaks or nothing came for `silent` seconds."""
        session, error = await self._opened(), None
        try:
            async with aclosing(session.lines(request, silent)) as lines:
                async for line in lines:
                    yield line
        except session.refusal as refused:
            error = error_from_response(request, refused.response, self._now())
        except session.faults:
            error = Retry("the connection broke, or nothing came for too long")
        if error is not None:
            raise error

    async def _opened(self) -> HttpSession:
        """aiohttp is imported with the first request: with its certificates it takes a third of a process's start, and
        most processes send nothing. In a thread: leases are renewed meanwhile."""
        if self._session is None:
            module = await asyncio.to_thread(import_module, "connectors._http_session")
            if self._session is None:  # another request may have opened it meanwhile
                self._session = module.HttpSession(self._connect)
        return self._session


def scheme_and_host(url: str) -> tuple[str, str]:
    """Scheme and host that a request to this address would go to. Raises ValueError where it is no address."""
    parsed = URL(url)
    if parsed.user is not None or not parsed.host:
        raise ValueError("an address with a host and without a user is needed")
    return parsed.scheme, parsed.host


def require_host(url: str, own: str, hosts: tuple[str, ...], domains: tuple[str, ...] = ()) -> None:
    """Raises Reject where the address is not at host and port of `own`, at one of `hosts` (`host`, or `host:port` for
    no other port) or within one of `domains` at the scheme's port. `own` and `hosts` are names of the settings: they
    may lead into a private network."""
    try:
        scheme, host = scheme_and_host(url)
        own_scheme, own_host = scheme_and_host(own)
        port, usual = URL(url).port, URL(f"{scheme}://host").port
        same_port = URL(own).port == port
    except ValueError:
        raise Reject("file_elsewhere", "the file has no address") from None
    named = host in hosts or f"{host}:{port}" in hosts
    within = port == usual and any(host.endswith(f".{domain}") for domain in domains)
    theirs = named or within or (host == own_host and same_port)
    if scheme != own_scheme or not theirs:
        raise Reject("file_elsewhere", "the file lies at a host that is not the provider's: see file_hosts")


def is_at(url: str, hosts: Collection[str]) -> bool:
    """Is the address at one of these hosts?"""
    try:
        return scheme_and_host(url)[1] in hosts
    except ValueError:
        return False


def error_from_response(request: HttpRequest, response: HttpResponse, now: datetime) -> PipelineError | None:
    """The error that an answer means; None for 2xx."""
    if 200 <= response.status < 300:
        return None
    verdict = request.judge(response) or _by_status(response.status)
    if verdict is None:
        return Unanswered(f"answered with {response.status}: it may have arrived", limit=TRIES)
    return verdict.error(parse_retry_after(response, now))


def judge_unproven(response: HttpResponse) -> ErrorMeaning | None:
    """Of a file whose request bears no secret of the account: a refusal tells of the file, and not of the account."""
    if response.status in {401, 403}:
        return ErrorMeaning("reject", "file_refused", f"its server answers with {response.status}")
    return None


def _by_status(status: int) -> ErrorMeaning | None:
    """None: it may have arrived."""
    if status in {408, 429}:
        return ErrorMeaning("retry", f"http_{status}", "asked to try again later")
    if status in {401, 403}:
        return ErrorMeaning("account", f"http_{status}", "the provider does not accept the account's secrets")
    if 300 <= status < 400:
        return ErrorMeaning("reject", "redirect", "set the address that it leads to")
    if 400 <= status < 500:
        return ErrorMeaning("reject", f"http_{status}")
    return None


def parse_retry_after(response: HttpResponse, now: datetime) -> float | None:
    """The seconds that either form of Retry-After names; None where there is none that can be read."""
    value = response.headers.get("retry-after", "").strip()
    try:
        seconds = float(value) if value.isdigit() else (parsedate_to_datetime(value) - now).total_seconds()
    except (ValueError, TypeError):  # no date, or one without a zone
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT)
