"""Rules as data: read strictly, named errors, a version of their content."""

from __future__ import annotations

from pathlib import Path

import pytest

from router import Rules, WrongRules

RULE = '[[rule]]\nname = "jalan"\noffice = { id = "dpu" }\nwhy = "Soal jalan."\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "rules.toml"
    path.write_text(text)
    return path


def test_the_shipped_rules_are_readable() -> None:
    assert [rule.name for rule in Rules.load().rules] == ["named", "owner"]


def test_no_rules_are_rules_too(tmp_path: Path) -> None:
    assert Rules.load(written(tmp_path, "")).rules == ()


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
        ("a = [", "end of document"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_key(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(WrongRules) as wrong:
        Rules.load(written(tmp_path, text))
    assert named in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_bytes_that_are_no_text_and_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    for name in ("bad.toml", "none.toml"):
        with pytest.raises(WrongRules):
            Rules.load(tmp_path / name)


def test_the_version_is_that_of_the_data(tmp_path: Path) -> None:
    plain = Rules.load(written(tmp_path, RULE)).version
    assert Rules.load(written(tmp_path, "# a remark\n" + RULE)).version == plain
    assert Rules.load(written(tmp_path, RULE.replace("dpu", "pupr"))).version != plain
