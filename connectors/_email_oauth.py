"""Access tokens for XOAUTH2, by a refresh token or by the client's own credentials (RFC 6749, sections 6 and 4.4)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from connectors._email_settings import EmailSettings
from connectors._http import ErrorMeaning, Http, HttpRequest, HttpResponse
from connectors._json import decode_object, string_of
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

    def __init__(self, settings: EmailSettings, http: Http, now: Callable[[], float] = time.time) -> None:
        self._settings, self._http, self._now = settings, http, now
        self._token, self._until = "", 0.0

    async def token(self) -> str:
        """A token that is good for a while; empty where the account logs in with a password. Raises Retry or
        AccountFault."""
        if not self._settings.oauth:
            return ""
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
        request = HttpRequest(url, "POST", form=self._form(), judge=_judged)
        try:
            answer = decode_object((await self._http.send(request)).body) or {}
        except Retry as fault:  # a token that was made and did not arrive harms nobody
            raise Retry(f"the token server: {fault.reason}", after=fault.after) from None
        self._token = string_of(answer, "access_token")
        if not self._token:
            raise AccountFault("oauth_no_token", "the token server answered without a token: check token_url")
        lasts = answer.get("expires_in")
        self._until = self._now() + (float(lasts) if isinstance(lasts, int | float) else _LASTS)

    def _form(self) -> Mapping[str, str]:
        grant = "refresh_token" if self._settings.oauth.get("refresh_token") else "client_credentials"
        names = ("client_id", "client_secret", "refresh_token", "scope")
        return {"grant_type": grant} | {name: value for name in names if (value := self._reveal(name))}

    def _reveal(self, name: str) -> str:
        secret = self._settings.oauth.get(name)
        return secret.reveal() if secret else ""


def _judged(response: HttpResponse) -> ErrorMeaning | None:
    code = string_of(decode_object(response.body) or {}, "error")
    refused = ErrorMeaning("account", "oauth_refused", "the token server gives no token: check the settings in oauth")
    return _CODES.get(code) or (refused if 400 <= response.status < 500 and response.status != 429 else None)
