"""The ladder: the office for a report that no rule and no model decides. It always ends at an office.

The unit whose business the category is at that place; the office of the district; the coordinator of the regency, of
the province, of the nation. Without a place it is the office whose account took the report in.
"""

from __future__ import annotations

from typing import NamedTuple

from router.offices import OfficeRegistry
from router.offices_named import place_code
from router.offices_types import RegisteredOffice
from router.regions import region_name
from schemas import Message


class Rung(NamedTuple):
    """An office of the ladder, and why, for people."""

    office: RegisteredOffice
    why: str


def climb(message: Message, offices: OfficeRegistry) -> Rung:
    """The lowest rung that there is for the report."""
    code = place_code(message)
    found = _by_category(message, code or "", offices)
    if found is not None:
        return found
    stated = code is not None and message.place is not None and message.place.source != "owner"
    return _by_place(code or "", offices) if stated else _of_owner(message, offices)


def _by_category(message: Message, code: str, offices: OfficeRegistry) -> Rung | None:
    if message.category is None:
        return None
    office = offices.by_matter(message.category.id, code)
    if office is None:
        return None
    category, where = message.category.name or message.category.id, f" di {region_name(code)}" if code else ""
    return Rung(office, f"Laporan tentang {category}{where} ditangani oleh {office.name}.")


def _by_place(code: str, offices: OfficeRegistry) -> Rung:
    office = offices.of_place(code[:8]) if len(code) >= 8 else None
    if office is not None:
        return Rung(office, f"Lokasi laporan berada di wilayah {office.name}, sehingga laporan diteruskan ke sana.")
    office = offices.coordinator(code)
    if office.level == "national":
        return _nation(office)
    where = region_name(code if office.level == "regency" else code[:2])
    return Rung(office, f"Lokasi laporan berada di {where}, sehingga laporan ditelaah lebih dulu oleh {office.name}.")


def _of_owner(message: Message, offices: OfficeRegistry) -> Rung:
    office = owner_office(message.owner, offices)
    if office.level == "national" and office.id != message.owner:
        return _nation(office)
    owner = office.name if office.id == message.owner else region_name(message.owner)
    return Rung(office, f"Laporan masuk melalui kanal {owner} dan ditelaah lebih dulu oleh {office.name}.")


def _nation(office: RegisteredOffice) -> Rung:
    return Rung(office, f"Instansi dan lokasi laporan belum dapat dipastikan, sehingga laporan ditelaah dan diteruskan "
                        f"oleh {office.name}.")  # fmt: skip


def owner_office(owner: str, offices: OfficeRegistry) -> RegisteredOffice:
    """The office to which the account belongs, or the coordinator of the region that it belongs to."""
    office = offices.get(owner)
    return office if office is not None and not office.closed else offices.coordinator(owner)
