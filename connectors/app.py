"""An app's reports, by `POST /api/v1/reports` with the key of a device: it is drawn by the hub, without signing up.

All reports of a device stand in its one conversation. The device is proven, not the person who holds it.
"""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta

from connectors._report import ReportChannel
from connectors._settings import Settings

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?")


class AppSettings(Settings, frozen=True, kw_only=True):
    rate: Annotated[int, Meta(ge=1)] = 20
    """Reports and new devices a minute from one address."""
    origins: tuple[str, ...] = ()
    """Origins of apps in a browser or WebView that may call the API, as https://app.bandung.go.id or
    capacitor://localhost. Apps outside of browsers need none."""


class AppChannel(ReportChannel):
    kind = "app"
    settings_type = AppSettings
    template = """\
# An app: each device gets a key of its own by POST /api/v1/devices?account={name}.
# rate = 20                 # reports and new devices a minute from one address
# origins = ["https://app.bandung.go.id", "capacitor://localhost"]   # apps in a browser or WebView
"""

    def __init__(self, account: str, owner: str, settings: AppSettings) -> None:
        super().__init__(account, owner, settings)
        if wrong := next((origin for origin in settings.origins if not _ORIGIN.fullmatch(origin)), None):
            raise ValueError(f"origins: takes a scheme and a host, as https://app.bandung.go.id, not {wrong!r}")

    def setup_help(self, url: str) -> str:
        return f"the app asks once for its key: POST /api/v1/devices?account={self.account}"
