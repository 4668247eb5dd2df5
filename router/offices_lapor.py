"""LAPOR!'s list of institutions, taken into the registry: `results.data[]` of `{id, name}`, 5,000 and more.

A name that the registry has ("Pemerintah Kota Semarang") gives that office its id there. Another becomes an office of
the region that its name ends with, or of the nation where it is a ministry or the like. A local office without a region
in its name ("Dinas Sosial") is left out and named: nobody can know whose it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from router.offices import OfficeRegistry
from router.offices_names import fold_name, split_region
from router.offices_types import OfficeKind, RegisteredOffice

_LOCAL = frozenset(
    {"dinas", "kecamatan", "kelurahan", "desa", "pusat", "puskesmas", "rumah", "inspektorat", "bagian", "sekretariat",
     "satuan", "unit", "kantor", "uptd", "upt", "kabupaten", "kota", "provinsi", "pemerintah", "perusahaan", "bidang",
     "sekolah", "sd", "sdn", "smp", "smpn", "sma", "sman", "smk", "smkn", "asisten", "bapenda", "camat", "lurah"}
)  # fmt: skip
_STATE_ENTERPRISES = frozenset({"pt", "perum", "persero"})


class Institution(msgspec.Struct, frozen=True):
    """An institution of LAPOR!."""

    id: int
    name: str


class _Results(msgspec.Struct):
    data: list[Institution]


class _Answer(msgspec.Struct):
    results: _Results


class ImportedInstitutions(NamedTuple):
    """What became of the list."""

    offices: OfficeRegistry
    matched: int
    added: int
    left_out: tuple[Institution, ...]


def load_institutions(body: bytes) -> list[Institution]:
    """The answer of LAPOR!'s API, or several of them as a JSON array (its pages). Raises ValueError."""
    try:
        pages = msgspec.json.decode(body, type=_Answer | list[_Answer], strict=False)
    except msgspec.MsgspecError as error:
        raise ValueError(f"no list of institutions: {error}") from None
    return [one for page in (pages if isinstance(pages, list) else [pages]) for one in page.results.data]


def import_institutions(institutions: Iterable[Institution], known: OfficeRegistry) -> ImportedInstitutions:
    """The registry with these institutions. Taken in again, the list changes only what changed there."""
    imported = {office.id: office for office in known.imported}
    by_lapor_id = {office.lapor_id: office for office in known.values() if office.lapor_id is not None}
    matched, added, left_out = 0, 0, []
    taken: set[str] = set()
    for one in institutions:
        office = by_lapor_id.get(one.id) or _of_that_name(one, known, taken)
        if office is not None:
            by_lapor_id[one.id] = imported[office.id] = _renamed(office, one)
            matched += 1
            taken.add(office.id)
        elif (new := _new(one)) is not None:
            by_lapor_id[one.id] = imported[new.id] = new
            added += 1
        else:
            left_out.append(one)
    changed = {id: office for id, office in imported.items() if id in known.imported_ids or office != known.get(id)}
    return ImportedInstitutions(OfficeRegistry(changed.values()), matched, added, tuple(left_out))


def _of_that_name(one: Institution, known: OfficeRegistry, taken: set[str]) -> RegisteredOffice | None:
    ids = known.names.given.get(fold_name(one.name), set())
    office = known[next(iter(ids))] if len(ids) == 1 else None
    return None if office is None or office.lapor_id is not None or office.id in taken else office


def _renamed(office: RegisteredOffice, one: Institution) -> RegisteredOffice:
    name = one.name if office.id == _id(one) else office.name
    return msgspec.structs.replace(office, lapor_id=one.id, name=name)


def _id(one: Institution) -> str:
    return f"lapor-{one.id}"


def _new(one: Institution) -> RegisteredOffice | None:
    """None: a local office of nobody knows where."""
    phrase = fold_name(one.name)
    words, codes = phrase.split(), split_region(phrase)[1]
    if len(codes) == 1:
        return RegisteredOffice(id=_id(one), name=one.name, regions=codes, lapor_id=one.id)
    if not words or codes or words[0] in _LOCAL or words[-1] == "daerah":
        return None
    return RegisteredOffice(id=_id(one), name=one.name, kind=_kind(words), lapor_id=one.id)


def _kind(words: list[str]) -> OfficeKind:
    if words[0] == "kementerian":
        return "ministry"
    return "soe" if _STATE_ENTERPRISES & set(words) else "agency"
