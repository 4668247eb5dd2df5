"""The registry of offices: who they are, where, under whom, and by which names people call them.

Every region has its coordinator: the front desk (Meja Layanan) of each of the 38 provinces and 514 regencies and cities
and of the nation comes with the hub. What an administrator imports stands beside these, or over one of the same id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from hashlib import sha256
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from router.calendars import zone_of
from router.offices_index import NameIndex
from router.regions import NATION, region_name
from schemas import Office
from schemas.regions import CODE, region_names

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
        return not self.regions or any(f"{code}.".startswith(f"{region}.") for region in self.regions)


class OfficeRegistry(Mapping[str, RegisteredOffice]):
    """The offices by id, and the ways to find one. `version`: equal data, equal version."""

    def __init__(self, imported: Iterable[RegisteredOffice] = ()) -> None:
        self.imported = tuple(imported)
        self.imported_ids = frozenset(office.id for office in self.imported)
        self._offices = shipped_desks() | {office.id: office for office in self.imported}
        self.version = sha256(msgspec.json.encode(self.imported)).hexdigest()[:12]
        self.names = NameIndex(self._offices)
        self._coordinators = _coordinators(self._offices.values())
        self._by_matter = _by_matter(self._offices.values())
        self._of_place = {
            region: office for office in self._offices.values() if office.kind in PLACES for region in office.regions
        }

    def __getitem__(self, id: str) -> RegisteredOffice:
        return self._offices[id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._offices)

    def __len__(self) -> int:
        return len(self._offices)

    def coordinator(self, region: str) -> RegisteredOffice:
        """That of the regency, else the province, else the nation. `region` may be a code of any level."""
        for code in (region[:5], region[:2]):
            if code in self._coordinators:
                return self._coordinators[code]
        return self._coordinators[NATION]

    def rival_coordinators(self) -> dict[str, list[str]]:
        """The imported coordinators of regions that have several."""
        found: dict[str, list[str]] = {}
        for office in self.imported:
            if office.kind in COORDINATORS and not office.closed:
                for region in office.regions or (NATION,):
                    found.setdefault(region, []).append(office.id)
        return {region: ids for region, ids in found.items() if len(ids) > 1}

    def parent(self, id: str) -> RegisteredOffice | None:
        """The office above. None: it is the nation's, or not known."""
        office = self._offices.get(id)
        if office is None or office.kind == "nation":
            return None
        if office.parent is not None and office.parent in self._offices:
            return self._offices[office.parent]
        return self.coordinator(office.region[:2] if office.kind == "regency" else self._around(office))

    def ladder_up(self, id: str) -> tuple[RegisteredOffice, ...]:
        """The offices above, the nearest first; the last is the nation's."""
        found: dict[str, RegisteredOffice] = {}
        above = self.parent(id)
        while above is not None and above.id not in found and above.id != id:
            found[above.id] = above
            above = self.parent(above.id)
        nation = self._coordinators[NATION]
        if id != nation.id:
            found.setdefault(nation.id, nation)
        return tuple(found.values())

    def of_place(self, code: str) -> RegisteredOffice | None:
        """The office of a district or village."""
        office = self._of_place.get(code)
        return None if office is None or office.closed else office

    def by_matter(self, category: str, code: str) -> RegisteredOffice | None:
        """The one office whose business the category is at that place, of the smallest region that has one. None: there
        is none, or several."""
        parts = code.split(".") if code else []
        for n in range(len(parts), -1, -1):
            found = self._by_matter.get((category, ".".join(parts[:n])), ())
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def find(self, named: str, code: str | None = None) -> RegisteredOffice | None:
        """The office of that id, region code, name or alias; of several, the one that serves the place `code`. None:
        not known, or it could be several."""
        office = self._offices.get(named)
        if office is None and named in self._coordinators:
            office = self._coordinators[named]
        return office or self.names.find(named, code)

    def _around(self, office: RegisteredOffice) -> str:
        return NATION if office.kind == "province" else office.region


def _coordinators(offices: Iterable[RegisteredOffice]) -> dict[str, RegisteredOffice]:
    """By region. An imported one takes the place of the shipped one."""
    found: dict[str, RegisteredOffice] = {}
    for office in offices:
        if office.kind in COORDINATORS and not office.closed:
            found.update(dict.fromkeys(office.regions or (NATION,), office))
    found.setdefault(NATION, shipped_desks()[f"{DESK}/{NATION}"])
    return found


def _by_matter(offices: Iterable[RegisteredOffice]) -> dict[tuple[str, str], list[RegisteredOffice]]:
    found: dict[tuple[str, str], list[RegisteredOffice]] = {}
    for office in offices:
        if not office.closed:
            for matter in office.matters:
                for region in office.regions or ("",):
                    found.setdefault((matter, region), []).append(office)
    return found


@cache
def shipped_registry() -> OfficeRegistry:
    """What comes with the hub, and nothing else."""
    return OfficeRegistry()


@cache
def shipped_desks() -> dict[str, RegisteredOffice]:
    """The front desks that come with the hub."""
    desks = [RegisteredOffice(id=f"{DESK}/{NATION}", name="Meja Layanan Nasional", kind="nation")]
    desks += [_desk(code) for code in region_names()]
    return {desk.id: desk for desk in desks}


def _desk(code: str) -> RegisteredOffice:
    name = region_name(code)
    kind: OfficeKind = "province" if len(code) == 2 else "regency"
    return RegisteredOffice(
        id=f"{DESK}/{code}", name=f"Meja Layanan {name}", kind=kind, regions=(code,), aliases=_desk_aliases(code, name)
    )


_OTHER_NAMES = {"31": ("DKI Jakarta", "Jakarta"), "34": ("DIY", "DI Yogyakarta", "Yogyakarta")}


def _desk_aliases(code: str, name: str) -> tuple[str, ...]:
    bare = name.replace("Provinsi ", "").replace(" Administrasi", "")
    if len(code) == 2:
        heads = ("Pemerintah Provinsi", "Pemerintah Daerah", "Pemerintah", "Gubernur", "Provinsi")
        return tuple(f"{head} {known}" for known in (bare, *_OTHER_NAMES.get(code, ())) for head in heads)
    head = "Bupati" if name.startswith("Kabupaten") else "Wali Kota"
    names = dict.fromkeys((bare, name))
    called = (f"{before}{known}" for known in names for before in ("Pemerintah ", "Pemerintah Daerah ", f"{head} ", ""))
    return *called, f"{head} {bare.split(' ', 1)[1]}"


def is_code(code: str) -> bool:
    """Whether this is a region code whose regency exists, or the nation."""
    return CODE.fullmatch(code) is not None and code[:5] in region_names()
