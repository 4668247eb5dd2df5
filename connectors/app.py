"""An app's reports, by `POST /api/v1/reports` with the key of a device: it is drawn by the hub, without signing up.

All reports of a device stand in its one conversation. The device is proven, not the person who holds it.
"""

from __future__ import annotations

from connectors._report import ReportChannel
from connectors._settings import Settings


class AppSettings(Settings, frozen=True, kw_only=True):
    rate: int = 20
    """Reports and new devices a minute from one address."""


class AppChannel(ReportChannel):
    kind = "app"
    settings_type = AppSettings
    template = """\
# An app: each device gets a key of its own by POST /api/v1/devices?account={name}.
# rate = 20                 # reports and new devices a minute from one address
"""

    def setup_help(self, url: str) -> str:
        return f"the app asks once for its key: POST /api/v1/devices?account={self.account}"
