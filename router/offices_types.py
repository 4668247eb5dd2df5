"""An office as the registry holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from router.calendars import zone_of
from router.regions import NATION
from schemas import Office
from schemas.regions import CODE, is_inside, region_names

OfficeKind = Literal[
    "nation", "ministry", "agency", "soe", "province", "regency", "district", "village", "unit", "desk"
]
"""nation, province, regency: the coordinator of that region. soe: a state enterprise. district, village: the office of
a kecamatan, desa or kelurahan. unit: a dinas, a bureau, a hospital. desk: one of several of an office."""
Level = Literal["unit", "district", "regency", "province", "national"]
DESK = "meja-layanan"
_LEVELS: Mapping[OfficeKind, Level] = {
    "nation": "national", "ministry": "national", "agency": "national", "soe": "national", "province": "province",
    "regency": "regency", "district": "district", "village": "unit", "unit": "unit", "desk": "unit",
}  # fmt: skip
PLACES: frozenset[OfficeKind] = frozenset({"district", "village"})
COORDINATORS: frozenset[OfficeKind] = frozenset({"nation", "province", "regency"})


class RegisteredOffice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One office."""

    id: str
    name: str
    kind: OfficeKind = "unit"
    parent: str | None = None
    """Id of the office above. None: the coordinator of its region, and of a coordinator that of the region around."""
    regions: tuple[str, ...] = ()
    """Codes of the regions that it serves; none: the whole nation."""
    matters: tuple[str, ...] = ()
    """Ids of the categories that are its business in its regions."""
    aliases: tuple[str, ...] = ()
    liaison: str = ""
    """Pejabat penghubung: name, as the office gave it. With `email` and `phone` the only personal data here."""
    email: str = ""
    phone: str = ""
    hours: str = ""
    """"Sen-Jum 08:00-16:00" in its own zone; empty: not stated."""
    lapor_id: int | None = None
    open311: str | None = None
    """Code of its service, or agency_responsible, in Open311."""
    closed: bool = False
    """It takes nothing new."""

    @property
    def as_value(self) -> Office:
        """As events name it."""
        return Office(id=self.id, name=self.name)

    @property
    def level(self) -> Level:
        """Its rung of the ladder."""
        return _LEVELS[self.kind]

    @property
    def region(self) -> str:
        """Its first region, or the nation."""
        return self.regions[0] if self.regions else NATION

    @property
    def zone(self) -> ZoneInfo:
        """The zone of its clocks and hours."""
        return zone_of(self.region)

    def covers(self, code: str) -> bool:
        """Whether it serves the place."""
        return not self.regions or any(is_inside(code, region) for region in self.regions)


def is_code(code: str) -> bool:
    """Whether this is a region code whose regency exists, or the nation."""
    return CODE.fullmatch(code) is not None and code[:5] in region_names()
