"""The page of a report: how far it is, and to its reporter its words, its answers and the forms to go on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from hub.settings import Settings
from hub.web.api.problems import Problem
from hub.web.citizen.dates import format_day, format_size, format_time
from hub.web.citizen.rendering import digit_groups, progress_steps, render
from hub.web.idempotency import draw_key, key_of_page
from hub.web.translations import Language, TranslatableText, has_translation, other_language, translate
from schemas import CLOSED_STATUSES
from sink import TrackedReport

SHOWN = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
"""Media types that are shown back: what a browser draws and never runs."""
_HINTS = {"late": "step_received_late_hint", "met": "step_verified_hint"}
"""Of a report that no status moved yet: the three working days are over, or an office has it by an officer's word."""
_HEARD = frozenset({"answer", "question"})
"""Steps by which an office says something, beside a status."""
FORMS = ("keterangan", "belum", "nilai")
"""More words and files; that it is not solved; a rating. The last part of their addresses."""


class RefusedForm(NamedTuple):
    """A form of the page that could not be taken; it is shown again with what was typed."""

    form: str
    """Of FORMS, or `last4`."""
    problem: Problem
    values: Mapping[str, Any] = {}
    has_files: bool = False
    """They have to be chosen again."""

    @property
    def errors(self) -> dict[str, TranslatableText]:
        """By the field on the page, where two forms have words."""
        named = {"text": "why"} if self.form == "belum" else {}
        return {named.get(name, name): text for name, text in self.problem.errors.items()}


def render_report(
    request: Request,
    found: TrackedReport,
    language: Language,
    settings: Settings,
    *,
    today: date,
    token: str | None = None,
    refused: RefusedForm | None = None,
) -> Response:
    """The page of a report that was found."""
    steps = progress_steps(found.status)
    now = next(step for step, state in steps if state == "now")
    hint = _HINTS.get(found.checking or "") if now == "received" else None
    values: dict[str, Any] = {
        "found": found,
        "groups": digit_groups(found.number),
        "steps": steps,
        "hint": hint or f"step_{now}_hint",
        "when": partial(format_time, zone=settings.zone, language=language),
        "history": [{"at": s.at, "text": _happened(s.what, s.why, language)} for s in found.timeline],
        "words": [words for words in found.words if words.text],
        "rated": next((step.why for step in reversed(found.timeline) if step.what == "rated"), None),
        "token": token,
        "broken_link": bool(request.query_params.get("token")) and not found.proven,
        "sent": _sent(request.query_params.get("sent", ""), language) if found.proven else None,
        "shown": SHOWN,
        "closed": CLOSED_STATUSES,
        "day": partial(format_day, language=language),
        "size": partial(format_size, language=language),
        "switch": None if refused and refused.form in FORMS else _switch(found.number, token, language),
    }
    status = refused.problem.status if refused else 200
    values |= _again(refused, _keys(found, token, today), language)
    answer = render(request, "report.html", language=language, here="track", status=status, **values)
    answer.headers.update(refused.problem.headers if refused else {})
    return answer


def _keys(found: TrackedReport, token: str | None, today: date) -> dict[str, str]:
    """What makes each form one request. Whoever goes back and sends the same words again adds them once: until the next
    day, or until an office said something new. A rating replaces the one before it, so each counts."""
    if token is None:
        return {}
    heard = [step.at.isoformat() for step in found.timeline if step.what in _HEARD or step.what.startswith("status_")]
    same = {form: key_of_page(token, form, today.isoformat(), *heard[-1:]) for form in FORMS}
    return same | {"nilai": draw_key()}


def _again(refused: RefusedForm | None, keys: Mapping[str, str], language: Language) -> dict[str, Any]:
    """What the forms show: what was typed, what is wrong, and their keys."""
    if refused is None:
        return {"form": None, "once": keys, "problem": None, "files_again": False}
    errors = {name: text.to(language) for name, text in refused.errors.items()}
    problem = refused.problem
    banner = {"title": problem.title.to(language), "detail": problem.detail.to(language)}
    return {
        "form": refused.form,
        "once": {**keys} | ({refused.form: refused.values["once"]} if refused.values.get("once") else {}),
        "errors": errors,
        "values": refused.values,
        "problem": None if errors else banner,
        "files_again": refused.has_files,
    }


def _switch(number: str, token: str | None, language: Language) -> str:
    """The same page in the other language. Where something was typed there is none: a link would lose it."""
    query = {"lang": other_language(language)} | ({"token": token} if token else {})
    return f"/lacak/{number}?{urlencode(query)}"


def _sent(what: str, language: Language) -> str | None:
    """The sentence after a form was taken."""
    key = f"sent_{what}"
    return translate(key, language) if has_translation(key) else None


def _happened(what: str, why: str | None, language: Language) -> str:
    """A line of the history. Why an office was chosen is known in Indonesian only."""
    if what == "routed" and why and language == "id":
        return why
    key = f"happened_{what}"
    return translate(key if has_translation(key) else "happened_other", language)
