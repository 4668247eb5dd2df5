"""The reports API, `/api/v1`. Its input is read by `receive` and `check`, its output is the interface's."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from connectors.web import WebSettings
from hub.web.citizen.check import check
from hub.web.desk import Caller, Desk, Key, is_id
from hub.web.limits import Bucket, caller_of
from hub.web.api.openapi import FILE_REPORT, READ_REPORT
from hub.web.api.problems import Problem, invalid, too_many
from hub.web.citizen.proofs import Proofs
from hub.web.citizen.receive import receive
from hub.web.citizen.words import Said
from sink import Tracked

LONGEST_WAIT = 30
_STATUS = ("number", "status", "received_at", "updated_at", "proven")
"""What is told to whoever has nothing but the number."""
_ASKED_BY = {"token", "phone", "lang"}
"""What may stand behind the question mark of a report."""
_KEY = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,199}")
_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,6})\"?\s*(?:$|[,;])", re.IGNORECASE)


class Turns:
    """Who may file now: with an API key always, without one so often a minute from one address."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._buckets: dict[str, Bucket] = {}

    def caller(self, request: Request) -> Caller:
        """Raises Problem: the key is not known, or there were too many without one."""
        key = _api_key(request)
        if key is None:
            return self.of_address(request)
        account = self._desk.of_key(key)
        if account is None:
            raise Problem(401, "unauthorized", headers={"WWW-Authenticate": "Bearer"})
        return Caller(f"key:{key}", account)

    def of_address(self, request: Request) -> Caller:
        """The caller by its address, one turn less. Raises Problem."""
        account, address = self._desk.door(), caller_of(request.scope)
        assert isinstance(account.settings, WebSettings)
        rate = max(1, account.settings.rate)
        bucket = self._buckets.setdefault(account.account, Bucket(rate, 60 / rate))
        waiting = bucket.take(address)
        if waiting:
            raise too_many(waiting)
        return Caller(f"address:{address}", account)


def router(desk: Desk, turns: Turns, proofs: Proofs) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1")

    @routes.post("/reports", openapi_extra=FILE_REPORT["openapi"], responses=FILE_REPORT["responses"], status_code=202)
    async def file_report(request: Request) -> Response:
        """File a report. With `Prefer: wait=N` the answer waits for its number."""
        caller, key = turns.caller(request), _idempotency_key(request)
        given = await receive(request)
        fields, errors = check(given, desk.today())
        if errors:
            raise invalid(errors)
        filed = await desk.file(caller, fields, given.files, key)
        wait = _wait(request)
        number = await desk.number(filed.id, wait) if wait else None
        url = str(request.url_for("read_report", reference=filed.id))
        body = {"id": filed.id, "number": number, "status_url": url, "token": filed.token}
        headers = {"Location": url, "Cache-Control": "no-store"}
        if wait:
            headers["Preference-Applied"] = f"wait={wait}"
        if number is None:
            return _json({k: v for k, v in body.items() if k != "number"}, 202, headers | {"Retry-After": "1"})
        return _json(body, 201, headers)

    @routes.get("/reports/{reference}", openapi_extra=READ_REPORT["openapi"], responses=READ_REPORT["responses"])
    async def read_report(request: Request, reference: str) -> Response:
        """The status of a report, by its number or id; with a proof also its words and answers."""
        _only_known(request)
        token = request.headers.get("x-report-token") or request.query_params.get("token")
        last4 = request.query_params.get("phone")
        found = await proofs.find(request, reference, token, last4)
        if found is None and is_id(reference) and desk.waits(reference, token):
            return _json({"id": reference, "number": None, "status": "unverified"}, 200, {"Retry-After": "1"})
        if found is None:
            raise Problem(404, "not_found")
        return _json(_told(found), 200, {"Cache-Control": "no-store"})

    return routes


def _only_known(request: Request) -> None:
    unknown = request.query_params.keys() - _ASKED_BY
    if unknown:
        raise invalid({name: Said("error_unknown_field") for name in sorted(unknown)})


def _told(found: Tracked) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(found)
    return told if found.proven else {name: told[name] for name in _STATUS}


def _json(body: Any, status: int, headers: dict[str, str]) -> Response:
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")


def _api_key(request: Request) -> str | None:
    scheme, _, said = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and said.strip():
        return said.strip()
    return request.headers.get("x-api-key")


def _idempotency_key(request: Request) -> Key | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise Problem(400, "key_form")
    return None if key is None else Key(key)


def _wait(request: Request) -> int:
    said = _WAIT.search(request.headers.get("prefer", ""))
    return min(int(said[1]), LONGEST_WAIT) if said else 0
