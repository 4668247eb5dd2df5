"""The counter: staff enter a letter, a visit or a call on somebody's behalf, on the page `/loket` or by
`POST /api/v1/reports`.

The key is the office's; the identity of the reporter is as staff wrote it down, so it is claimed and not proven.
"""

from __future__ import annotations

from connectors._report import KIND_FIELDS, KeyedSettings, ReportChannel


class CounterChannel(ReportChannel):
    kind = "counter"
    proof_settings = ("api_keys",)
    settings_type = KeyedSettings
    counts_for_guard = False
    own_fields = KIND_FIELDS
    template = """\
# Staff who enter letters, visits and calls on the page /loket, or by POST /api/v1/reports with came_by (letter, visit,
# call) and entered_by.
api_keys = ["{secret}"]
"""

    @property
    def missing_for_intake(self) -> str | None:
        return None if self.settings.api_keys else "api_keys"

    def setup_help(self, url: str) -> str:
        return (
            f"staff open {url.rstrip('/')}/loket and show one of api_keys; programs send reports to /api/v1/reports "
            "with `Authorization: Bearer KEY`, came_by and entered_by"
        )
