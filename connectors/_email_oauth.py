"""Access tokens for XOAUTH2, by a refresh token or by the client's own credentials (RFC 6749, sections 6 and 4.4).

An answer may bring a new refresh token, and the old one may end: at once, or 90 days after it was given. So the new one
is kept in the record and used from then on, until another one is configured.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from hashlib import sha256

from connectors._email_settings import EmailSettings
from connectors._http import ErrorMeaning, Http, HttpRequest, HttpResponse
from connectors._json import decode_object, string_of
from connectors._session import RenewedSecret
from schemas import AccountFault, Retry

EARLY = 120.0
"""Seconds before its end in which a token is replaced."""
_LASTS = 300.0
"""Seconds of a token whose answer names none."""
_CODES = {
    "invalid_grant": ErrorMeaning("account", "oauth_grant_ended", "give consent anew and enter the new refresh_token"),
    "invalid_client": ErrorMeaning("account", "oauth_client_refused", "check client_id and client_secret; they lapse"),
    "unauthorized_client": ErrorMeaning("account", "oauth_client_refused", "let the client use this grant"),
    "invalid_scope": ErrorMeaning("account", "oauth_scope_refused", "check scope"),
    "temporarily_unavailable": ErrorMeaning("retry", "oauth_busy", "the token server is busy"),
}


class TokenSource:
    """The account's access token, fetched anew shortly before it ends."""

    def __init__(
        self, settings: EmailSettings, http: Http, renewed: RenewedSecret | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._settings, self._http, self._renewed, self._now = settings, http, renewed, now
        self._token, self._until = "", 0.0
        self._renewing = asyncio.Lock()
        """A refresh token may be taken once only."""

    async def token(self) -> str:
        """A token that is good for a while; empty where the account logs in with a password. Raises Retry or
        AccountFault."""
        if not self._settings.oauth:
            return ""
        async with self._renewing:
            if self._now() >= self._until - EARLY:
                await self._renew()
        return self._token

    def forget(self) -> None:
        """A server refused it: the next one is a new one."""
        self._until = 0.0

    async def _renew(self) -> None:
        url = self._reveal("token_url")
        if not url:
            raise AccountFault("setting_missing", "set oauth.token_url of this account")
        refresh_token = await self._refresh_token()
        request = HttpRequest(url, "POST", form=self._form(refresh_token), judge=_judged)
        try:
            answer = decode_object((await self._http.send(request)).body) or {}
        except Retry as fault:  # a token that was made and did not arrive harms nobody
            raise Retry(f"the token server: {fault.reason}", after=fault.after) from None
        given = string_of(answer, "refresh_token")
        if self._renewed and refresh_token and given not in {"", refresh_token}:
            await self._renewed.save(f"{self._grant} {given}")
        self._token = string_of(answer, "access_token")
        if not self._token:
            raise AccountFault("oauth_no_token", "the token server answered without a token: check token_url")
        lasts = answer.get("expires_in")
        self._until = self._now() + (float(lasts) if isinstance(lasts, int | float) else _LASTS)

    async def _refresh_token(self) -> str:
        """The newest that descends from the configured one; empty where none is configured."""
        configured = self._reveal("refresh_token")
        kept = await self._renewed.load() if configured and self._renewed else None
        grant, _, secret = (kept or "").partition(" ")
        return secret if grant == self._grant else configured

    @property
    def _grant(self) -> str:
        """Tells the consent that is configured from the one before."""
        names = ("token_url", "client_id", "refresh_token")
        return sha256("\0".join(map(self._reveal, names)).encode("utf-8", "surrogatepass")).hexdigest()

    def _form(self, refresh_token: str) -> Mapping[str, str]:
        grant = {"grant_type": "client_credentials"}
        if refresh_token:
            grant = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        names = ("client_id", "client_secret", "scope")
        return grant | {name: value for name in names if (value := self._reveal(name))}

    def _reveal(self, name: str) -> str:
        secret = self._settings.oauth.get(name)
        return secret.reveal() if secret else ""


def _judged(response: HttpResponse) -> ErrorMeaning | None:
    code = string_of(decode_object(response.body) or {}, "error")
    refused = ErrorMeaning("account", "oauth_refused", "the token server gives no token: check the settings in oauth")
    return _CODES.get(code) or (refused if 400 <= response.status < 500 and response.status != 429 else None)
