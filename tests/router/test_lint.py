"""Lint: rules that never fire, offices that do not exist, regions without a ladder, aliases of several."""

from __future__ import annotations

import pytest

from router import OfficeRegistry, RegisteredOffice, Rules
from router.lint import lint

OFFICES = OfficeRegistry(
    [
        RegisteredOffice(id="dpu", name="Dinas PU", regions=("33.74",)),
        RegisteredOffice(id="dishub", name="Dinas Perhubungan", regions=("33.74",), aliases=("lalin",)),
        RegisteredOffice(id="tutup", name="Kantor Lama", regions=("33.74",), closed=True),
    ]
)


def rules(*conditions: str, office: str = '{ id = "dpu" }', also: str = "false") -> Rules:
    return Rules.load(
        "".join(
            f'[[rule]]\nname = "r{n}"\nwhen = {{ {when} }}\noffice = {office}\nalso = {also}\nwhy = "Ya."\n'
            for n, when in enumerate(conditions, 1)
        )
    )


def faults(rules: Rules, offices: OfficeRegistry = OFFICES) -> list[str]:
    return [f"{fault.about}: {fault.fault}" for fault in lint(rules, offices)]


def test_what_is_shipped_has_no_fault() -> None:
    assert lint(Rules.load(), OfficeRegistry()) == []


@pytest.mark.parametrize(
    ("first", "second", "never"),
    [
        ("", 'channel = "sms"', True),
        ('region = "33"', 'region = "33.74", words = "jalan"', True),
        ('region = "33.74"', 'region = "33"', False),
        ('words = "jalan"', 'words = ["jalan rusak", "jalan berlubang"]', True),
        ('words = "jalan rusak"', 'words = "jalan"', False),
        ('words = ["jalan", "lampu"]', 'words = ["lampu mati", "banjir"]', False),
        ('channel = ["sms", "web"]', 'channel = "web"', True),
        ('hour = "20-06"', 'hour = ["22-24", "2"]', True),
        ('hour = "20-06"', 'hour = "22-08"', False),
        ('keyword = "TANGKAB"', 'keyword = "tangkab"', True),
        ('channel = "sms", not = { region = "33" }', 'channel = "sms"', False),
        ('channel = "sms", not = { region = "33.74" }', 'channel = "sms", not = { region = "33" }', True),
        ('category = "1"', 'region = "33"', False),
    ],
)
def test_a_rule_behind_one_that_always_fires_first_never_fires(first: str, second: str, never: bool) -> None:
    expected = ["rule r2: can never fire: rule r1 always fires before it"] if never else []
    assert faults(rules(first, second)) == expected


def test_a_rule_may_exclude_all_that_it_asks_for() -> None:
    assert faults(rules('region = "33.74", not = { region = "33" }')) == [
        "rule r1: can never fire: its `not` excludes all that it asks for"
    ]


@pytest.mark.parametrize("more", [{"also": "true"}, {"office": '"named"'}, {"office": '{ unit = "Dinas PU" }'}])
def test_a_rule_that_may_leave_a_report_to_the_next_hides_none(more: dict[str, str]) -> None:
    assert faults(rules("", 'channel = "sms"', **more)) == []


@pytest.mark.parametrize(
    ("office", "fault"),
    [
        ('{ id = "dpw" }', "rule r1: the office dpw is not in the registry"),
        ('[{ id = "dpu" }, { id = "tutup" }]',
         "rule r1: the office tutup is closed, so that the one above gets the reports"),
        ('{ unit = "Dinas Kesehatan" }', "rule r1: no region has a unit called Dinas Kesehatan"),
    ],
)  # fmt: skip
def test_an_office_that_cannot_get_it_is_named(office: str, fault: str) -> None:
    assert faults(rules("", office=office)) == [fault]


def test_what_a_rule_asks_for_has_to_exist() -> None:
    assert faults(rules('office = "x", region = "99"')) == [
        "rule r1: asks for the office x, which is not in the registry",
        "rule r1: asks for the region 99, which does not exist",
    ]


def test_a_region_whose_front_desk_is_closed_has_no_ladder() -> None:
    closed = RegisteredOffice(id="meja-layanan/33.74", name="Meja", kind="regency", regions=("33.74",), closed=True)
    assert faults(Rules.load(), OfficeRegistry([closed])) == [
        "region 33.74: Kota Semarang has no coordinator: its reports go to Meja Layanan Provinsi Jawa Tengah"
    ]


def test_two_coordinators_of_one_region_are_named() -> None:
    two = [RegisteredOffice(id=id, name=id, kind="regency", regions=("33.74",)) for id in ("a", "b")]
    assert faults(Rules.load(), OfficeRegistry(two)) == ["region 33.74: has several coordinators: a, b"]


@pytest.mark.parametrize(("region", "found"), [("33.74", True), ("33.74.01", True), ("33.22", False)])
def test_an_alias_of_two_offices_of_one_place_is_a_remark(region: str, found: bool) -> None:
    other = RegisteredOffice(id="polisi", name="Polisi", regions=(region,), aliases=("Lalin",))
    remarks = lint(Rules.load(), OfficeRegistry([*OFFICES.imported, other]))
    assert [(r.about, r.serious) for r in remarks] == ([("alias lalin", False)] if found else [])
