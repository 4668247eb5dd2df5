"""Exceptions as answers: a problem for the API, a page for people."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hub.repeated_lines import RepeatedLines
from hub.web.api import problems
from hub.web.api.problems import Problem, invalid_fields
from hub.web.citizen.rendering import render
from hub.web.translations import TranslatableText, other_language, page_language
from schemas import Retry

KEPT_BY_THE_BROWSER = frozenset({400, 408, 413, 429, 500, 503})
"""Statuses after which the same form may be sent again from where it was typed."""
_lines = RepeatedLines(logging.getLogger(__name__))


def add_exception_handlers(app: FastAPI) -> None:
    """Every exception that a route raises on purpose."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(Retry, _unavailable)


def respond(request: Request, problem: Problem) -> Response:
    """The problem in the form that was asked for."""
    if request.url.path.startswith("/api/"):
        return problems.respond(request, problem)
    language = page_language(request.query_params.get("lang"), request.headers.get("accept-language", ""))
    sentences = {
        "title": problem.title.to(language),
        "detail": problem.detail.to(language),
        "other_title": problem.title.to(other_language(language)),
        "other_detail": problem.detail.to(other_language(language)),
        "keeps_form": request.method == "POST" and problem.status in KEPT_BY_THE_BROWSER,
    }
    answer = render(request, "error.html", language=language, status=problem.status, switch=None, **sentences)
    answer.headers.update(problem.headers)
    return answer


async def _problem(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)
    return respond(request, problem)


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    key = {404: "no_page", 405: "method"}.get(error.status_code, "malformed")
    return respond(request, Problem(error.status_code, key, headers=error.headers))


async def _invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = error.errors()
    if any(e["type"] == "json_invalid" for e in errors):
        return respond(request, Problem(400, "malformed"))
    return respond(request, invalid_fields({str(e["loc"][-1]): _mistake(e) for e in errors}))


def _mistake(error: Mapping[str, Any]) -> TranslatableText:
    """What is wrong with a field, of an error as pydantic describes it."""
    if error["type"] == "literal_error":
        expected = error["ctx"]["expected"].replace(" or ", ", ").replace("'", "")
        return TranslatableText("error_choice", {"expected": expected})
    if error["type"] == "string_too_long":
        return TranslatableText("error_too_long", {"limit": error["ctx"]["max_length"]})
    return TranslatableText(
        {"extra_forbidden": "error_unknown_field", "missing": "error_missing"}.get(error["type"], "error_value")
    )


async def _unavailable(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, Retry)
    _lines.write(logging.WARNING, f"the record is unavailable: {fault.reason}")
    return respond(request, Problem(503, "unavailable", headers={"Retry-After": "5"}))
