"""`train` and `quality`, as programs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from hub.clock import utc_now
from hub.edited_files import LiveModels, model_files
from hub.editions import Editions
from normalizer import PlaceQuestion
from tests.cli.program import satupintu

CATEGORIES = {
    "1397": ("Jalan Berlubang", "jalan aspal berlubang di Desa Mawar"),
    "963": ("Kependudukan", "ktp belum dicetak dukcapil"),
}


def test_train_says_that_there_is_too_little_to_learn_from(tmp_path: Path) -> None:
    (tmp_path / "rows.ndjson").write_text('{"text": "Jalan berlubang di depan Pasar Baru"}\n')
    satupintu("ingest", str(tmp_path / "rows.ndjson"), data=tmp_path)
    done = satupintu("train", data=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["model"] for line in lines] == ["models/classifier", "models/office", "models/places"]
    assert [(line["rows"], line["better"], line["edition"]) for line in lines] == [(0, False, None)] * 3


def test_train_learns_sorts_from_a_file_and_refuses_a_word_that_is_none(tmp_path: Path) -> None:
    rows = [("publicity", "yuk ikuti acara kami"), ("report", "jalan berlubang di desa")]
    lines = [json.dumps({"text": f"{words} {n}", "sort": sort}) for n in range(60) for sort, words in rows]
    (tmp_path / "rows.ndjson").write_text("\n".join(lines))
    satupintu("ingest", str(tmp_path / "rows.ndjson"), data=tmp_path)
    done = satupintu("train", "--sorts", str(tmp_path / "rows.ndjson"), data=tmp_path)
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    assert (line["model"], line["rows"], line["after"], line["better"]) == ("models/classifier", 120, 1.0, True)
    (tmp_path / "wrong.ndjson").write_text('{"text": "jalan berlubang", "sort": "spam", "id": "7"}')
    wrong = satupintu("train", "--sorts", str(tmp_path / "wrong.ndjson"), data=tmp_path)
    assert (wrong.returncode, 'row 7: "sort" is one of report, question' in wrong.stderr) == (64, True)


def test_quality_measures_a_folder_and_leaves_out_what_is_missing(tmp_path: Path) -> None:
    heading = ("tanggal_masuk", "waktu_masuk", "klasifikasi", "id_kategori", "kategori", "judul", "isi_awal",
               "instansi_terdisposisi")  # fmt: skip
    with (tmp_path / "sp4n_made_up.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(heading)
        for n in range(60):
            id, (name, words) = list(CATEGORIES.items())[n % 2]
            rows.writerow((f"2026-01-{n % 28 + 1:02}", "08:00", "Pengaduan", f"{id}.0", name, "Laporan", words, name))
    (tmp_path / "agencies").mkdir()
    tree = "".join(f"{id},{name},1,TOP {id}\n" for id, (name, _) in CATEGORIES.items())
    (tmp_path / "agencies" / "category_ids_seen.csv").write_text(f"id_kategori,kategori,n,kategori_utama\n{tree}")
    done = satupintu("quality", str(tmp_path), "--only", "category", "--only", "office", "--only", "match")
    assert done.returncode == 0, done.stderr
    assert "learned from a half by chance | 1.000 [0.886, 1.000] of 30" in done.stdout
    assert "office of a city" not in done.stdout
    assert "office in an export of LAPOR!, half by chance | 1.000 [0.886, 1.000] of 30" in done.stdout
    assert "## match\n\nno rows" in done.stdout


def test_a_file_of_learned_places_is_an_edition_of_the_knowledge(tmp_path: Path) -> None:
    (tmp_path / "places.json").write_text(
        '{"districts": {"327302": 0.5}, "phrases": {"kenanga": [2, {"327302": 1}], "asri": [2, {}]}}'
    )
    models = LiveModels()
    knowledge = models.knowledge()
    shipped, before = knowledge.version, knowledge.places([PlaceQuestion("lampu mati di Kenanga Asri", "32.73")])
    assert before == [()]
    Editions(model_files(tmp_path, models), publisher=None, now=utc_now).begin(None)
    [[found, *_]] = knowledge.places([PlaceQuestion("lampu mati di Kenanga Asri", "32.73")])
    assert (found.code, knowledge.version == shipped) == ("32.73.02", False)


def test_quality_wants_a_folder(tmp_path: Path) -> None:
    done = satupintu("quality", str(tmp_path / "nothing"))
    assert done.returncode == 64
    assert "no folder" in done.stderr
    empty = satupintu("quality", str(tmp_path))
    assert (empty.returncode, "holds none of the files" in empty.stderr) == (64, True)
