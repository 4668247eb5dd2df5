"""The registry: hierarchy, regions, and the names by which people call an office."""

from __future__ import annotations

import pytest

from router import OfficeRegistry, RegisteredOffice
from router.offices_named import folded_words, named_office
from schemas import Message, Office, Place
from schemas.regions import region_names

NATION = "meja-layanan/nasional"
OFFICES = OfficeRegistry(
    [
        RegisteredOffice(id="dishub-smg", name="Dinas Perhubungan Kota Semarang", regions=("33.74",),
                         aliases=("dishub smg", "Perhubungan Semarang")),
        RegisteredOffice(id="dishub-sleman", name="Dinas Perhubungan", regions=("34.04",)),
        RegisteredOffice(id="dinkes-sleman", name="Dinas Kesehatan & KB Kab. Sleman", regions=("34.04",)),
        RegisteredOffice(id="loket", name="Loket Parkir", kind="desk", parent="dishub-smg", regions=("33.74",)),
        RegisteredOffice(id="coblong", name="Kecamatan Coblong", kind="district", regions=("32.73.02",)),
        RegisteredOffice(id="bpjs", name="BPJS Kesehatan", kind="agency"),
        RegisteredOffice(id="pln", name="PT PLN (Persero)", kind="soe", aliases=("PLN",)),
        RegisteredOffice(id="pln-lama", name="PLN Wilayah", kind="soe", aliases=("PLN Wilayah Jateng",), closed=True),
        RegisteredOffice(id="diskominfo-jateng", name="Diskominfo Jateng", regions=("33",)),
    ]
)  # fmt: skip


def test_every_region_has_a_front_desk_with_its_name() -> None:
    shipped = OfficeRegistry()
    assert len(shipped) == 38 + 514 + 1
    for code in region_names():
        desk = shipped.coordinator(code)
        assert (desk.regions, desk.level) == ((code,), "province" if len(code) == 2 else "regency")
        assert not any(letter.isdigit() for letter in desk.name)
    assert shipped.coordinator("36.03").name == "Meja Layanan Kabupaten Tangerang"
    assert shipped.coordinator("").name == "Meja Layanan Nasional"


@pytest.mark.parametrize(
    ("id", "above"),
    [
        ("loket", ["dishub-smg", "meja-layanan/33.74", "meja-layanan/33", NATION]),
        ("meja-layanan/33.74", ["meja-layanan/33", NATION]),
        ("diskominfo-jateng", ["meja-layanan/33", NATION]),
        ("coblong", ["meja-layanan/32.73", "meja-layanan/32", NATION]),
        ("pln", [NATION]),
        (NATION, []),
        ("nobody", [NATION]),
    ],
)
def test_the_hierarchy_ends_at_the_nations_desk(id: str, above: list[str]) -> None:
    assert [office.id for office in OFFICES.ladder_up(id)] == above


@pytest.mark.parametrize(
    ("named", "place", "office"),
    [
        ("Yth. Dinas Perhubungan Kota Semarang", None, "dishub-smg"),
        ("dishub smg", "34.04", "dishub-smg"),
        ("DISHUB SEMARANG", None, "dishub-smg"),
        ("Kepala Dishub Kota Semarang", None, "dishub-smg"),
        ("dishub", "33.74.05", "dishub-smg"),
        ("dishub", "34.04", "dishub-sleman"),
        ("dishub", None, None),
        ("dishub", "32.73", None),
        ("Dinas Kesehatan dan KB", "34.04", "dinkes-sleman"),
        ("dinas kesehatan", "34.04", None),
        ("Pemkot Semarang", None, "meja-layanan/33.74"),
        ("Pemerintah Kabupaten Semarang", None, "meja-layanan/33.22"),
        ("Bupati Sleman", None, "meja-layanan/34.04"),
        ("Walikota Bandung", None, "meja-layanan/32.73"),
        ("Pemprov DKI Jakarta", None, "meja-layanan/31"),
        ("Gubernur DIY", None, "meja-layanan/34"),
        ("Pemerintah Semarang", None, None),
        ("33.74", None, "meja-layanan/33.74"),
        ("bpjs", None, "bpjs"),
        ("PLN", "94", "pln"),
        ("PLN Wilayah", None, None),
        ("", None, None),
    ],
)
def test_a_name_or_an_alias_is_resolved_and_never_guessed(named: str, place: str | None, office: str | None) -> None:
    found = OFFICES.find(named, place)
    assert (found.id if found else None) == office


def message(text: str, title: str = "", code: str | None = None, office: Office | None = None) -> Message:
    return Message(
        id="sms/sms/1", raw="r", account="sms", channel="sms", owner="nasional", conversation="c", text=text,
        title=title, place=Place(code=code), office=office, received_at="2026-01-05T00:00:00Z",
    )  # type: ignore[arg-type] # fmt: skip


@pytest.mark.parametrize(
    ("text", "code", "office"),
    [
        ("Yth. Dinas Perhubungan Kota Semarang, lampu merah mati", None, "dishub-smg"),
        ("Kepada Yth Bapak Kepala Dishub\ndi tempat. Lampu merah mati", "34.04", "dishub-sleman"),
        ("Lampu merah mati, tolong dishub smg", None, "dishub-smg"),
        ("Lampu merah mati, tolong dishub", None, None),
        ("Jalan rusak di depan kantor dishub smg", None, None),
        ("Jalan rusak di Kota Semarang", None, None),
        ("Pemkot Semarang harus turun tangan", None, None),
        ("Yth. Kota Semarang: jalan rusak", None, "meja-layanan/33.74"),
        ("Banjir di Kecamatan Coblong Bandung", None, None),
        ("Yth. Kecamatan Coblong, banjir", None, "coblong"),
        ("Dishub smg dan PLN saling lempar", None, None),
        ("Yth. PLN, kata dishub smg ini urusan Anda", None, "pln"),
        ("Yth. PLN. Tembusan: Yth. dishub smg", None, None),
        ("Jalan rusak", None, None),
    ],
)
def test_the_office_that_stands_in_the_words(text: str, code: str | None, office: str | None) -> None:
    report = message(text, code=code)
    found = named_office(report, folded_words(report), OFFICES)
    assert (found.id if found else None) == office


def test_no_name_goes_over_from_the_title_into_the_text() -> None:
    report = message("Kesehatan anak buruk", title="BPJS")
    assert named_office(report, folded_words(report), OFFICES) is None


def test_the_field_for_the_office_comes_before_the_words() -> None:
    report = message("Yth. PLN", office=Office(id="Dishub Smg"))
    found = named_office(report, folded_words(report), OFFICES)
    assert found is not None
    assert found.id == "dishub-smg"


def test_an_office_lives_in_the_zone_of_its_region() -> None:
    papua = RegisteredOffice(id="p", name="Dinas", regions=("94.01",))
    assert (papua.zone.key, OFFICES["bpjs"].zone.key) == ("Asia/Jayapura", "Asia/Jakarta")
