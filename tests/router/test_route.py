"""Routing: the first rule that fits, told in Indonesian; a front desk that turns nobody away."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import FRONT_DESK, Rules, front_desk_of, route
from schemas import Category, Complaint, Message, Office, Outcome, Place, Routed

PUPR = Office(id="pupr", name="Dinas PUPR")


def complaint(outcome: Outcome = "recorded", **known) -> Complaint:
    told = {"id": "sms/sms/1", "native_id": "1", "raw": "r", "account": "sms", "channel": "sms", "owner": "32.73"}
    said = Message(**told | {"conversation": "c", "received_at": datetime(2025, 8, 4, tzinfo=UTC)} | known)
    return Complaint(id="c-1", number="1234567897", outcome=outcome, message=said)


def routed(rules: Rules, outcome: Outcome = "recorded", **known) -> Routed:
    (event,) = route([complaint(outcome, **known)], rules)
    return event


def rule(folder: Path, when: str, *, office: str = '{ id = "pupr", name = "Dinas PUPR" }', why: str = "Ya.") -> Rules:
    path = folder / "rules.toml"
    path.write_text(f'[[rule]]\nname = "r"\nwhen = {{ {when} }}\noffice = {office}\nwhy = "{why}"\n')
    return Rules.load(path)


def test_the_office_that_the_citizen_named_comes_first() -> None:
    event = routed(Rules.load(), office=PUPR)
    assert (event.office, event.rule, event.rules) == (PUPR, "named", Rules.load().version)
    assert event.why == "Pelapor menyebut Dinas PUPR sebagai instansi tujuan, maka laporan langsung ke mejanya."


def test_else_the_owners_front_desk() -> None:
    event = routed(Rules.load())
    assert (event.office, event.rule) == (front_desk_of("32.73"), "owner")
    assert event.office == Office(id="meja-depan/32.73", name="Meja Depan 32.73 (Jawa Barat)")
    assert event.why
    assert "32.73 (Jawa Barat)" in event.why


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ("32", "Meja Depan Provinsi Jawa Barat"),
        ("96", "Meja Depan Provinsi Papua Barat Daya"),
        ("pupr", "Meja Depan pupr"),
    ],
)
def test_a_front_desk_is_called_by_its_owner(owner: str, name: str) -> None:
    assert front_desk_of(owner).name == name


def test_without_any_rule_the_front_desk_reads_it(tmp_path: Path) -> None:
    event = routed(rule(tmp_path, 'owner = "31"'))
    assert (event.office, event.rule) == (FRONT_DESK, "front-desk")
    assert event.why
    assert "Meja Depan" in event.why


def test_a_door_without_an_owner_has_the_front_desk() -> None:
    assert routed(Rules.load(), owner="").office == FRONT_DESK


@pytest.mark.parametrize("outcome", ["added", "redelivered", "refused"])
def test_only_what_opens_a_report_is_routed(outcome: Outcome) -> None:
    event = routed(Rules.load(), outcome, office=PUPR)
    assert (event.office, event.rule, event.why) == (None, None, None)
    assert event.complaint.outcome == outcome


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
        ('words = ["lubang", "jalan rusak"]', {"read": "Ada JALAN RUSAK di sini"}, True),
        ('words = "lubang"', {"title": "Lubang besar"}, True),
        ('words = "lubang"', {"read": "berlubang"}, False),
        ('words = "lubang", channel = "web"', {"read": "lubang"}, False),
        ("", {}, True),
    ],
)
def test_when_a_rule_fits(tmp_path: Path, when: str, known: dict, fits: bool) -> None:
    assert (routed(rule(tmp_path, when), **known).office == PUPR) is fits


def test_the_first_rule_that_fits_wins(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text("".join(f'[[rule]]\nname = "{n}"\noffice = {{ id = "{n}" }}\nwhy = "Ya."\n' for n in "ab"))
    assert routed(Rules.load(path)).rule == "a"


def test_the_explanation_names_what_the_rule_saw(tmp_path: Path) -> None:
    why = "{word} di {region} lewat {channel}, kategori {category}: {office} ({owner})"
    rules = rule(tmp_path, 'words = "lubang"', why=why)
    event = routed(rules, read="ada Lubang", place=Place(code="36.03"), category=Category(id="7"), owner="31")
    assert event.why == "Lubang di 36.03 (Banten) lewat sms, kategori 7: Dinas PUPR (Provinsi DKI Jakarta)"


@given(st.text(), st.text(), st.text(), st.none() | st.text())
def test_nobody_is_turned_away(owner: str, text: str, title: str, code: str | None) -> None:
    event = routed(Rules.load(), owner=owner, read=text, title=title, place=Place(code=code))
    assert event.office
    assert event.why
