"""Settings of an account that leads into SP4N-LAPOR!, and its mapping tables.

The tables are settings: `channels.toml` is an edition, seen within seconds, and each region's numbers are its own. What
the documentation of LAPOR! leaves open is a setting here, with a default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

import msgspec

from connectors._durations import seconds_of, window_of
from connectors._settings import Secret, Settings
from schemas import Forward, Office

PRODUCTION = "https://api-splp.layanan.go.id/lapor/3.0.0"
NATIONAL = 34
"""LAPOR!'s location for the whole country."""
_GUID = re.compile(r"\{?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\}?")
Number = int | Annotated[str, msgspec.Meta(pattern=r"^\d*$")]
"""An integer; text of digits is taken too."""
CLASSES: Mapping[str, Number] = {"complaint": 1, "aspiration": 2, "information_request": 3}


class LaporSettings(Settings, frozen=True, kw_only=True):
    url: str = PRODUCTION
    """Base address of the API: production, or the sandbox."""
    token: Secret = Secret("")
    """The GUID, with its braces."""
    auth_header: str = "Authorization"
    """Name of the header that carries `auth_value`; LAPOR! has changed it over time."""
    auth_value: Secret = Secret("")
    """As LAPOR! issued it, with `Bearer ` or without."""
    user_id: Number = ""
    """Our user in LAPOR!: the reporter of what is anonymous or secret, and the writer of answers."""
    institution_id: Number = ""
    """Our own institution in LAPOR!: the desk at which complaints arrive."""
    channel_code: Number = ""
    """LAPOR!'s code of the channel through which we report."""
    poll_every: str | float = "3h"
    """How often an open complaint is looked at there: 3h, 15m, 90s."""
    create_path: str = "/complaints/complaint"
    """Where a complaint is created; some channels have one of their own (`/complaints/complaint-…`)."""
    find_path: str = ""
    """A GET whose `results.data[]` lists the complaints that hold `{number}`; LAPOR! documents none. Without it a
    person decides what became of a create that was not answered."""
    regions: tuple[str, ...] = ()
    """Region codes; complaints of these and of what lies within go there. Empty: all."""
    oldest: str | float = ""
    """A complaint that is older when it comes in (90d), as rows of a file may be, is not brought there. Empty: all."""
    classes: Mapping[str, Number] = msgspec.field(default_factory=lambda: dict(CLASSES))
    """Our class to theirs; `unknown` goes as a complaint."""
    categories: Mapping[str, Number] = {}
    """Our category id to theirs. Ours are LAPOR!'s own unless offices changed them: what is not here goes as it is."""
    category_id: Number = ""
    """For a complaint without a category."""
    institutions: Mapping[str, Number] = {}
    """Our office id to their institution, before what the registry of offices says. What is in neither stays at our own
    desk there."""
    locations: Mapping[str, Number] = {}
    """Our region code to their location; the longest that fits."""
    location_id: Number = NATIONAL
    """For a place that is in no line of `locations`."""
    reporter: bool = True
    """False: every complaint is filed as that of `user_id`, and no citizen's name or phone leaves."""
    withhold: tuple[str, ...] = ()
    """Fields that are kept back, beside those that the projection keeps back."""
    file_hosts: tuple[str, ...] = ()
    """Hosts of your own from which files that LAPOR! names are fetched though they lie in a private network."""
    at_once: Annotated[int, msgspec.Meta(ge=1, le=64)] = 16
    """Requests to LAPOR! in flight at the same time."""
    create_timeout: str | float = "150s"
    """Creates have been seen to take 90 s."""
    create_settles: str | float = "3m"
    """So long after a create without an answer, one that cannot be found there was not done."""
    window: str = ""
    """Hours of the day (WIB) in which complaints are brought there, as 20:00-05:00. Empty: always."""

    def check(self) -> None:
        """Raises ValueError, naming the setting and the fix."""
        for name in ("poll_every", "create_timeout", "create_settles"):
            seconds_of(getattr(self, name), name)
        if self.oldest != "":
            seconds_of(self.oldest, "oldest")
        window_of(self.window, "window")
        if self.find_path and "{number}" not in self.find_path:
            raise ValueError("find_path: holds {number} where our number of the complaint stands")

    @property
    def token_value(self) -> str:
        """The braces are part of it, and it is upper case."""
        found = _GUID.fullmatch(self.token.reveal().strip())
        return f"{{{found[1].upper()}}}" if found else self.token.reveal()

    def institution_of(self, forward: Forward) -> int | None:
        """Their institution of the first of its offices that has one: by our table, else by the registry of offices."""
        known = forward.institutions | dict(self.institutions)
        return next((n for office in forward.offices if (n := number(known.get(office.id, "")))), None)

    def office_of(self, institution: Office) -> Office:
        """Our office of an institution of theirs (`sp4n:ID`), by our table; else the same."""
        there = institution.id.removeprefix("sp4n:")
        id = next((ours for ours, n in self.institutions.items() if str(n) == there), institution.id)
        return Office(id=id, name=institution.name)

    def location_of(self, code: str | None) -> int | None:
        """Their location of a region."""
        parts = (code or "").split(".")
        codes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
        return next((number(self.locations[c]) for c in codes if c in self.locations), number(self.location_id))

    def class_of(self, forward: Forward) -> int | None:
        """Their class."""
        return number(self.classes.get(forward.report_class, self.classes.get("complaint", "")))

    def category_of(self, forward: Forward) -> int | None:
        """Their category."""
        own = "" if forward.category is None else forward.category.id
        found = self.categories.get(own, own if own.isdigit() else "")
        return number(found) or number(self.category_id)


def number(value: int | str) -> int | None:
    """The integer; None: not set."""
    return int(value) if value != "" else None
