"""Telling a portal: a call that the manifest describes. One without an answer is looked for before it is made again."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from connectors._forwards import ForwardCall, NeedsPerson, StepResult
from connectors._http import Http, HttpRequest
from connectors._json import decode_lenient
from connectors._lapor_body import mark
from connectors._portal_calls import LIMIT, PortalCalls
from connectors._portal_expressions import compile_expression, is_yes, plain_text
from connectors._portal_manifest import Find, Manifest, Tell
from connectors._portal_rows import NotRows, rows_in
from schemas import AccountFault, Forward, Reject, Retry, Unanswered

SETTLES = 15.0
"""Seconds until a call that had no answer is no longer under way."""


class PortalAnswers:
    """The calls by which a portal is told something."""

    def __init__(self, manifest: Manifest, system: str) -> None:
        self._tells = {what: tell for tell in manifest.tell for what in tell.what}
        self._words = {status: word for word, status in reversed(manifest.tables.status.items())}
        self._system = system
        self._status = manifest.status

    def takes(self, forward: Forward) -> bool:
        return forward.what in self._tells

    async def tell(self, call: ForwardCall, calls: PortalCalls, http: Http) -> StepResult:
        """Raises Retry, Unanswered, AccountFault or Reject."""
        forward, tell = call.forward, self._tells[call.forward.what]
        values = self._values(forward)
        request = HttpRequest(
            calls.address(_filled(tell.path, _quoted(values))), tell.method, limit=LIMIT,
            headers=_filled(tell.headers, values), json=_filled(tell.json, values) or None,
            form=_filled(tell.form, values) or None,
        )  # fmt: skip
        answer = _decoded((await calls.send(http, request)).body)
        if tell.success and answer is None:
            raise Unanswered("answered with something else than JSON: it may have been taken")
        if tell.success and not is_yes(compile_expression(tell.success)(answer)):
            raise Reject("refused_by_portal", "the portal answered that it did not take it")
        native = plain_text(compile_expression(tell.id)(answer)) or None
        if forward.what == "complaint" and native is None:
            raise Unanswered("answered without an id: it may have been taken")
        return StepResult({"id": native}, native if forward.what == "complaint" else None)

    async def look_up(self, call: ForwardCall, calls: PortalCalls, http: Http) -> StepResult | None:
        """None: it surely was not done. Raises Retry, NeedsPerson, AccountFault."""
        forward, tell = call.forward, self._tells[call.forward.what]
        if (left := SETTLES - (call.now - call.began_at).total_seconds()) > 0 and not tell.idempotent:
            raise Retry("it may still be under way", after=left)
        if tell.idempotent:
            return None
        if tell.find is None:
            raise NeedsPerson(
                "the portal did not answer whether it took this, and its manifest has no [tell.find]: look there"
            )
        return await self._found(forward, tell, tell.find, calls, http)

    async def status_word(self, native: str, calls: PortalCalls, http: Http) -> str | None:
        """The portal's word; None: the complaint does not stand there. Raises Retry, AccountFault, Reject, and
        NotImplementedError where the manifest has no [status]."""
        if self._status is None:
            raise NotImplementedError("the manifest has no [status]")
        request = HttpRequest(
            calls.address(_filled(self._status.path, {"native": quote(native, safe="")})),
            params=_filled(self._status.params, {"native": native}), limit=LIMIT,
        )  # fmt: skip
        try:
            answer = _decoded((await calls.send(http, request)).body)
        except Reject as fault:
            if fault.code == "http_404":
                return None
            raise
        return plain_text(compile_expression(self._status.status)(answer))

    async def _found(
        self, forward: Forward, tell: Tell, find: Find, calls: PortalCalls, http: Http
    ) -> StepResult | None:
        values = self._values(forward)
        request = HttpRequest(
            calls.address(_filled(find.path, _quoted(values))), params=_filled(find.params, values), limit=LIMIT
        )
        try:
            answer = _decoded((await calls.send(http, request)).body)
            rows = rows_in(compile_expression(find.items or "@")(answer))
        except NotRows as fault:
            raise Retry(str(fault)) from None
        except Reject as fault:
            raise AccountFault(fault.code, "the portal refused to be asked: check [tell.find]") from None
        words = compile_expression(find.words)
        for row in rows:
            if mark(forward) in plain_text(words(row)):
                native = plain_text(compile_expression(find.id or tell.id)(row)) or None
                return StepResult({"id": native}, native if forward.what == "complaint" else None)
        return None

    def _values(self, forward: Forward) -> dict[str, str]:
        office = next((one.name or one.id for one in forward.offices), "")
        status = self._words.get(forward.status, forward.status) if forward.status else ""
        return {
            "native": forward.native or "", "number": forward.number, "reference": forward.reference,
            "text": forward.text, "title": forward.title, "status": status, "office": office, "mark": mark(forward),
        }  # fmt: skip


def _quoted(values: dict[str, str]) -> dict[str, str]:
    """As parts of a path: many a portal's number holds a slash."""
    return {name: quote(value, safe="") for name, value in values.items()}


def _decoded(body: bytes) -> Any:
    """None where it is no JSON: then it says nothing."""
    try:
        return decode_lenient(body)
    except ValueError:
        return None


def _filled(template: Any, values: dict[str, str]) -> Any:
    """Each name in braces once: a citizen's words in braces stay words."""
    if isinstance(template, dict):
        return {name: _filled(value, values) for name, value in template.items()}
    if isinstance(template, list):
        return [_filled(value, values) for value in template]
    if not isinstance(template, str):
        return template
    head, *parts = template.split("{")
    filled = [head]
    for part in parts:
        name, brace, rest = part.partition("}")
        filled.append(values[name] + rest if brace and name in values else "{" + part)
    return "".join(filled)
