"""The form for other sites: one script tag there shows it in a frame of its own. It is the citizens' form, with its own
addresses, since no other page of the hub may stand in a frame.
"""

from __future__ import annotations

from fastapi import APIRouter, Depends
from starlette.responses import Response

from hub.web.api.problems import Problem
from hub.web.citizen.form import show_form, submit_form
from hub.web.citizen.pages import accepted
from hub.web.citizen.rendering import static_file
from hub.web.dependencies import require_same_site
from hub.web.widget_frame import WIDGET

FRESH = "public, max-age=3600"

router = APIRouter(include_in_schema=False)
router.get(WIDGET)(show_form)
router.post(WIDGET, dependencies=[Depends(require_same_site)])(submit_form)
router.get(WIDGET + "/diterima/{raw}")(accepted)


@router.get("/widget.js")
async def script() -> Response:
    """What other sites name: always at this address, so it is kept for an hour only."""
    file = static_file("widget.js")
    if file is None:
        raise Problem(404, "no_page")
    file.headers["Cache-Control"] = FRESH
    file.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return file
