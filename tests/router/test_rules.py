"""Rules as data: read strictly, named errors, a version of their content."""

from __future__ import annotations

import pytest

from router import Rules

RULE = '[[rule]]\nname = "jalan"\noffice = { id = "dpu" }\nwhy = "Soal jalan."\n'


def test_the_shipped_rules_are_readable() -> None:
    assert [rule.name for rule in Rules.load().rules] == ["named"]


def test_no_rules_are_rules_too() -> None:
    assert Rules.load("").rules == ()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (RULE + "wen = 1", "wen"),
        ("[rules]\na = 1", "rules"),
        (RULE + 'when = { regio = "32" }', "regio"),
        (RULE + 'when = { class = "keluhan" }', "when.class"),
        (RULE + "when = { region = 32 }", "when.region"),
        (RULE.replace('{ id = "dpu" }', '"nobody"'), "office"),
        (RULE.replace('id = "dpu"', 'id = "dpu", nama = "PU"'), "nama"),
        (RULE.replace('name = "jalan"\n', ""), "name"),
        (RULE.replace('why = "Soal jalan."', ""), "why"),
        (RULE.replace("Soal", "{kantor}"), "kantor"),
        (RULE.replace("Soal", "{office.id}"), "office.id"),
        (RULE.replace("Soal", "{"), "why"),
        (RULE + RULE, "jalan"),
        (RULE + 'also = "yes"', "also"),
        (RULE.replace('{ id = "dpu" }', '[{ name = "PU" }]'), "id"),
        ("a = [", "end of document"),
        (RULE + 'when = { words = "dan" }', "when.words"),
        (RULE + 'when = { hour = "25" }', "when.hour"),
        (RULE + 'when = { not = { hour = "malam" } }', "when.not.hour"),
        (RULE + 'when = { not = { regio = "32" } }', "when.not.regio"),
        (RULE.replace('id = "dpu"', 'id = "dpu", unit = "Dinas PU"'), "unit"),
        (RULE.replace('{ id = "dpu" }', "[]"), "office"),
    ],
)
def test_a_fault_is_one_line_that_names_the_key(text: str, named: str) -> None:
    with pytest.raises(ValueError) as wrong:  # noqa: PT011 - the message is looked at
        Rules.load(text)
    assert named in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_the_version_is_that_of_the_data() -> None:
    plain = Rules.load(RULE).version
    assert Rules.load("# a remark\n" + RULE).version == plain
    assert Rules.load(RULE.replace("dpu", "pupr")).version != plain
