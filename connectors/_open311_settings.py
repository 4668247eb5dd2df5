"""Settings of an account of kind `open311`: our server, a server that we bring reports to, or both."""

from __future__ import annotations

from typing import Literal

import msgspec

from connectors._durations import seconds_of
from connectors._settings import Secret, Settings


class Open311Settings(Settings, frozen=True, kw_only=True):
    jurisdiction_id: str = ""
    """Ours as a server; with `url`, that of the other server."""
    keys: tuple[Secret, ...] = ()
    """API keys of the clients that may post to us."""
    publishes: Literal["own", "region", "none"] = "own"
    """What `GET requests` shows: reports that came by this account, all of its region, or none. Never secret ones."""
    services: tuple[str, ...] = ()
    """Ids of the categories that are offered; empty: all."""
    office: str = ""
    """Id of the office whose system posts updates: they are its answers. Empty: they are citizens' further words."""
    contact: str = ""
    """For developers, in `discovery`."""
    file_hosts: tuple[str, ...] = ()
    """Hosts from which files named by media_url are fetched."""
    url: str = ""
    """The other server's address, up to and with `/v2`: reports of the owner's region are brought there."""
    api_key: Secret = Secret("")
    """Issued by the other server."""
    format: Literal["xml", "json"] = "xml"
    """In which the other server is asked: XML is required of every server, JSON is not."""
    service_code: str = ""
    """Its service for reports whose category `service_codes` does not name."""
    service_codes: dict[str, str] = msgspec.field(default_factory=dict)
    """Its services by ids of our categories."""
    updates: bool = False
    """It has mySociety's extension `servicerequestupdates`: what is said later goes both ways."""
    poll_every: str = "15m"
    """How often it is asked for what is new."""
    settles: str = "5m"
    """How long a request that had no answer may be under way there."""

    def check(self) -> None:
        """Raises ValueError, naming the setting."""
        seconds_of(self.poll_every, "poll_every")
        seconds_of(self.settles, "settles")

    def service_of(self, category: str | None) -> str:
        """The other server's code; empty: none is known."""
        return self.service_codes.get(category or "", self.service_code)
