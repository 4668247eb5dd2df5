"""The citizens' form and `POST /api/v1/reports`. The hub stores the request as a Raw; this reads it."""

from __future__ import annotations

import json
import re
from typing import Annotated

from msgspec import Meta

from connectors._demo import DemoItem, DemoRequest
from connectors._report import KeyedSettings, ReportChannel

_SITE = re.compile(r"https?://(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?")


class WebSettings(KeyedSettings, frozen=True, kw_only=True):
    rate: Annotated[int, Meta(ge=1)] = 60
    """Reports a minute from one address without an API key."""
    sites: tuple[str, ...] = ()
    """Sites that may show the form in a frame, as https://www.bandung.go.id or https://*.bandung.go.id."""


class WebChannel(ReportChannel):
    kind = "web"
    proof_settings = ("api_keys",)
    settings_type = WebSettings
    needs_contract = False
    template = """\
# The citizens' form and the reports API.
api_keys = ["{secret}"]     # callers that show one of these are not limited by `rate`
# rate = 60                 # reports a minute from one address without an API key
# sites = ["https://www.bandung.go.id"]   # sites that may show the form: <script src="…/widget.js" async></script>
"""

    def __init__(self, account: str, owner: str, settings: WebSettings) -> None:
        super().__init__(account, owner, settings)
        if wrong := next((site for site in settings.sites if not _SITE.fullmatch(site)), None):
            raise ValueError(f"sites: takes addresses without a path, as https://www.bandung.go.id, not {wrong!r}")

    def setup_help(self, url: str) -> str:
        return "callers of the reports API send `Authorization: Bearer KEY`, one of api_keys"

    def demo_request(self, item: DemoItem) -> DemoRequest | None:
        if item.form != "text":
            return None
        headers = {"content-type": "application/json", "idempotency-key": item.id}
        if self.settings.api_keys:
            headers["authorization"] = f"Bearer {self.settings.api_keys[0].reveal()}"
        report = {"text": item.text, "name": item.name, "phone": f"+{item.phone}"}
        return DemoRequest(path="/api/v1/reports", headers=headers, body=json.dumps(report).encode())
