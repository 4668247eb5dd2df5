"""Offices from CSV and from LAPOR!'s list: all rows or none, faults named by line."""

from __future__ import annotations

import json

import pytest

from router import OfficeRegistry
from router.offices_csv import WrongOffices, format_offices, load_offices
from router.offices_lapor import import_institutions, load_institutions
from schemas.regions import region_names

HEAD = "id,name,kind,parent,regions,matters,aliases,liaison,email,phone,hours,lapor_id,open311,state\n"
FULL = (
    HEAD
    + 'dishub,"Dinas Perhubungan, Kota Semarang",unit,33.74,,12|13,dishub smg|Perhubungan,Sri,sri@contoh.id,'
    + "+62800,Sen-Jum 08:00-16:00,123,dishub,active\n"
    + "loket,Loket Parkir,desk,dishub,,,,,,,,,,\n"
)


def test_a_row_holds_all_there_is_to_know_and_comes_out_as_it_went_in() -> None:
    registry = load_offices(FULL)
    office = registry["dishub"]
    assert (office.name, office.regions, office.matters) == (
        "Dinas Perhubungan, Kota Semarang",
        ("33.74",),
        ("12", "13"),
    )
    assert (office.liaison, office.hours, office.lapor_id) == ("Sri", "Sen-Jum 08:00-16:00", 123)
    assert registry["loket"].regions == ("33.74",)
    assert registry.parent("loket") == office
    again = load_offices(format_offices(registry.imported))
    assert (again.imported, again.version) == (registry.imported, registry.version)


def test_rows_stand_over_those_of_the_same_id_and_no_office_is_removed() -> None:
    rows = "id,name,aliases\ndishub,Dishub,\nmeja-layanan/33.74,Balai Kota,Balai Kota Semarang\n"
    registry = load_offices(rows, load_offices(FULL))
    assert {office.id for office in registry.imported} == {"dishub", "loket", "meja-layanan/33.74"}
    assert (registry["dishub"].name, registry["dishub"].aliases, registry["dishub"].lapor_id) == ("Dishub", (), 123)
    assert registry.coordinator("33.74").name == "Balai Kota"


def test_an_imported_coordinator_takes_the_place_of_the_shipped_one() -> None:
    registry = load_offices("id,name,kind,regions\nppid,PPID Kota Semarang,regency,33.74\n")
    assert registry.coordinator("33.74.01").id == "ppid"


def test_spreadsheets_write_semicolons_and_a_mark_and_an_id_may_be_left_out() -> None:
    registry = load_offices("\ufeffname;regions;aliases\r\nDinas Sosial;33.74|33.22;dinsos, smg\r\n;;\r\n")
    assert registry["dinas-sosial"].regions == ("33.74", "33.22")
    assert registry["dinas-sosial"].aliases == ("dinsos, smg",)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("id,nama\n1,a\n", "line 1: 'nama' is no heading"),
        ("id\n1\n", "line 1: the heading name is missing"),
        ("name\n\nDinas\n" + "x" * 201 + "\n", "line 4: name takes"),
        ("id,name\na,\n", "line 2: name is missing"),
        ("id,name\na b,Dinas\n", "line 2: id takes"),
        ("name,kind\nDinas,dinas\n", "line 2: kind takes"),
        ("name,regions\nDinas,3374\n", "line 2: regions takes codes"),
        ("name,regions\nDinas,99.99\n", "line 2: regions takes codes"),
        ("name,parent\nDinas,pusat\n", "line 2: parent pusat is no office"),
        ("id,name,parent\na,A,b\nb,B,a\n", "line 2: a stands above its own parent b"),
        ("name,hours\nDinas,pagi\n", "line 2: hours takes"),
        ("name,lapor_id\nDinas,12a\n", "line 2: lapor_id takes"),
        ("name,state\nDinas,tutup\n", "line 2: state takes"),
        ("id,name\na,A\na,B\n", "line 3: line 2 has the same id a"),
        ("id,name,lapor_id\na,A,7\nb,B,7\n", "line 3: line 2 has the same lapor_id 7"),
        ("name,kind\nKota,regency\n", "line 2: kind regency needs its region"),
        ("name\nDinas,33.74\n", "line 2: it has more cells"),
    ],
)
def test_a_fault_names_its_line_and_nothing_is_taken(text: str, fault: str) -> None:
    with pytest.raises(WrongOffices) as wrong:
        load_offices(text)
    assert wrong.value.faults[0].startswith(fault)


def test_every_wrong_row_is_named() -> None:
    with pytest.raises(WrongOffices) as wrong:
        load_offices("name,kind\nA,x\nB,unit\nC,y\n")
    assert [fault.split(":")[0] for fault in wrong.value.faults] == ["line 2", "line 4"]


def listed(*names: str, first: int = 1) -> bytes:
    data = [{"id": first + n, "name": name, "level": 2} for n, name in enumerate(names)]
    return json.dumps({"message": "ok", "results": {"data": data, "next_page_url": None}}).encode()


def test_lapors_institutions_are_matched_to_regions_by_their_names() -> None:
    taken = import_institutions(
        load_institutions(
            listed(
                "Pemerintah Kota Semarang",
                "Pemerintah Kabupaten Semarang",
                "Dinas Perhubungan Kota Semarang",
                "Kementerian Perhubungan",
                "PT Contoh Listrik (Persero)",
                "Dinas Sosial",
                "Dinas Sosial Semarang",
                "Pemprov DKI Jakarta",
                "Badan Contoh Nasional",
            )
        ),
        OfficeRegistry(),
    )
    offices = taken.offices
    assert {o.lapor_id: (o.id, o.kind, o.regions) for o in offices.imported} == {
        1: ("meja-layanan/33.74", "regency", ("33.74",)),
        2: ("meja-layanan/33.22", "regency", ("33.22",)),
        3: ("lapor-3", "unit", ("33.74",)),
        4: ("lapor-4", "ministry", ()),
        5: ("lapor-5", "soe", ()),
        8: ("meja-layanan/31", "province", ("31",)),
        9: ("lapor-9", "agency", ()),
    }
    assert offices["meja-layanan/33.74"].name == "Meja Layanan Kota Semarang"
    assert [one.name for one in taken.left_out] == ["Dinas Sosial", "Dinas Sosial Semarang"]
    assert (taken.matched, taken.added) == (3, 4)


def test_the_government_of_every_region_is_its_front_desk_by_the_name_of_the_decree() -> None:
    names = [f"Pemerintah {'Provinsi ' if len(code) == 2 else ''}{name}" for code, name in region_names().items()]
    taken = import_institutions(load_institutions(listed(*names)), OfficeRegistry())
    assert (taken.matched, taken.added, taken.left_out) == (552, 0, ())


def test_the_list_taken_in_again_changes_only_what_changed_there() -> None:
    first = import_institutions(
        load_institutions(listed("Pemerintah Kota Semarang", "Kementerian A")), OfficeRegistry()
    ).offices
    again = import_institutions(load_institutions(listed("Pemkot Semarang", "Kementerian B")), first)
    assert (again.matched, again.added) == (2, 0)
    assert again.offices["lapor-2"].name == "Kementerian B"
    assert again.offices["meja-layanan/33.74"] == first["meja-layanan/33.74"]


def test_an_imported_office_gets_its_number_and_stays_as_it_is() -> None:
    known = load_offices("id,name,regions,aliases\ndishub,Dishub Kota Semarang,33.74,a\n")
    taken = import_institutions(load_institutions(listed("Dinas Perhubungan Kota Semarang", first=77)), known)
    assert (taken.offices["dishub"].lapor_id, taken.offices["dishub"].aliases) == (77, ("a",))
    assert len(taken.offices.imported) == 1


def test_five_thousand_institutions_on_several_pages() -> None:
    from schemas.regions import region_names

    pages = [listed(*(f"{kind} {name}" for code, name in region_names().items() if len(code) == 5), first=n * 1000)
             for n, kind in enumerate(("Pemerintah", *(f"Dinas Nomor {n}" for n in range(9))), 1)]  # fmt: skip
    institutions = load_institutions(b"[" + b",".join(pages) + b"]")
    taken = import_institutions(institutions, OfficeRegistry())
    assert len(institutions) == 5140
    assert (taken.matched, taken.added, taken.left_out) == (514, 4626, ())


@pytest.mark.parametrize("body", [b"{}", b"[1]", b'{"results": {"data": [{"id": "x"}]}}', b"{"])
def test_another_file_is_no_list(body: bytes) -> None:
    with pytest.raises(ValueError, match="no list of institutions"):
        load_institutions(body)
