"""How pages come to be: templates, static files, the language switch, the steps of a report's way."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from hub.web.citizen.words import Language, other, say

_HERE = Path(__file__).parent
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FILES = {p.name: p.read_bytes() for p in (_HERE / "static").iterdir() if p.suffix in _KINDS}
_MARKS = {name: hashlib.sha256(body).hexdigest()[:10] for name, body in _FILES.items()}
_STEPS = ("received", "verified", "in_progress", "done")
_REACHED = {"verified": 1, "in_progress": 2, "done": 3}

_pages = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_pages.globals["static"] = lambda name: f"/static/{name}?v={_MARKS[name]}"


def page(request: Request, template: str, *, language: Language, status: int = 200, **values: Any) -> Response:
    """A template as an answer."""
    switch = f"{request.url.path}?lang={other(language)}"
    defaults: dict[str, Any] = {"here": None, "errors": {}, "said": {}, "switch": switch}
    words = partial(say, language=language)
    query = "" if language == "id" else f"?lang={language}"
    known = {"lang": language, "other": other(language), "w": words, "q": query}
    body = _pages.get_template(template).render({**defaults, **known, **values})
    return HTMLResponse(body, status, {"Cache-Control": "no-store", "Content-Language": language})


def static(name: str) -> Response | None:
    """One of our own files; a new version has a new address, so it may be kept for ever."""
    body = _FILES.get(name)
    if body is None:
        return None
    kind = _KINDS[Path(name).suffix]
    return Response(body, headers={"Cache-Control": "public, max-age=31536000, immutable"}, media_type=kind)


def steps(status: str) -> list[tuple[str, str]]:
    """The way of a report: each step, and whether it is past, now or next."""
    if status in {"archived", "rejected"}:
        return [("received", "past"), (status, "now")]
    at = _REACHED.get(status, 0)
    return [(step, "past" if n < at else "now" if n == at else "next") for n, step in enumerate(_STEPS)]


def parts(number: str) -> list[str]:
    """A number in the groups that people read it in."""
    return [number[:4], number[4:7], number[7:]]
