"""Calls to a portal: proving who we are, and asking again with a new login where the old one lapsed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin, urlsplit

from connectors._http import Http, HttpRequest, HttpResponse
from connectors._json import decode_object
from connectors._portal_expressions import compile_expression, plain_text
from connectors._portal_manifest import Manifest
from connectors._settings import Secret
from schemas import AccountFault, Reject

LIMIT = 20 * 1024 * 1024
LAPSED = frozenset({"http_401", "http_403", "redirect"})
LOGINS = 2
"""How often a call logs in again: where a portal knows one login of a user at a time, another process of ours may have
ended it meanwhile."""


class PortalCalls:
    """The calls of one account. A login is kept as long as it is accepted."""

    def __init__(self, manifest: Manifest, url: str, secrets: Mapping[str, Secret]) -> None:
        self._auth, self._secrets = manifest.auth, secrets
        self.url = (url or manifest.url).rstrip("/")
        self._login: dict[str, str] | None = None
        self._logging_in = asyncio.Lock()

    def missing_secret(self) -> str | None:
        """The first secret that the manifest names and the account does not have."""
        auth = self._auth
        written = (auth.value, auth.username, auth.password, *auth.form.values(), *auth.json.values())
        for text in written:
            for name in _names(text):
                if name != "token" and not self._secrets.get(name):
                    return name
        return None

    def address(self, path: str) -> str:
        """The address of a path. Raises Reject where it would lead to another host."""
        found = path if "://" in path else f"{self.url}/{path.lstrip('/')}"
        if urlsplit(found)[:2] != urlsplit(self.url)[:2]:
            raise Reject("elsewhere", "the portal names a page at another host: our secrets go to its own only")
        return found

    def next_address(self, link: str, path: str) -> str:
        """The address that a link of an answer means. Raises Reject as `address`."""
        return self.address(urljoin(self.address(path), link))

    async def send(self, http: Http, request: HttpRequest) -> HttpResponse:
        """Raises Retry, Unanswered, AccountFault or Reject."""
        for last in (False,) * LOGINS + (True,):
            kept = self._login
            signed = await self._signed(http, request)
            try:
                return await http.send(signed)
            except (AccountFault, Reject) as fault:
                if last or kept is None or fault.code not in LAPSED:
                    raise _as_account_fault(fault) from None
            if self._login is kept:  # else another call has logged in again
                self._login = None
        raise AssertionError("unreachable")

    def forget_login(self) -> bool:
        """The portal answered with a page: perhaps that of its login. True: there was a login to forget."""
        had, self._login = self._login is not None, None
        return had

    async def _signed(self, http: Http, request: HttpRequest) -> HttpRequest:
        auth = self._auth
        if auth.type == "key":
            value = self._filled(auth.value)
            if auth.parameter:
                return replace(request, params={**request.params, auth.parameter: value})
            return _with(request, {auth.header: value})
        if auth.type == "basic":
            return _with(request, {"Authorization": self._basic()})
        if auth.type in {"oauth2", "login"}:
            async with self._logging_in:
                login = self._login = self._login or await self._logged_in(http)
            return _with(request, login)
        return request

    async def _logged_in(self, http: Http) -> dict[str, str]:
        auth, url = self._auth, self.address(self._auth.path)
        if auth.type == "oauth2":
            form = {"grant_type": "client_credentials"} | ({"scope": auth.scope} if auth.scope else {})
            request = HttpRequest(url, "POST", form=form, headers={"Authorization": self._basic()})
        else:
            fields = {name: self._filled(value) for name, value in (auth.json or auth.form).items()}
            body: dict[str, Any] = {"json": fields} if auth.json else {"form": fields}
            request = HttpRequest(url, "POST", **body)
        answer = await self._answer_of_login(http, request)
        if not auth.token:
            given = answer.headers.get("set-cookie", "").splitlines()
            cookie = "; ".join(line.partition(";")[0].strip() for line in given)
            if not cookie:
                raise AccountFault("login_refused", "the login gave no cookie: check its secrets and its path")
            return {"Cookie": cookie}
        token = plain_text(compile_expression(auth.token)(decode_object(answer.body)))
        if not token:
            raise AccountFault("login_refused", "the login gave no token: check its secrets, and where token stands")
        return {auth.header: (auth.value or "Bearer {token}").replace("{token}", token)}

    async def _answer_of_login(self, http: Http, request: HttpRequest) -> HttpResponse:
        """A form that leads on to another page may have logged in: its cookies stand in the redirect."""
        redirects: list[HttpResponse] = []

        def keep_redirect(response: HttpResponse) -> None:
            if 300 <= response.status < 400:
                redirects.append(response)

        try:
            return await http.send(replace(request, judge=keep_redirect))
        except Reject as fault:
            if redirects and not self._auth.token:
                return redirects[0]
            raise AccountFault("login_refused", f"the login was refused ({fault.code}): check its secrets") from None

    def _basic(self) -> str:
        from base64 import b64encode

        pair = f"{self._filled(self._auth.username)}:{self._filled(self._auth.password)}"
        return f"Basic {b64encode(pair.encode()).decode()}"

    def _filled(self, text: str) -> str:
        for name in _names(text):
            secret = self._secrets.get(name)
            if not secret:
                raise AccountFault("setting_missing", f"set secrets.{name} of this account")
            text = text.replace(f"{{{name}}}", secret.reveal())
        return text


def _as_account_fault(fault: AccountFault | Reject) -> AccountFault | Reject:
    """A redirect leads to a login, or to an address that has changed: a person mends it."""
    if fault.code == "redirect":
        return AccountFault("redirect", "the portal leads elsewhere: check url, and the secrets of its login")
    return fault


def _names(text: str) -> list[str]:
    return [part.partition("}")[0] for part in text.split("{")[1:] if "}" in part]


def _with(request: HttpRequest, headers: Mapping[str, str]) -> HttpRequest:
    return replace(request, headers={**request.headers, **headers})
