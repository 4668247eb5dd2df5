"""Routing: the first rule that fits, explained in Indonesian; a front desk that turns nobody away."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import FRONT_DESK, Rules, front_desk_of, route
from schemas import Assignment, Category, Matched, Message, Office, Outcome, Place, Routed

PUPR = Office(id="pupr", name="Dinas PUPR")


def matched(outcome: Outcome = "recorded", **known) -> Matched:
    given = {"id": "sms/sms/1", "raw": "r", "account": "sms", "channel": "sms", "owner": "32.73", "conversation": "c"}
    message = Message(**given | {"received_at": datetime(2025, 8, 4, tzinfo=UTC)} | known)
    return Matched(id="c-1", number="1234567897", outcome=outcome, message=message)


def routed(rules: Rules, outcome: Outcome = "recorded", **known) -> Routed:
    (event,) = route([matched(outcome, **known)], rules)
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


def test_every_event_names_the_version_of_the_rules() -> None:
    assert routed(Rules.load(), "added").rules == Rules.load().version


def test_else_the_owners_front_desk() -> None:
    assignment = assigned(Rules.load())
    assert assignment.rule == "owner"
    assert assignment.office == Office(id="meja-layanan/32.73", name="Meja Layanan Kota Bandung")
    assert assignment.why == (
        "Laporan masuk melalui kanal Kota Bandung dan ditelaah lebih dulu oleh Meja Layanan Kota Bandung."
    )


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ("32", "Meja Layanan Provinsi Jawa Barat"),
        ("36.03", "Meja Layanan Kabupaten Tangerang"),
        ("nasional", "Meja Layanan Nasional"),
        ("pupr", "Meja Layanan pupr"),
    ],
)
def test_a_front_desk_is_called_by_its_owner(owner: str, name: str) -> None:
    assert front_desk_of(owner).name == name


def test_without_any_rule_the_front_desk_reads_it() -> None:
    assignment = assigned(rule('owner = "31"'))
    assert (assignment.office, assignment.rule) == (FRONT_DESK, "front-desk")
    assert assignment.why
    assert "Meja Layanan" in assignment.why


def test_an_account_without_an_owner_has_the_front_desk() -> None:
    assert assigned(Rules.load(), owner="").office == FRONT_DESK


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
        ("pungli di kantor", ["inspektorat", "meja-layanan"]),
        ("jalan rusak", ["meja-layanan"]),
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
        ("", {}, True),
    ],
)
def test_when_a_rule_fits(when: str, known: dict, fits: bool) -> None:
    assert (assigned(rule(when), **known).office == PUPR) is fits


def test_the_first_rule_that_fits_wins() -> None:
    rules = Rules.load("".join(f'[[rule]]\nname = "{n}"\noffice = {{ id = "{n}" }}\nwhy = "Ya."\n' for n in "ab"))
    assert assigned(rules).rule == "a"


def test_the_explanation_names_what_the_rule_saw() -> None:
    why = "{word} di {region} lewat {channel}, kategori {category}: {office} ({owner})"
    rules = rule('words = "lubang"', why=why)
    known = {"text": "ada Lubang", "place": Place(code="36.03"), "category": Category(id="7"), "owner": "32"}
    assert assigned(rules, **known).why == (
        "Lubang di Kabupaten Tangerang lewat sms, kategori 7: Dinas PUPR (Provinsi Jawa Barat)"
    )


@given(st.text(), st.text(), st.text(), st.none() | st.text())
def test_nobody_is_turned_away(owner: str, text: str, title: str, code: str | None) -> None:
    assignment = assigned(Rules.load(), owner=owner, text=text, title=title, place=Place(code=code))
    assert assignment.office
    assert assignment.why
