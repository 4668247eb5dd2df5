"""Where it happened, on sentences made up for the tests: by names, levels, what stands beside them, the account."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer import PlaceQuestion
from normalizer.knowledge.gazetteer import gazetteer
from normalizer.knowledge.places import Unplaced, mentions_in
from normalizer.knowledge.shipped import ShippedKnowledge
from normalizer.settle import likeliest
from schemas import Place

KNOWLEDGE = ShippedKnowledge()


def candidates(text: str, owner: str = "", address: str = "") -> Sequence[Place]:
    [found] = KNOWLEDGE.places([PlaceQuestion(text, owner, address)])
    return found


def place(text: str, owner: str = "", address: str = "") -> Place | None:
    return likeliest(candidates(text, owner, address))


def code(text: str, owner: str = "", address: str = "") -> str | None:
    found = place(text, owner, address)
    return found.code if found else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a name of one regency
        ("Jalan di Sleman gelap sekali", "34.04"),
        ("mohon bantuan untuk warga banyuwangi", "35.10"),
        ("Kabupaten Gunungkidul kekurangan air", "34.03"),
        ("di Gunung Kidul air susah", "34.03"),
        ("bjm banjir lagi min", "63.71"),
        ("kab. sidoarjo banjir", "35.15"),
        ("PDAM Kota Palangka Raya mati", "62.71"),
        ("di Jakarta Selatan macet", "31.74"),
        ("jaksel banjir lagi", "31.74"),
        ("tangsel sampah menumpuk", "36.74"),
        ("BandungBarat longsor, Kab Bandung Barat", "32.17"),
        # old and new names
        ("jalan rusak di Toba Samosir", "12.12"),
        ("Kabupaten Maluku Tenggara Barat listrik padam", "81.03"),
        ("pelabuhan Ujung Pandang kotor", "73.71"),
        ("Kab. Mamuju Utara jembatan putus", "76.01"),
        # twins, with what settles them
        ("Kota Bandung banjir", "32.73"),
        ("Kab. Bandung banjir", "32.04"),
        ("Pemkot Kediri harus turun", "35.71"),
        ("Bupati Kediri harus turun", "35.06"),
        ("kecamatan Coblong, Bandung", "32.73.02"),
        ("Kec. Cileunyi Bandung", "32.04.05"),
        ("Kotamadya Malang macet", "35.73"),
        ("Kota Tegal margadana gelap", "33.76.04"),
        ("Pemkab Bogor, Cibinong macet", "32.01.01"),
        # districts and villages
        ("Desa Cibiru Wetan, Kec. Cileunyi, Kab. Bandung", "32.04.05.2006"),
        ("kel. Cipadung kec. Cibiru kota Bandung", "32.73.25.1002"),
        ("Kelurahan Dago Kecamatan Coblong Kota Bandung", "32.73.02.1004"),
        ("desa sukamaju kec cilodong depok", "32.76.08.1001"),
        ("Distrik Abepura Kota Jayapura gelap", "91.71.03"),
        ("KEC. TEMBALANG KOTA SEMARANG", "33.74.10"),
        ("kecamatan  Tembalang", "33.74.10"),
        ("Kecamatan:Rungkut, Kota:Surabaya", "35.78.03"),
        ("Ds. Waru, Kec. Waru Kab. Sidoarjo", "35.15.18.2002"),
        # provinces
        ("Pemprov Jawa Barat harap tahu", "32"),
        ("Provinsi NTT butuh air", "53"),
    ],
)
def test_a_region_is_found(text: str, expected: str) -> None:
    assert code(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Bandung banjir lagi",
        "di Kediri gelap",
        "Jalan rusak parah, tolong diperbaiki",
        "Jl. Surabaya nomor 5 berlubang",
        "jalan semarang gelap",
        "batu besar menutup jalan",
        "saya serang balik, pasir dan batang pohon di jalan",
        "medan jalannya berat",
        "Pak Bambang dan Bu Merdeka tidak datang",
        "Tes",
        "",
        "komplek Pondok Pasir Indah 1 banjir",
        "air bah di Batu Merah",
    ],
)
def test_nothing_is_said_where_nothing_is_sure(text: str) -> None:
    assert code(text) is None


@pytest.mark.parametrize(
    ("text", "owner", "expected"),
    [
        ("lampu mati di Coblong", "32.73", "32.73.02"),
        ("kelurahan kebonsari banjir", "35.78", "35.78.23.1003"),
        ("kebonsari gang 4 banjir", "35.78", "35.78.23.1003"),
        ("rungkut menanggal macet, di rungkut", "35.78", "35.78.25.1003"),
        ("kec. tegalsri gelap", "35.78", "35.78.05"),
        ("Jl. Ketintang Baru II, Ketintang, Kota Surabaya, Jawa Timur", "35.78", "35.78.22.1004"),
        ("Jalan Kupang gelap, kel. Wiyung", "35.78", "35.78.20.1001"),
        ("Karangpilang", "35.78", "35.78.01"),
        ("KARANG PILANG", "35.78", "35.78.01"),
        ("di jepara tembok bocor, kec Bubutan", "35.78", "35.78.13.1004"),
        ("tempat saya di Kab. Gresik", "35.78", "35.25"),
        ("jeruk dan gading dijual di pasar", "35.78", None),
        ("wonorejo", "35.78", "35.78"),
        # wards of one name in one district, in several, and short forms
        ("siantan gelap gulita", "61.71", "61.71.04"),
        ("banjir di kelayan", "63.71", "63.71"),
        ("lampu mati di sei andai", "63.71", "63.71.04.1010"),
        ("jalan rusak di air pacah", "13.71", "13.71.11.1003"),
        ("kel. Pampangan gelap", "13.71", "13.71.06.1013"),
        ("Kabupaten Poso. Pada tahun itu jalan rusak", "72", "72.02"),
        # everyday words that are wards of the region
        ("Sedang ada galian. Selamat pagi, sedang macet", "51.03", None),
        ("lampu mati di Sedang", "51.03", "51.03.03.2006"),
        ("desa sedang gelap", "51.03", "51.03.03.2006"),
    ],
)
def test_the_account_settles_names_of_its_region(text: str, owner: str, expected: str | None) -> None:
    found = code(text, owner)
    assert (found if found is None or found.count(".") > 1 or found == expected else "?") == expected


def test_the_address_counts_beside_the_text() -> None:
    assert code("sampah menumpuk", "35.78", "Kel. Jagir Kec. Wonokromo") == "35.78.04.1002"
    assert code("sampah menumpuk dekat Gubeng", "35.78", "RT 02 RW 03 Kel. Mojo") == "35.78.08.1002"


def test_equal_names_are_handed_on_as_equally_likely() -> None:
    found = candidates("Bandung banjir lagi")
    assert {one.code for one in found} == {"32.04", "32.73"}
    assert len({one.p for one in found}) == 1


def test_a_place_says_its_level_its_name_and_what_it_rests_on() -> None:
    found = place("banjir di RT 03 Kel. Dago Kec. Coblong Kota Bandung")
    assert found is not None
    assert (found.level, found.name, found.source) == ("village", "Dago", "text")
    assert found.evidence == "names: Dago, Coblong, Bandung"
    assert found.p is not None and found.p > 0.95  # noqa: PT018


def test_a_lane_says_more_than_an_estate_and_a_level_more_than_both() -> None:
    found = [place(text, "35.78") for text in ("Petemon gang 5", "Petemon Indah", "Kel. Petemon")]
    lane, estate, level = (one.p or 0.0 for one in found if one is not None)
    assert estate < lane < level


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ("Keputran pasar kecil", "di Keputran"),
        ("di Rungkut", "di Medokan Ayu, Rungkut"),
        ("di Penjaringan Sari", "di Penjaringan Sari dan Medokan Ayu"),
        ("Jalan Melati Raya, Petemon, Kota Surabaya", "Jalan Melati Gang III, Petemon, Kota Surabaya"),
    ],
)
def test_what_is_said_is_surer_where_more_speaks_for_it(less: str, more: str) -> None:
    found = [place("lampu mati", "35.78", address) for address in (less, more)]
    low, high = (one.p or 0.0 for one in found if one is not None)
    assert low < high


def test_a_regency_that_is_named_is_said_where_its_districts_are_in_doubt() -> None:
    assert code("jalan Wonorejo sampai jalan Kebonsari, Kota Surabaya") == "35.78"


def test_words_that_name_a_place_stay_where_no_region_is_known() -> None:
    (found,) = candidates("lampu mati di Jalan Kenanga dekat Puskesmas Melati")
    assert (found.code, found.words) == (None, "Jalan Kenanga, Puskesmas Melati")


@given(st.text(max_size=80), st.sampled_from(["", "32", "35.78", "32.73.02", "dinas-pu", "nasional", "99.99"]))
def test_any_text_gives_regions_that_exist(text: str, owner: str) -> None:
    found = candidates(text, owner)
    assert all(one.code is None or (one.name and one.p is not None and 0 < one.p <= 1) for one in found)


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ("lampu mati di Kel. Karanganyar", "35.78"),  # many have one, and the account's region has none
        ("lampu mati dekat SDN 2 Karanganyar", "32.73"),
        ("Desa Sidomulyo kekurangan air", ""),
        ("sudah ke kelurahan namun ditolak", "35.78"),
        ("lampu di ujung gang mati", "35.78"),
        ("Kel. Karanganyar", "nasional"),
        ("banjir di Banyuwangi", "35.78"),
    ],
)
def test_a_name_that_many_villages_have_names_no_region(text: str, owner: str) -> None:
    assert code(text, owner) is None


def test_the_ward_of_the_accounts_region_is_meant() -> None:
    assert code("lampu mati di Kel. Karanganyar", "32.73") == "32.73.10.1003"


def test_a_text_of_nothing_but_names_weighs_as_many_as_any_other() -> None:
    """Each mention is compared with each: a page of names held the reader up for minutes."""
    known = gazetteer()
    few, many = (mentions_in(known, [Unplaced.of("Sukolilo Rungkut " * n, "35.78")])[0] for n in (60, 600))
    assert len(many) == len(few)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("Jl. Merdeka No. 5, Bojong Lor, Jamblang, Kabupaten Cirebon", "32.09.40.2005"),
        ("Jl. Merdeka No. 5, Jamblang, Kabupaten Cirebon", "32.09.40.2001"),
        ("Jl. Pacar Keling 5, Tambaksari, Kota Surabaya", "35.78.10.1001"),
        ("Sidodadi, Kec. Kota Kisaran Barat, Kabupaten Asahan", "12.09.19.1010"),
    ],
)
def test_a_ward_before_its_district_is_meant_though_another_bears_the_districts_name(
    address: str, expected: str
) -> None:
    assert code("lampu mati", address=address) == expected


@pytest.mark.parametrize(("text", "found"), [
    ("Longsor di Sekaran Gunungpati dekat kampus", "33.74.12.1009"),
    ("Dusun Kadirojo, Purwomartani, Kalasan: air sumur keruh", "34.04.10.2001"),
    ("bansos di desa mekarjaya arjasari tidak tepat sasaran", "32.04.16.2007"),
    ("air bersih kampung Wasur distrik Merauke", "93.01.01.2008"),
    ("Kalasan, Purwomartani: air sumur keruh", "34.04.10.2001"),
    ("Pulosari,Gunungsari,Dukuh Pakis", None),  # a district and its ward twice, in two provinces
    ("warga kampung baru tengah hari raya", None),
])  # fmt: skip
def test_a_ward_beside_its_district_names_the_region_that_nobody_named(text: str, found: str | None) -> None:
    assert code(text, "nasional") == found


@pytest.mark.parametrize(("text", "found"), [
    ("Kebakaran di 10 Ulu dekat pasar", "16.71.17.1002"),
    ("kelurahan 9-10 Ulu banjir", "16.71.17.1002"),
    ("banjir di 26 Ilir", "16.71.11.1005"),
    ("lampu mati di 26 Ilir D.I", "16.71.04.1003"),
    ("Seberang Ulu I jalan rusak", "16.71.02"),
    ("ilir timur 2", "16.71.06"),
    ("sampah 3 hari tidak diangkut 10 orang", None),
])  # fmt: skip
def test_a_number_in_a_name_is_found_as_people_write_it(text: str, found: str | None) -> None:
    assert code(text, "16.71") == found
