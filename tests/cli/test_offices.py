"""`offices` and `router`, called in this process: the registry imported and followed, rules checked and tried."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.cli import run_command
from sink import editions
from tests.cli.program import satupintu
from tests.fakes.lapor import LaporServer
from tests.flow.lapor_drill import account

CSV = "id,name,regions,aliases\ndishub,Dinas Perhubungan,33.74,dishub smg\ndpu,Dinas PU,33.74,\n"
RULE = (
    '[[rule]]\nname = "{name}"\nwhen = {{ words = "{word}" }}\noffice = {{ id = "{office}" }}\nwhy = "Soal {{word}}."\n'
)


@pytest.fixture
def call(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    def run(*words: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run_command([*words, "--data", str(tmp_path / "var")])
        return (code, *capfd.readouterr())

    return run


def write(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def test_an_import_is_an_edition_with_its_history(call, tmp_path: Path) -> None:
    code, out, err = call("offices", "import", write(tmp_path, "a.csv", CSV))
    assert (code, out) == (0, "")
    assert "2 offices new, 0 changed, 555 in all; edition 1" in err
    code, _, err = call("offices", "import", write(tmp_path, "b.csv", "id,name,email\ndpu,Dinas PUPR,pu@contoh.id\n"))
    assert "0 offices new, 1 changed" in err
    listed = [json.loads(line) for line in call("offices", "list", "--imported", "--json")[1].splitlines()]
    assert [(o["id"], o["name"], o.get("email")) for o in listed] == [
        ("dishub", "Dinas Perhubungan", None), ("dpu", "Dinas PUPR", "pu@contoh.id"),
    ]  # fmt: skip
    changes = [json.loads(line) for line in call("offices", "history", "--json")[1].splitlines()]
    assert [(c["version"], c["added"], c["changed"], c["removed"]) for c in changes] == [(2, 0, 1, 0), (1, 2, 0, 0)]
    assert all("@" in c["by"] and c["at"] for c in changes)
    table = call("offices", "list", "--region", "33.74")[1].splitlines()
    assert len(table) == 4
    assert "meja-layanan/33.74" in table[1]


def test_wrong_rows_are_named_and_nothing_is_imported(call, tmp_path: Path) -> None:
    code, out, err = call("offices", "import", write(tmp_path, "a.csv", CSV + "x,,33.74,\ny,Y,99,\n"))
    assert (code, out) == (2, "")
    assert [line.split(":")[0] for line in err.splitlines()[:2]] == ["line 4", "line 5"]
    assert call("offices", "list", "--imported", "--json")[1] == ""


def test_a_dry_run_writes_nothing(call, tmp_path: Path) -> None:
    assert "nothing was written" in call("offices", "import", write(tmp_path, "a.csv", CSV), "--dry-run")[2]
    assert call("offices", "list", "--imported", "--json")[1] == ""


def test_lapors_list_is_taken_in(call, tmp_path: Path) -> None:
    data = [{"id": 5, "name": "Pemerintah Kota Semarang"}, {"id": 6, "name": "Dinas Sosial"}]
    code, _, err = call("offices", "import", write(tmp_path, "i.json", json.dumps({"results": {"data": data}})))
    assert code == 0
    assert "6 Dinas Sosial" in err
    [desk] = [json.loads(line) for line in call("offices", "list", "--imported", "--json")[1].splitlines()]
    assert (desk["id"], desk["lapor_id"]) == ("meja-layanan/33.74", 5)


def test_lapor_is_asked_for_its_list_page_by_page(call, tmp_path: Path) -> None:
    with LaporServer() as lapor:
        lapor.institutions = [{"id": n, "name": f"Dinas {n} Kota Semarang"} for n in range(1, 2502)]
        (tmp_path / "var").mkdir()
        (tmp_path / "var/channels.toml").write_text(account(lapor))
        code, _, err = call("offices", "import", "--account", "lapor")
        assert (code, "2501 offices new" in err) == (0, True)
        assert sum("institutions" in request.path for request in lapor.received) == 3
        (tmp_path / "var/channels.toml").write_text(account(lapor, auth_value="salah"))
        assert call("offices", "import", "--account", "lapor")[0] == 1
    assert call("offices", "import", "--account", "lapoor")[0] == 64
    assert call("offices", "import", write(tmp_path, "a.csv", CSV), "--account", "lapor")[0] == 64
    assert call("offices", "import")[0] == 64


def test_of_two_imports_at_once_both_count(call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = write(tmp_path, "a.csv", CSV)
    call("offices", "import", write(tmp_path, "first.csv", "id,name\nsatu,Kantor Satu\n"))
    publish = editions.publish_edition
    others = ["id,name\nsatu,Kantor Satu\nlain,Kantor Lain\n"]

    def overtaken(record, name, body, **more):
        while others:
            publish(record, name, others.pop(), **more)
        return publish(record, name, body, **more)

    monkeypatch.setattr(editions, "publish_edition", overtaken)
    assert "edition 4" in call("offices", "import", mine)[2]
    listed = [json.loads(line)["id"] for line in call("offices", "list", "--imported", "--json")[1].splitlines()]
    assert sorted(listed) == ["dishub", "dpu", "lain", "satu"]


def test_lint_fails_for_what_must_be_mended(call, tmp_path: Path) -> None:
    code, _, err = call("router", "lint")
    assert (code, err) == (0, "nothing must be mended in these rules and offices\n")
    good = write(tmp_path, "good.toml", RULE.format(name="a", word="jalan", office="meja-layanan/33"))
    bad = write(tmp_path, "bad.toml", RULE.format(name="a", word="jalan", office="dpw"))
    assert call("router", "lint", good)[0] == 0
    code, out, err = call("router", "lint", bad)
    assert (code, out) == (1, "rule a: the office dpw is not in the registry\n")
    assert "1 of 1 findings must be mended" in err
    assert call("router", "lint", write(tmp_path, "none.toml", "a = ["))[0] == 2
    assert call("router", "lint", str(tmp_path / "gone.toml"))[0] == 64


def test_rules_are_tried_on_what_came_in_and_nothing_moves(call, tmp_path: Path) -> None:
    assert call("router", "try", "x.toml", "--since", "2026-01-01")[0] == 64
    data = tmp_path / "var"
    rows = write(tmp_path, "rows.ndjson", "".join(
        json.dumps({"text": f"{word} mati di kampung kami {n}", "region": "33.74"}) + "\n"
        for n, word in enumerate(["lampu", "lampu", "pompa"])
    ))  # fmt: skip
    assert satupintu("ingest", rows, data=data).returncode == 0
    call("offices", "import", write(tmp_path, "a.csv", CSV))
    rules = write(tmp_path, "new.toml", RULE.format(name="a", word="lampu", office="dishub"))
    before = call("export")[1]
    code, out, err = call("router", "try", rules, "--since", "2026-01-01", "--json")
    assert code == 0
    [cell] = [json.loads(line) for line in out.splitlines()]
    assert (cell["from"], cell["to"], cell["count"]) == (
        [{"id": "meja-layanan/33.74", "name": "Meja Layanan Kota Semarang"}],
        [{"id": "dishub", "name": "Dinas Perhubungan"}],
        2,
    )
    assert all(len(number) == 10 and number.isdigit() for number in cell["numbers"])
    assert "2 of 3 reports would go elsewhere; 2 leave the ladder, 0 fall back to it" in err
    assert (
        "Meja Layanan Kota Semarang  ->  Dinas Perhubungan" in call("router", "try", rules, "--since", "2026-01-01")[1]
    )
    assert call("export")[1] == before
