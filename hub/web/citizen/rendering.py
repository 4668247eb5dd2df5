"""How pages come to be: templates, static files, the language switch, the steps of a report."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from hub.web.translations import Language, language_query, other_language, translate
from hub.web.widget_frame import WIDGET, is_embedded

_HERE = Path(__file__).parent
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FILES = {p.name: p.read_bytes() for p in (_HERE / "static").iterdir() if p.suffix in _MEDIA_TYPES}
_VERSIONS = {name: hashlib.sha256(body).hexdigest()[:10] for name, body in _FILES.items()}
_STEPS = ("received", "verified", "in_progress", "done")
_REACHED = {"verified": 1, "in_progress": 2, "done": 3}

_templates = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals["static"] = lambda name: f"/static/{name}?v={_VERSIONS[name]}"


def render(request: Request, template: str, *, language: Language, status: int = 200, **values: Any) -> Response:
    """A template as an answer. In it `t` translates, and `q` is the query string that carries the language on."""
    embedded = is_embedded(request.url.path)
    carried = carried_language(request, language)
    defaults: dict[str, Any] = {
        "embedded": embedded,
        "form": WIDGET if embedded else "/",
        "out": Markup(' target="_blank" rel="noopener"') if embedded else "",
        "here": None,
        "errors": {},
        "values": {},
        "switch": f"{request.url.path}?lang={other_language(language)}",
        "lang": language,
        "other": other_language(language),
        "t": partial(translate, language=language),
        "q": f"?{urlencode(carried)}" if carried else "",
        "carried": carried,
    }
    body = _templates.get_template(template).render({**defaults, **values})
    headers = {"Cache-Control": "no-store", "Content-Language": language, "Vary": "Accept-Language"}
    return HTMLResponse(body, status, headers)


def carried_language(request: Request, language: Language) -> dict[str, str]:
    """The part of a query that carries the language of this page on; none where the browser asks for it anyway."""
    return language_query(language, request.headers.get("accept-language", ""))


def static_file(name: str) -> Response | None:
    """One of our own files; a new version has a new address, so it may be kept for ever."""
    body = _FILES.get(name)
    if body is None:
        return None
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(body, headers=headers, media_type=_MEDIA_TYPES[Path(name).suffix])


def progress_steps(status: str) -> list[tuple[str, str]]:
    """Each step of a report, and whether it is past, now or next."""
    if status in {"archived", "rejected"}:
        return [("received", "past"), (status, "now")]
    at = _REACHED.get(status, 0)
    return [(step, "past" if n < at else "now" if n == at else "next") for n, step in enumerate(_STEPS)]


def digit_groups(number: str) -> list[str]:
    """A number in the groups that people read it in."""
    return [number[:4], number[4:7], number[7:]]
