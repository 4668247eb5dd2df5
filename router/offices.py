"""The registry of offices: who they are, where, under whom, and by which names people call them.

Every region has its coordinator: the front desk (Meja Layanan) of each of the 38 provinces and 514 regencies and cities
and of the nation comes with the hub. What an administrator imports stands beside these, or over one of the same id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from hashlib import sha256

import msgspec

from router.offices_desks import shipped_desks
from router.offices_index import NameIndex
from router.offices_types import COORDINATORS, DESK, PLACES, RegisteredOffice
from router.regions import NATION


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
        self._of_institution = {str(office.lapor_id): office for office in self._offices.values() if office.lapor_id}
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

    def of_institution(self, lapor_id: str) -> RegisteredOffice | None:
        """The office that is this institution in LAPOR!."""
        return self._of_institution.get(lapor_id)

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
