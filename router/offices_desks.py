"""The front desks that come with the hub: of every province, regency and city, and of the nation."""

from __future__ import annotations

from functools import cache

from router.offices_types import DESK, OfficeKind, RegisteredOffice
from router.regions import NATION, region_name
from schemas.regions import region_names


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


_OTHER_NAMES = {
    "31": ("DKI Jakarta", "Jakarta", "Daerah Khusus Ibukota Jakarta", "Daerah Khusus Ibu Kota Jakarta"),
    "34": ("DIY", "DI Yogyakarta", "Yogyakarta"),
}


def _desk_aliases(code: str, name: str) -> tuple[str, ...]:
    bare = name.replace("Provinsi ", "").replace(" Administrasi", "")
    if len(code) == 2:
        heads = ("Pemerintah Provinsi", "Pemerintah Daerah", "Pemerintah", "Gubernur", "Provinsi")
        return tuple(f"{head} {known}" for known in (bare, *_OTHER_NAMES.get(code, ())) for head in heads)
    head = "Bupati" if name.startswith("Kabupaten") else "Wali Kota"
    names = dict.fromkeys((bare, name))
    called = (f"{before}{known}" for known in names for before in ("Pemerintah ", "Pemerintah Daerah ", f"{head} ", ""))
    return *called, f"{head} {bare.split(' ', 1)[1]}"
