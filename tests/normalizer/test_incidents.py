"""What a report is like: the same citizen's earlier one, an incident that others reported, a text passed on."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer import match
from normalizer.incidents_profile import profile_of
from normalizer.keywords import Keywords
from normalizer.new_matter import opens_new_matter
from schemas import Category, Matched, Message, Party, Place
from schemas.memory import Thread
from tests.normalizer.stage import BUDI, SARI, WEEK, MemoryDouble, after, match_each, message, opened

TINI = "+6281200000003"
POTHOLE = "Jalan Melati berlubang besar di depan warung Bu Rini, dua motor sudah jatuh"
ALIKE = "mohon jalan melati depan warung bu rini diperbaiki, lubang besar dan motor jatuh"
ELSEWHERE = "Jalan Kenanga berlubang besar di depan toko Makmur, mohon diperbaiki"
PASSED_ON = "Sebarkan: mulai besok semua warga wajib mengambil bantuan beras di balai desa masing masing"


def report(
    native: str, text: str, by: str = BUDI, *, code: str | None = None, words: str = "", **known: Any
) -> Message:
    place = Place(code=code, words=words or None) if code or words else Place(code="32.73", source="owner")
    return message(native, text, by=by, account="wa", opens_report=True, place=place, **known)


def only(matched: Matched) -> tuple[str, str]:
    [found] = matched.matches
    return found.kind, found.of


def test_another_citizens_alike_report_is_linked_and_keeps_a_number_of_its_own() -> None:
    first, second = match([report("1", POTHOLE), report("2", ALIKE, SARI, minutes=60)], MemoryDouble())
    assert (second.outcome, second.number == first.number) == ("recorded", False)
    assert only(second) == ("same_incident", first.id)
    assert second.matches[0].score >= 0.6
    assert "melati" not in second.matches[0].evidence.lower()


def test_case_08_three_citizens_and_two_channels_are_one_incident() -> None:
    memory = MemoryDouble()
    by_sms = message("3", ALIKE, by=TINI, account="sms", minutes=9, opens_report=True)
    first, second, third = match_each(memory, report("1", POTHOLE), report("2", ALIKE, SARI, minutes=5), by_sms)
    assert only(second) == only(third) == ("same_incident", first.id)


def test_another_street_is_another_incident() -> None:
    memory = MemoryDouble()
    opened(memory, "1", POTHOLE)
    assert match([report("2", ELSEWHERE, SARI, minutes=9)], memory)[0].matches == ()


def test_a_report_without_any_place_is_linked_to_none() -> None:
    memory = MemoryDouble()
    opened(memory, "1", "lampu jalan mati", by=BUDI)
    assert opened(memory, "2", "lampu jalan mati", by=SARI).matches == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("antrean solar di spbu panjang, sopir menunggu", "antri solar di spbu, sopir menunggu lama"),
        ("balap liar dan knalpot bising tiap malam", "balap liar knalpot bising setiap malam"),
        ("kades korupsi dana desa, mohon diperiksa", "mohon diperiksa, kades korupsi dana desa"),
    ],
)
def test_words_of_the_matter_are_no_place(one: str, other: str) -> None:
    assert match([report("1", one), report("2", other, SARI)], MemoryDouble())[1].matches == ()


UNPAID = "Sudah enam bulan guru Yayasan Cendekia Harapan Purnama di Jalan Melati tidak diberi upah, mohon bantuan"
HUNGRY = "guru {} tidak diberi upah, gaji karyawan belum turun, harap diperiksa oleh pengawas tenaga kerja"


def test_the_same_matter_in_other_words_is_known_by_many_names() -> None:
    named = report("2", HUNGRY.format("Yayasan Cendekia Harapan Purnama Jalan Melati"), SARI, minutes=60)
    few = report("3", HUNGRY.format("Yayasan Cendekia Harapan Purnama"), TINI, minutes=60)
    _, other = match([report("1", UNPAID), few], MemoryDouble())
    assert other.matches == ()
    first, linked = match([report("1", UNPAID), named], MemoryDouble())
    assert only(linked) == ("same_incident", first.id)
    assert linked.matches[0].score < 0.6


@pytest.mark.parametrize(("days", "linked"), [(29, True), (31, False)])
def test_an_incident_is_over_after_a_month(days: int, linked: bool) -> None:
    memory = MemoryDouble()
    match([report("1", POTHOLE)], memory)
    (later,) = match([report("2", ALIKE, SARI, received_at=after(days=days))], memory)
    assert bool(later.matches) is linked


@pytest.mark.parametrize(("days", "linked"), [(33, True), (61, False)])
def test_a_long_text_that_is_nearly_the_same_is_one_incident_for_two_months(days: int, linked: bool) -> None:
    memory, more = (
        MemoryDouble(),
        "anak sekolah dan pedagang pasar yang lewat setiap pagi merasa tidak aman sama sekali",
    )
    match([report("1", f"{POTHOLE}, {more}")], memory)
    late = report("2", f"Selamat pagi, {POTHOLE}, {more}", SARI, received_at=after(days=days))
    assert bool(match([late], memory)[0].matches) is linked


@pytest.mark.parametrize(("code", "linked"), [("32.73.02.1002", True), ("32.73.02.1003", False)])
def test_the_same_few_words_in_one_village_are_found_after_two_buckets(code: str, linked: bool) -> None:
    memory, words = MemoryDouble(), "plengsengan longsor"
    match([report("1", words, code="32.73.02.1002", words="Jalan Perwira 130")], memory)
    late = report("2", words, SARI, code=code, words="Jalan Perwira 128", received_at=after(days=58))
    assert bool(match([late], memory)[0].matches) is linked


@pytest.mark.parametrize("by", [BUDI, SARI], ids=["the same citizen", "another"])
@pytest.mark.parametrize(
    ("thing", "alike"),
    [("Trotoar", False), ("Lampu penerangan", True), ("Lampu jalan dan trotoar", True)],
    ids=["another thing", "the same thing", "one thing of two"],
)
def test_other_things_at_one_place_are_other_matters(thing: str, alike: bool, by: str) -> None:
    first = report("1", "Lampu jalan di depan Hotel Anggrek Jalan Melati Timur rusak")
    other = report("2", f"{thing} di depan Hotel Anggrek Jalan Melati Timur rusak", by, minutes=90)
    _, found = match_each(MemoryDouble(), first, other)
    assert bool(found.matches) is alike


HOLE = "Mohon perbaikan jalan rusak dan berlubang di Jalan Melati Timur {} Kelurahan Sukamaju, banyak motor jatuh"


@pytest.mark.parametrize("points", [("No 17", "nomor 8"), ("gang Arbei", "gang Manggis"), ("gg 3", "gang V")])
def test_one_citizens_reports_of_other_houses_or_gangs_are_two(points: tuple[str, str]) -> None:
    first, second = (report(str(n), HOLE.format(point), SARI, minutes=90 * n) for n, point in enumerate(points))
    found = match([first, second], MemoryDouble())
    assert [one.outcome for one in found] == ["recorded", "recorded"]
    assert found[1].matches == ()


@pytest.mark.parametrize(
    ("one", "other", "linked"),
    [
        ("No 17", "nomor 8", True), ("No 17", "depan nomor 8 yang baru", False),
        ("RT 3 RW 5", "rt 03 rw 05", True), ("RT/RW 03/05", "rt03 rw05", True),
        ("RT 3", "RT 4", False), ("RW 5", "RW 06", False), ("titik A", "titik E", False),
        ("gang 1", "gang 5", False), ("gg IV", "gang 4", True), ("gang Arbei", "gang Manggis", True),
        ("depan Toko Surya", "depan Warung Sartika", False), ("depan Toko Surya", "seberang Surya", True),
        ("depan Toko Surya", "belakang Warung Sartika dekat Surya", True),
        ("dusun 5", "dusun 9", False), ("dusun V", "Dsn. 5", True),
        ("SDN 5", "SD Negeri 6", False), ("SD 5", "sdn 05", True), ("RT 1 sd 5", "RT 1 sd 6", True),
    ],
)  # fmt: skip
def test_others_reports_of_another_point_are_no_incident(one: str, other: str, linked: bool) -> None:
    found = match([report("1", HOLE.format(one)), report("2", HOLE.format(other), SARI, minutes=60)], MemoryDouble())
    assert bool(found[1].matches) is linked


def test_the_name_of_the_region_is_no_landmark() -> None:
    """ "Simpang Polda Palembang" and "simpang Charitas Palembang" share no more than any two of that city."""
    there = Place(code="16.71", name="Kota Palembang", words="Palembang")
    crossings = (f"Lampu merah simpang {name} Palembang mati, macet panjang" for name in ("Polda", "Charitas"))
    reports = [
        message(str(n), text, by=by, account="wa", opens_report=True, place=there, minutes=60 * n)
        for n, (text, by) in enumerate(zip(crossings, (BUDI, SARI), strict=True))
    ]
    assert match(reports, MemoryDouble())[1].matches == ()


def test_a_closed_incident_takes_no_new_report() -> None:
    memory = MemoryDouble()
    (first,) = match([report("1", POTHOLE)], memory)
    memory.status[first.id or ""] = "done"
    assert match([report("2", ALIKE, SARI, minutes=9)], memory)[0].matches == ()


def test_nearly_the_same_report_by_a_proven_citizen_joins_the_first() -> None:
    memory = MemoryDouble()
    first, again = match_each(
        memory, report("1", POTHOLE, SARI), report("2", f"{POTHOLE}, mohon segera", SARI, minutes=60 * 24)
    )
    assert (again.outcome, again.id) == ("added", first.id)
    assert only(again) == ("same_report", first.id)


def test_case_10_the_same_citizen_at_another_account_is_known_by_a_proven_phone() -> None:
    memory = MemoryDouble()
    first, again = match_each(
        memory,
        report("1", POTHOLE, SARI),
        message("2", f"{POTHOLE}, mohon segera", account="wa-bandung", opens_report=True, minutes=60),
    )
    assert (again.outcome, again.id) == ("added", first.id)


def test_a_claimed_identity_joins_nothing_and_is_evidence() -> None:
    memory = MemoryDouble()
    first, claimed = match_each(
        memory,
        report("1", POTHOLE, SARI),
        message("2", f"{POTHOLE}, mohon segera", by=SARI, account="web", opens_report=True, conversation="form"),
    )
    assert claimed.outcome == "recorded"
    assert only(claimed) == ("same_report", first.id)
    assert claimed.matches[0].score <= 0.5


def test_the_same_text_from_another_district_is_a_chain() -> None:
    memory = MemoryDouble()
    first, second = match_each(
        memory, report("1", PASSED_ON, code="35.78.01"), report("2", PASSED_ON, SARI, code="35.78.02", minutes=9)
    )
    assert only(second) == ("chain", first.id)
    assert second.number != first.number


def test_the_same_text_from_more_than_five_senders_is_a_chain() -> None:
    senders = [f"+62812000001{n:02}" for n in range(8)]
    batch = [report(str(n), PASSED_ON, by, minutes=n, words="Balai Desa Sukajadi") for n, by in enumerate(senders)]
    kinds = [[m.kind for m in one.matches] for one in match(batch, MemoryDouble())]
    assert kinds == [[], *[["same_incident"]] * 4, *[["chain"]] * 3]


@pytest.mark.parametrize("weeks", [(0, 20), (12, 0)], ids=["months later", "the later report first"])
def test_a_chain_is_found_over_months(weeks: tuple[int, int]) -> None:
    one, other = (after() + n * WEEK for n in weeks)
    first, second = match_each(
        MemoryDouble(),
        report("1", PASSED_ON, code="35.78.01", received_at=one),
        report("2", PASSED_ON, SARI, code="35.78.02", received_at=other),
    )
    assert only(second) == ("chain", first.id)


FEW_WORDS = "jalan rusak"


@pytest.mark.parametrize(
    ("one", "other", "kinds"),
    [
        ({"code": "32.73.01", "words": "Jalan Anggrek"}, {"code": "32.73.02", "words": "Jalan Kamboja"}, ["chain"]),
        ({"words": "Gang 1 RT 3"}, {"words": "Jalan Kamboja"}, ["chain"]),
        (
            {"code": "32.73.01", "words": "Jalan Anggrek 3"},
            {"code": "32.73.02", "words": "Jln Anggrek"},
            ["same_incident"],
        ),
        (
            {"code": "32.73.01.1001", "words": "Kel. Mawar, Bandung"},
            {"code": "32.73.02.1001", "words": "Kel. Melur, Bandung"},
            ["chain"],
        ),
        (
            {"code": "32.73.01", "words": "Jalan Anggrek 3"},
            {"code": "32.73.02", "words": "Jalan Anggrek 3"},
            ["chain"],
        ),
        ({"words": "Jalan Anggrek"}, {}, []),
        ({}, {}, []),
    ],
    ids=[
        "other-districts",
        "no-name-shared",
        "one-street",
        "one-city",
        "one-address-in-two-districts",
        "one-place",
        "no-place",
    ],
)
def test_the_same_few_words_are_a_chain_only_from_other_stated_places(
    one: dict[str, str], other: dict[str, str], kinds: list[str]
) -> None:
    first, second = report("1", FEW_WORDS, **one), report("2", FEW_WORDS, SARI, minutes=9, **other)
    _, marked = match_each(MemoryDouble(), first, second)
    assert [found.kind for found in marked.matches] == kinds
    assert all(found.score < 1 for found in marked.matches)
    assert marked.outcome == "recorded"


def test_an_incident_comes_before_a_mark_on_few_words() -> None:
    here = {"code": "32.73.02.1002", "words": "Jalan Perwira"}
    memory, words = MemoryDouble(), "plengsengan longsor"
    _, near, again = match_each(
        memory,
        report("1", words, code="32.73.01.1001", words="Jalan Anggrek"),
        report("2", words, SARI, minutes=5, **here),
        report("3", words, TINI, minutes=9, **here),
    )
    assert only(near)[0] == "chain"
    assert only(again) == ("same_incident", near.id)


def test_a_shared_location_far_away_is_another_place() -> None:
    memory = MemoryDouble()
    here, there = Place(lat=-6.9, lon=107.6), Place(lat=-6.95, lon=107.6)
    first = message("1", POTHOLE, by=BUDI, account="wa", opens_report=True, place=here)
    second = message("2", ALIKE, by=SARI, account="wa", opens_report=True, place=there, minutes=5)
    near = message("3", f"{ALIKE} terima kasih", by=TINI, account="wa", opens_report=True, place=here, minutes=6)
    a, b, c = match([first, second, near], memory)
    assert b.matches == ()
    assert only(c) == ("same_incident", a.id)


@pytest.mark.parametrize("hidden", ["anonymous", "secret"])
def test_a_hidden_report_is_linked_to_none(hidden: str) -> None:
    memory = MemoryDouble()
    match([report("1", POTHOLE)], memory)
    assert match([report("2", ALIKE, SARI, minutes=5, **{hidden: True})], memory)[0].matches == ()


def test_a_number_of_another_system_joins_the_report_of_the_same_sender() -> None:
    memory = MemoryDouble()
    first = opened(memory, "1", POTHOLE, external_ids={"sp4n": "7001"}, proven=True)
    (again,) = match(
        [message("2", ALIKE, external_ids={"sp4n": "7001"}, conversation="x", proven=True, minutes=5)], memory
    )
    assert (again.outcome, again.id) == ("added", first.id)
    assert only(again) == ("same_external_id", first.id)


@pytest.mark.parametrize("hidden", [{}, {"anonymous": True}, {"secret": True}], ids=["open", "anonymous", "secret"])
def test_finding_h3_a_claimed_phone_and_another_systems_number_join_nothing(hidden: dict[str, bool]) -> None:
    memory = MemoryDouble()
    first = opened(memory, "1", POTHOLE, conversation="form-1", external_ids={"sp4n": "7001"}, **hidden)
    asked = message("2", "Kapan selesai?", conversation="form-2", external_ids={"sp4n": "7001"}, minutes=5)
    (claimed,) = match([asked], memory)
    assert (claimed.outcome, claimed.id == first.id) == ("recorded", False)
    assert only(claimed) == ("same_external_id", first.id)


def test_case_22_a_number_of_another_system_named_by_a_stranger_is_evidence_only() -> None:
    memory = MemoryDouble()
    first = opened(memory, "1", POTHOLE, external_ids={"sp4n": "7001"})
    (other,) = match([message("2", ALIKE, by=BUDI, external_ids={"sp4n": "7001"}, minutes=5)], memory)
    assert (other.outcome, other.id == first.id) == ("recorded", False)
    assert only(other) == ("same_external_id", first.id)


def test_a_number_that_an_offices_own_system_names_joins_its_twin_without_its_words() -> None:
    memory = MemoryDouble()
    first = opened(memory, "1", POTHOLE, external_ids={"sp4n": "7001"})
    known = {"external_ids": {"sp4n": "7001", "portal": "A1"}, "ids_proven": True, "opens_report": True}
    (twin,) = match([message("2", ALIKE, by=BUDI, account="portal", minutes=5, **known)], memory)
    assert (twin.outcome, twin.id, twin.stranger) == ("added", first.id, True)
    assert only(twin) == ("same_external_id", first.id)


@pytest.mark.parametrize(
    ("by", "restart", "outcome", "stranger"),
    [
        (SARI, False, "added", False),
        ("", False, "added", False),
        (BUDI, False, "added", True),
        (SARI, True, "recorded", False),
        (BUDI, True, "recorded", False),
    ],
)
def test_case_04_a_row_that_a_system_changed_is_its_reporters_and_an_id_that_began_anew_is_another(
    by: str, restart: bool, outcome: str, stranger: bool
) -> None:
    memory = MemoryDouble()
    known = {"account": "rows", "external_ids": {"rows": "1"}, "ids_proven": True, "opens_report": True}
    known |= {"ids_restart": restart, "conversation": "1"}
    first = opened(memory, "1", POTHOLE, **known)
    again = message("1", "Banjir setinggi lutut", raw="again", minutes=5, sender=Party(phone=by or None), **known)
    (second,) = match([again], memory)
    assert (second.outcome, second.stranger, second.id == first.id) == (outcome, stranger, outcome == "added")


# another matter in an open conversation

LAMP_THERE = "Lampu penerangan di Gang Kenanga padam dan gelap"


def chat(native: str, text: str, minutes: float = 0, category: Category | None = None) -> Message:
    place = Place(code="32.73", source="owner")
    return message(native, text, account="wa", minutes=minutes, place=place, category=category)


@pytest.mark.parametrize(
    ("text", "minutes", "outcome"),
    [
        (LAMP_THERE, 30, "recorded"),
        (LAMP_THERE, 1, "added"),
        (f"Tambahan: {LAMP_THERE}", 30, "added"),
        ("lampu mati", 30, "added"),
        ("Jalan Melati masih berlubang sampai hari ini", 30, "added"),
        ("Selain itu di Jalan Melati juga gelap karena lampu padam", 30, "added"),
    ],
)
def test_a_new_matter_elsewhere_opens_a_report_of_its_own(text: str, minutes: float, outcome: str) -> None:
    memory = MemoryDouble()
    match([chat("1", POTHOLE)], memory)
    assert match([chat("2", text, minutes)], memory)[0].outcome == outcome


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("ada juga kabel menjuntai disitu pak", "added"),
        ("belumpi ada yang datang kodong", "added"),
        ("ada le depe got tasumbat di situ", "added"),
        ("banyu PDAM mati wis telung dina ning Kelurahan Gajahmungkur", "recorded"),
        ("sampah di pasar karombasan nyanda diangkut dari kemarin", "recorded"),
    ],
)
def test_words_of_a_language_that_no_list_knows_are_no_other_place(text: str, outcome: str) -> None:
    memory = MemoryDouble()
    match([chat("1", POTHOLE)], memory)
    assert match([chat("2", text, 30)], memory)[0].outcome == outcome


@pytest.mark.parametrize(("text", "category", "outcome"), [
    ("saya mau lapor sampah menumpuk di pasar Wonokromo", "Sampah", "recorded"),
    ("izin melaporkan air PDAM mati tiga hari di Perumahan Pondok Jati", "Air", "recorded"),
    ("saya mau lapor sampah menumpuk di pasar Wonokromo", "Jalan", "added"),
    ("saya mau lapor sampah menumpuk sejak minggu lalu", "Sampah", "added"),
    ("iya mau lapor di Jalan Kenanga Sukolilo dekat puskesmas", "Kesehatan", "added"),
    ("yang saya mau laporkan lampu di Jalan Kenanga dekat puskesmas", "Kesehatan", "added"),
    ("Selamat pagi pak, pohon miring di Kelurahan Kebraon hampir roboh", "Pohon", "recorded"),
    ("Sampah di TPS Jalan Kenanga sudah lima hari tidak diangkut", "Sampah", "recorded"),
    ("Kabel di tiang Jalan Kenanga juga sudah menyentuh pagar", "Listrik", "added"),
    ("Sampah warga di gang Mawar jadi bau karena gelap", "Sampah", "added"),
    ("Rumah saya di Jalan Kenanga nomor lima depan masjid", "Perumahan", "added"),
    ("Selamat siang, Ruko Manyar Megah sebelah apotek Wonokromo", "Kesehatan", "added"),
    ("Jl. Merdeka depan SD Negeri dekat puskesmas Babakan", "Kesehatan", "added"),
])  # fmt: skip
def test_a_report_without_a_place_goes_on_until_another_is_announced_or_begins_with_its_thing(
    text: str, category: str, outcome: str
) -> None:
    """What names a place may be the answer to the question for it."""
    memory = MemoryDouble()
    match([chat("1", "lampu jalan mati sudah seminggu pak", category=Category(id="1", top="Jalan"))], memory)
    (later,) = match([chat("2", text, 300, category=Category(id="2", top=category))], memory)
    assert later.outcome == outcome


@pytest.mark.parametrize("first", ["warnet buka sampai pagi", "harga minyak goreng mahal"])
def test_a_rare_word_is_no_place_from_which_another_could_differ(first: str) -> None:
    memory = MemoryDouble()
    match([chat("1", first, category=Category(id="1", top="Ketertiban"))], memory)
    more = chat("2", "Di pasar Peterongan, anak sekolah bolos di sana", 300, category=Category(id="2", top="Sekolah"))
    assert match([more], memory)[0].outcome == "added"


@pytest.mark.parametrize(("region", "new"), [(None, False), ("32.73", False), ("32.73.02.1004", True)])
def test_the_place_that_an_addition_gave_is_the_reports(region: str | None, new: bool) -> None:
    first = chat("1", "lampu jalan mati sudah seminggu pak", category=Category(id="1", top="Jalan"))
    thread = Thread(
        complaint="c", number="1", last_at=first.received_at, region=region, profile=profile_of(first, None)
    )
    there = Place(code="32.73.09.1001", source="text")
    more = chat("2", "di Cibaduyut sampah menumpuk belum diangkut", 300, category=Category(id="2", top="Sampah"))
    assert opens_new_matter(more, profile_of(more, there), thread) is new


@pytest.mark.parametrize("text", ["Halo, lokasi perumahan Pondok Jati blok BK", "kami di Kebon Jeruk mandi di masjid"])
def test_everyday_words_name_no_place_from_which_another_could_differ(text: str) -> None:
    memory = MemoryDouble()
    match([chat("1", "air PDAM tidak mengalir sudah tiga hari", category=Category(id="1", top="Air"))], memory)
    assert match([chat("2", text, 300, category=Category(id="2", top="Agama"))], memory)[0].outcome == "added"


def test_other_categories_are_another_matter_though_both_say_pak() -> None:
    memory, road, water = MemoryDouble(), Category(id="1", top="Jalan"), Category(id="2", top="Air")
    there, here = (Place(code=code) for code in ("33.74.06", "33.74.09"))
    match([message("1", "dalan bolong kabeh pak", account="wa", place=there, category=road)], memory)
    no_water = "banyu mati wis telung dina, piye iki pak"
    (later,) = match([message("2", no_water, account="wa", minutes=30, place=here, category=water)], memory)
    assert later.outcome == "recorded"


@pytest.mark.parametrize(
    ("text", "opens"),
    [
        ("BARU lampu di Gang Kenanga padam", True),
        ("Baru: lampu di Gang Kenanga padam", True),
        ("Laporan baru, lampu di Gang Kenanga padam", True),
        ("Baru kemarin lampu di Gang Kenanga padam", False),
        ("BARUSAN lampu padam", False),
        ("baru", False),
    ],
)
def test_baru_opens_a_report_of_its_own(text: str, opens: bool) -> None:
    parsed = Keywords({}).parse(text)
    assert parsed.opens_report is opens
    if opens:
        assert parsed.text == "lampu di Gang Kenanga padam"


# batches

TEXTS = st.sampled_from([POTHOLE, ALIKE, ELSEWHERE, PASSED_ON, LAMP_THERE, f"{POTHOLE}, mohon segera"])
PLACES = st.sampled_from([None, "35.78.01", "35.78.02", "35.78.01.1001"])
TALK = st.tuples(st.sampled_from([SARI, BUDI, TINI]), TEXTS, PLACES, st.booleans(), st.booleans(), st.integers(0, 90))


@given(st.lists(TALK, max_size=10), st.data())
def test_one_batch_or_many_the_links_are_the_same(talk: list, data: st.DataObject) -> None:
    messages = [
        message(
            str(n), text, by=by, account="wa" if proven else "web", opens_report=opens_report, minutes=n,
            sent_at=after(days=-days), place=Place(code=code) if code else Place(code="35.78", source="owner"),
            sender=Party(phone=by), conversation=by if proven else f"form-{n}",
        )
        for n, (by, text, code, proven, opens_report, days) in enumerate(talk)
    ]  # fmt: skip
    cut = data.draw(st.integers(0, len(messages)))
    memory = MemoryDouble()
    assert match(messages, MemoryDouble()) == match(messages[:cut], memory) + match(messages[cut:], memory)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("lampu mati di Lorong 3 Jalan Melati", "lampu mati di Lorong 5 Jalan Melati"),
        ("jalan raya Kenanga Km 5 berlubang dalam", "jalan raya Kenanga Km 2 berlubang dalam"),
        ("Jalan Melati Lk. IV Kenanga lampu mati", "Jalan Melati Lk. VI Kenanga lampu mati"),
        ("jalan rusak Dusun Krajan Desa Kenanga Melati", "jalan rusak Dusun Soka Desa Kenanga Melati"),
        ("got mampet di Br. Kaja Melati Kenanga", "got mampet di Br. Kelod Melati Kenanga"),
        ("jalan longsor di Jalan Melati dekat Kenanga", "lampu mati di Jalan Melati dekat Kenanga"),
        ("lampu mati di Jalan Melati Sungai Kenanga", "sampah menumpuk di Jalan Melati Sungai Kenanga"),
        (
            "NIK 3273014505900003 dapat bansos padahal tidak pernah menerima, Jalan Melati Kenanga",
            "NIK 3273010101850007 dapat bansos padahal tidak pernah menerima, Jalan Melati Kenanga",
        ),
        (
            "tagihan air pelanggan 120034567 naik padahal rumah kosong, Jalan Melati Kenanga",
            "tagihan air pelanggan 120098761 naik padahal rumah kosong, Jalan Melati Kenanga",
        ),
    ],
)
def test_other_lanes_hamlets_and_persons_are_other_matters(one: str, other: str) -> None:
    _, second = match([report("1", one), report("2", other, SARI, minutes=60)], MemoryDouble())
    assert second.matches == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("lampu mati di Lorong 3 Jalan Melati Kenanga", "lampu mati di Lorong tiga Jalan Melati Kenanga"),
        ("jalan rusak Dusun Krajan Desa Kenanga Melati", "jalan rusak di Krajan Desa Kenanga Melati"),
        (
            "NIK 3273014505900003 lampu mati di Jalan Melati Kenanga",
            "NIK 3273010101850007 lampu mati di Jalan Melati Kenanga",
        ),
    ],
)
def test_the_same_lane_hamlet_or_lamp_is_one_incident(one: str, other: str) -> None:
    first, second = match([report("1", one), report("2", other, SARI, minutes=60)], MemoryDouble())
    assert only(second) == ("same_incident", first.id)
