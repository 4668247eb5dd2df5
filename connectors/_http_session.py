"""The HTTP session, on aiohttp: one request and its answer, and what its faults mean."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver
from yarl import URL

from connectors._http import TRIES, HttpRequest, HttpResponse
from connectors._http_addresses import PublicResolver, require_public
from schemas import AccountFault, PipelineError, Reject, Retry, Unanswered

KEEP_ALIVE = 2.0
"""Seconds that an idle connection stays open: shorter than any provider's own limit, so that no request is written to a
connection that the provider is closing, which would leave open whether it arrived."""
CHUNK = 64 * 1024
_NOT_IN_HEADERS = re.compile(r"[\r\n\0]")


class AnswerError(Exception):
    """The answer to a request for lines is none of lines."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__(response.status)
        self.response = response


class HttpSession:
    """The connections of all accounts of a process, made inside the running loop. `connect` is the seconds to wait for
    one."""

    faults = (aiohttp.ClientError, OSError, ValueError)
    """What `exchange` raises where there is no whole answer; TimeoutError is an OSError."""
    refusal = AnswerError

    def __init__(self, connect: float) -> None:
        self._session = _opened(connect, None)
        self._public = _opened(connect, PublicResolver())

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()
        await self._public.close()

    async def exchange(self, request: HttpRequest, written: asyncio.Event) -> HttpResponse:
        """The answer. `written` is set before the first byte is written. Raises Reject, and `faults`."""
        async with self._begun(request, written) as response:
            return await _read(response, request.limit)

    async def lines(self, request: HttpRequest, silent: float) -> AsyncGenerator[bytes, None]:
        """The lines of an answer as they come, until it ends or nothing came for `silent` seconds. Raises `faults`, and
        AnswerError where it is not 200."""
        async with AsyncExitStack() as opened:
            async with asyncio.timeout(silent):
                response = await opened.enter_async_context(self._begun(request, asyncio.Event()))
                if response.status != HTTPStatus.OK:
                    raise AnswerError(await _read(response, request.limit))
            while True:
                async with asyncio.timeout(silent):
                    line = await response.content.readline()
                if not line:
                    return
                yield line

    @asynccontextmanager
    async def _begun(self, request: HttpRequest, written: asyncio.Event) -> AsyncIterator[aiohttp.ClientResponse]:
        data, media_type = _encoded(request)
        headers = dict(request.headers) | ({} if data is None else {"Content-Type": media_type})
        if _NOT_IN_HEADERS.search("".join(headers.values())):
            raise ValueError("a header with a line break")
        url, session = URL(request.url), self._public if request.public else self._session
        if request.public:
            require_public(url.host or "")
        async with session.request(
            request.method,
            url,
            params=dict(request.params),
            headers=headers,
            data=data,
            allow_redirects=False,
            trace_request_ctx=written,
        ) as response:
            yield response

    @staticmethod
    def error_of(fault: Exception, *, written: bool) -> PipelineError:
        """The error that a fault of the network, or of the settings, means."""
        if written:
            return Unanswered("no whole answer: it may have arrived", limit=TRIES)
        if isinstance(fault, ValueError | aiohttp.NonHttpUrlClientError):
            return AccountFault("unusable_settings", "no request can be made of the account's addresses and secrets")
        if isinstance(fault, aiohttp.ClientSSLError):
            return Retry("the certificate or the TLS handshake failed")
        return Retry("no connection")


async def _read(response: aiohttp.ClientResponse, limit: int) -> HttpResponse:
    """Raises Reject."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK):
        body += chunk
        if len(body) > limit:
            raise Reject("answer_too_large", f"the answer is larger than {limit} bytes")
    lower = {k.lower(): v for k, v in response.headers.items()}
    if cookies := response.headers.getall("Set-Cookie", ()):
        lower["set-cookie"] = "\n".join(cookies)
    return HttpResponse(response.status, lower, bytes(body))


def _opened(connect: float, resolver: AbstractResolver | None) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        # no limit for all accounts together: hanging providers must not use up the others' connections
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE, resolver=resolver),
        cookie_jar=aiohttp.DummyCookieJar(),  # accounts share this session
        timeout=aiohttp.ClientTimeout(total=None, connect=connect),
        headers={"Accept-Encoding": "identity"},
        middlewares=(_send_once,),
        trace_configs=[_traced()],
        auto_decompress=False,  # a compressed answer would pass the limit before it is counted
        trust_env=False,
    )


def _encoded(request: HttpRequest) -> tuple[bytes | None, str]:
    """The body and its media type."""
    if request.content is not None:
        return request.content[1], request.content[0]
    if request.form is not None:
        return urlencode(request.form).encode(), "application/x-www-form-urlencoded"
    return None if request.json is None else msgspec.json.encode(request.json), "application/json"


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """aiohttp sends a GET again by itself where a kept connection breaks, but a short message is sent by GET."""
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
        raise aiohttp.ClientPayloadError from None


def _traced() -> aiohttp.TraceConfig:
    """Sets the event of a request before its first byte is written."""

    async def mark(session: aiohttp.ClientSession, context: Any, params: object) -> None:
        context.trace_request_ctx.set()

    config = aiohttp.TraceConfig()
    config.on_request_headers_sent.append(mark)
    return config
