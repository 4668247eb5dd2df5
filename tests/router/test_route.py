"""Routing: the first rule that fits, else the model where it is sure, else the ladder; explained in Indonesian."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import OfficeCandidate, OfficeRegistry, RegisteredOffice, Rules, decide, route
from schemas import Assignment, Category, Matched, Message, Office, Outcome, Place, Routed

PUPR = Office(id="pupr", name="Dinas PUPR")
OFFICES = OfficeRegistry(
    [
        RegisteredOffice(id="pupr", name="Dinas PUPR", regions=("32.73",)),
        RegisteredOffice(id="dishub", name="Dinas Perhubungan", regions=("32.73",), matters=("7",)),
        RegisteredOffice(id="dishub-sleman", name="Dinas Perhubungan", regions=("34.04",), matters=("7",)),
        RegisteredOffice(id="coblong", name="Kecamatan Coblong", kind="district", regions=("32.73.02",)),
        RegisteredOffice(id="pln", name="PT PLN (Persero)", kind="soe", aliases=("PLN",), matters=("9",)),
    ]
)
DESK = "meja-layanan/32.73"


def matched(outcome: Outcome = "recorded", **known) -> Matched:
    given = {"id": "sms/sms/1", "raw": "r", "account": "sms", "channel": "sms", "owner": "32.73", "conversation": "c"}
    message = Message(**given | {"received_at": datetime(2025, 8, 4, tzinfo=UTC)} | known)
    return Matched(id="c-1", number="1234567897", outcome=outcome, message=message)


def routed(rules: Rules, outcome: Outcome = "recorded", **known) -> Routed:
    (event,) = route([matched(outcome, **known)], rules, OFFICES)
    return event


def assigned(rules: Rules, **known) -> Assignment:
    (assignment,) = routed(rules, **known).assignments
    return assignment


def rule(when: str, *, office: str = '{ id = "pupr", name = "Dinas PUPR" }', why: str = "Ya.") -> Rules:
    return Rules.load(f'[[rule]]\nname = "r"\nwhen = {{ {when} }}\noffice = {office}\nwhy = "{why}"\n')


def test_the_office_that_the_citizen_named_comes_first() -> None:
    assignment = assigned(Rules.load(), office=PUPR)
    assert (assignment.office, assignment.rule) == (PUPR, "named")
    assert assignment.why == (
        "Pelapor menyebut Dinas PUPR sebagai instansi tujuan, sehingga laporan langsung diteruskan ke sana."
    )


def test_every_event_names_the_versions_of_rules_and_offices() -> None:
    assert routed(Rules.load(), "added").rules == f"{Rules.load().version}/{OFFICES.version}"


def test_an_office_that_nobody_knows_is_not_taken_over() -> None:
    assignment = assigned(Rules.load(), office=Office(id="Pak RT", name="Pak RT"))
    assert assignment.office.id == DESK
    assert assignment.why
    assert assignment.why.startswith("Instansi yang disebut pelapor belum terdaftar. ")
    assert "Pak RT" not in assignment.why


def place(code: str, source: str = "said") -> Place:
    return Place(code=code, source=source)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "office", "why"),
    [
        ({"place": place("32.73.02"), "category": Category(id="7", name="Lalu Lintas")}, "dishub",
         "Laporan tentang Lalu Lintas di Kota Bandung ditangani oleh Dinas Perhubungan."),
        ({"category": Category(id="9", name="Listrik")}, "pln",
         "Laporan tentang Listrik ditangani oleh PT PLN (Persero)."),
        ({"place": place("32.73.02")}, "coblong",
         "Lokasi laporan berada di wilayah Kecamatan Coblong, sehingga laporan diteruskan ke sana."),
        ({"place": place("32.73.09")}, DESK,
         "Lokasi laporan berada di Kota Bandung, sehingga laporan ditelaah lebih dulu oleh Meja Layanan Kota Bandung."),
        ({"place": place("34.71")}, "meja-layanan/34.71",
         "Lokasi laporan berada di Kota Yogyakarta, sehingga laporan ditelaah lebih dulu oleh Meja Layanan Kota "
         "Yogyakarta."),
        ({"place": place("36")}, "meja-layanan/36",
         "Lokasi laporan berada di Provinsi Banten, sehingga laporan ditelaah lebih dulu oleh Meja Layanan Provinsi "
         "Banten."),
        ({"place": Place(code="34.71", source="text", p=0.4)}, DESK,
         "Laporan masuk melalui kanal Kota Bandung dan ditelaah lebih dulu oleh Meja Layanan Kota Bandung."),
        ({"place": place("32.73", "owner")}, DESK,
         "Laporan masuk melalui kanal Kota Bandung dan ditelaah lebih dulu oleh Meja Layanan Kota Bandung."),
        ({}, DESK,
         "Laporan masuk melalui kanal Kota Bandung dan ditelaah lebih dulu oleh Meja Layanan Kota Bandung."),
        ({"owner": "pln"}, "pln",
         "Laporan masuk melalui kanal PT PLN (Persero) dan ditelaah lebih dulu oleh PT PLN (Persero)."),
        ({"owner": ""}, "meja-layanan/nasional",
         "Instansi dan lokasi laporan belum dapat dipastikan, sehingga laporan ditelaah dan diteruskan oleh "
         "Meja Layanan Nasional."),
    ],
    ids=["unit", "agency", "district", "regency", "elsewhere", "province", "unlikely", "owner", "no-place", "office",
         "nation"],
)  # fmt: skip
def test_without_a_rule_the_ladder_has_an_office(known: dict, office: str, why: str) -> None:
    assignment = assigned(Rules.load(), **known)
    assert (assignment.office.id, assignment.rule, assignment.why) == (office, "ladder", why)


class Model:
    """Says what it is told, and how sure it is."""

    version = "m1"
    threshold = 0.8

    def __init__(self, *candidates: OfficeCandidate) -> None:
        self.candidates = candidates
        self.asked: list[str] = []

    def offices(self, messages):
        self.asked += [message.text for message in messages]
        return [self.candidates for _ in messages]


@pytest.mark.parametrize(
    ("role", "place", "p", "office"),
    [
        ("dinas-perhubungan", None, 0.9, "dishub"),
        ("dinas-perhubungan", None, 0.79, DESK),
        ("dinas-kesehatan", None, 0.99, DESK),
        ("pln", None, 0.8, "pln"),
        ("kecamatan", "32.73.02", 0.95, "coblong"),
        ("kecamatan", "32.73.03", 0.95, DESK),
    ],
)
def test_the_model_decides_where_it_is_sure(role: str, place: str | None, p: float, office: str) -> None:
    model = Model(OfficeCandidate(role, place, p), OfficeCandidate("pupr", None, 0.1))
    (event,) = route([matched(text="lampu merah mati")], Rules.load(), OFFICES, model)
    (assignment,) = event.assignments
    assert assignment.office.id == office
    assert (assignment.rule == "model") == (office != DESK)
    assert event.rules.endswith("/m1")


def test_the_model_is_not_asked_where_a_rule_decides() -> None:
    model = Model(OfficeCandidate("dishub", None, 1.0))
    route([matched(text="a", office=PUPR), matched("added", text="b"), matched(text="c")], Rules.load(), OFFICES, model)
    assert model.asked == ["c"]


def test_what_the_model_held_for_likely_is_kept_beside_the_ladders_office() -> None:
    message = matched(text="rumah sakit penuh").message
    assert message is not None
    model = Model(OfficeCandidate("dinas-kesehatan", None, 0.7), OfficeCandidate("pupr", None, 0.2))
    (decision,) = decide([message], Rules.load(), OFFICES, model)
    assert [(one.office.name, one.p) for one in decision.ranked] == [("Dinas Kesehatan", 0.7), ("Dinas PUPR", 0.2)]
    assert decision.p == 0.0


BOTH = """
[[rule]]
name = "watch"
also = true
when = { words = "pungli" }
office = { id = "inspektorat" }
why = "Inspektorat memantau."
[[rule]]
name = "fire"
when = { words = "kebakaran" }
office = [{ id = "damkar" }, { id = "bpbd" }, { id = "inspektorat" }]
why = "Darurat."
"""


@pytest.mark.parametrize(
    ("text", "offices"),
    [
        ("kebakaran", ["damkar", "bpbd", "inspektorat"]),
        ("pungli saat kebakaran", ["inspektorat", "damkar", "bpbd"]),
        ("pungli di kantor", ["inspektorat", DESK]),
        ("jalan rusak", [DESK]),
    ],
)
def test_several_offices_can_have_a_report_each_once(text: str, offices: list[str]) -> None:
    assert [a.office.id for a in routed(Rules.load(BOTH), text=text).assignments] == offices


@pytest.mark.parametrize("outcome", ["added", "asked", "redelivered", "refused"])
def test_only_an_event_that_opens_a_report_is_assigned(outcome: Outcome) -> None:
    event = routed(Rules.load(), outcome, office=PUPR)
    assert event.assignments == ()
    assert event.matched.outcome == outcome


@pytest.mark.parametrize(
    ("when", "known", "fits"),
    [
        ('office = "pupr"', {"office": PUPR}, True),
        ('office = "pupr"', {}, False),
        ('category = ["7", "8"]', {"category": Category(id="8")}, True),
        ('category = "7"', {"category": Category(id="70")}, False),
        ('region = "32.73"', {"place": Place(code="32.73.01")}, True),
        ('region = "32"', {"place": Place(code="32.73.01")}, True),
        ('region = "32.7"', {"place": Place(code="32.73")}, False),
        ('region = "32.73"', {"place": Place(code="32")}, False),
        ('region = "32"', {"place": Place(words="Jl. Mawar")}, False),
        ('channel = ["sms", "whatsapp"]', {}, True),
        ('channel = "web"', {}, False),
        ('owner = "32.73"', {}, True),
        ('class = "aspiration"', {"report_class": "aspiration"}, True),
        ('class = ["aspiration", "complaint"]', {}, False),
        ('words = ["lubang", "jalan rusak"]', {"cleaned": "Ada JALAN RUSAK di sini"}, True),
        ('words = "lubang"', {"title": "Lubang besar"}, True),
        ('words = "lubang"', {"cleaned": "berlubang"}, False),
        ('words = "lubang", channel = "web"', {"text": "lubang"}, False),
        ('words = "jalan rusak"', {"title": "Jalan", "text": "rusak"}, False),
        ('words = "dinas kesehatan"', {"text": "Tolong dinkes."}, True),
        ('keyword = "TANGKAB"', {"text": "LAPOR tangkab: jalan rusak"}, True),
        ('keyword = "TANGKAB"', {"text": "jalan di tangkab rusak"}, False),
        ('hour = "22-06"', {"received_at": datetime(2025, 8, 4, 16, tzinfo=UTC)}, True),
        ('hour = "22-06"', {"received_at": datetime(2025, 8, 3, 23, tzinfo=UTC)}, False),
        ('hour = "1"', {"received_at": datetime(2025, 8, 3, 16, tzinfo=UTC), "place": Place(code="94")}, True),
        ('not = { channel = "web" }', {}, True),
        ('not = { channel = ["sms", "web"] }', {}, False),
        ('not = { channel = "web", words = "lubang" }', {"text": "lubang"}, False),
        ('words = "lubang", not = { region = "32.73" }', {"text": "lubang", "place": Place(code="32.73.01")}, False),
        ("", {}, True),
    ],
)
def test_when_a_rule_fits(when: str, known: dict, fits: bool) -> None:
    assert (assigned(rule(when), **known).office == PUPR) is fits


def test_the_first_rule_that_fits_wins() -> None:
    rules = Rules.load("".join(f'[[rule]]\nname = "{n}"\noffice = {{ id = "{n}" }}\nwhy = "Ya."\n' for n in "ab"))
    assert assigned(rules).rule == "a"


@pytest.mark.parametrize(
    ("known", "office"),
    [
        ({"place": Place(code="34.04")}, "dishub-sleman"),
        ({}, "dishub"),
        ({"owner": "36.03"}, "meja-layanan/36.03"),
    ],
)
def test_a_rule_names_the_unit_of_the_reports_own_region(known: dict, office: str) -> None:
    rules = rule('words = "lampu merah"', office='{ unit = "dishub" }')
    assert assigned(rules, text="Lampu merah mati", **known).office.id == office


def test_a_closed_office_hands_its_reports_to_the_one_above() -> None:
    closed = OfficeRegistry([RegisteredOffice(id="pupr", name="Dinas PUPR", regions=("32.73",), closed=True)])
    (event,) = route([matched()], rule(""), closed)
    assert [a.office.id for a in event.assignments] == [DESK]


def test_the_explanation_names_what_the_rule_saw() -> None:
    why = "{word} di {region} lewat {channel}, kategori {category}: {office} ({owner})"
    rules = rule('words = "lubang"', why=why)
    known = {"text": "ada Lubang", "place": Place(code="36.03"), "category": Category(id="7"), "owner": "32"}
    assert assigned(rules, **known).why == (
        "lubang di Kabupaten Tangerang lewat sms, kategori 7: Dinas PUPR (Provinsi Jawa Barat)"
    )


@given(st.text(), st.text(), st.text(), st.none() | st.text())
def test_nobody_is_turned_away(owner: str, text: str, title: str, code: str | None) -> None:
    assignment = assigned(Rules.load(), owner=owner, text=text, title=title, place=Place(code=code))
    assert assignment.office
    assert assignment.why
