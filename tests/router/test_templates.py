"""Answers in words: complete in each language, one SMS, the tracking page where there is room, strict files."""

from __future__ import annotations

from itertools import combinations
from typing import get_args

import pytest

from router import Templates, public_form, render
from router.templates import GSM_7, SMS
from schemas import Owed, Reject, Status

SHIPPED = Templates.load()
NUMBER, URL = "1234567897", "https://lapor.example.go.id/lacak/1234567897"
ANSWERS = [
    Owed(template="number_given", params={"missing": missing} if missing else {})
    for n in range(3)
    for missing in combinations(("text", "place"), n)
]
ANSWERS += [Owed(template="status", params={"status": status}) for status in get_args(Status)]
ANSWERS += [
    Owed(template=name) for name in ("added", "joined", "awaiting_words", "unknown_number", "number_needed", "help")
]


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda a: f"{a.template}-{'-'.join(str(v) for v in a.params.values())}")
def test_an_automatic_answer_is_one_sms_of_gsm_7(answer: Owed, language: str) -> None:
    spoken = Owed(template=answer.template, params=answer.params | {"language": language})
    words = render(spoken, SHIPPED, number=NUMBER, tracking_url=URL, short=True)
    assert len(words) <= SMS
    assert set(words) <= GSM_7
    assert URL not in words
    assert words == words.strip()


def test_the_languages_have_the_same_entries() -> None:
    indonesian, english = SHIPPED.languages["id"], SHIPPED.languages["en"]
    for table in ("statuses", "questions", "answers"):
        assert getattr(indonesian, table).keys() == getattr(english, table).keys()
    assert set(get_args(Status)) == indonesian.statuses.keys()


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("name", ["officer_answer", "question", "status_changed", "number_given"])
def test_an_answer_that_everybody_reads_holds_the_number_and_no_words_of_officers(name: str, language: str) -> None:
    params = {"text": "Ibu Sari, alamat Anda sudah kami datangi", "office": "Dinas X", "status": "done"}
    public = public_form(Owed(template=name, params=params | {"language": language}), SHIPPED)
    words = render(public, SHIPPED, number=NUMBER, tracking_url=None, short=True)
    assert NUMBER in words
    assert len(words) <= SMS
    assert not {"Sari", "alamat", "Dinas"} & set(words.replace(",", "").split())


def test_a_channel_with_room_gets_the_tracking_page() -> None:
    words = render(Owed(template="number_given"), SHIPPED, number=NUMBER, tracking_url=URL)
    assert words.endswith(f"Pantau laporan di {URL}")
    assert URL not in render(Owed(template="number_given"), SHIPPED, number=NUMBER)
    assert URL not in render(Owed(template="unknown_number"), SHIPPED, tracking_url=URL)


def test_only_the_missing_facts_are_asked_for() -> None:
    words = render(Owed(template="number_given", params={"missing": ("place",)}), SHIPPED, number=NUMBER)
    assert "Di mana lokasinya" in words
    assert "Apa yang terjadi" not in words


def test_the_words_of_an_officer_stand_as_they_are() -> None:
    answer = Owed(template="officer_answer", params={"text": "Lihat {x} & 100%", "office": "Dinas PUPR"})
    assert (
        render(answer, SHIPPED, number=NUMBER) == f"Jawaban Dinas PUPR atas laporan nomor {NUMBER}: Lihat {{x}} & 100%"
    )
    nobody = Owed(template="officer_answer", params={"text": "Ya."})
    assert render(nobody, SHIPPED, number=NUMBER).startswith("Jawaban Petugas atas")


def test_params_read_from_json_are_taken() -> None:
    listed = Owed(template="number_given", params={"missing": ["place"]})  # type: ignore[dict-item]
    tuples = Owed(template="number_given", params={"missing": ("place",)})
    assert render(listed, SHIPPED, number=NUMBER) == render(tuples, SHIPPED, number=NUMBER)


def test_an_unknown_template_fails_the_reply_and_no_more() -> None:
    with pytest.raises(Reject) as rejected:
        render(Owed(template="of_a_later_release"), SHIPPED)
    assert rejected.value.code == "unknown_template"


def test_a_file_replaces_single_entries() -> None:
    own = Templates.load('[id.answers.added]\nshort = "Sudah kami catat: {number}."')
    assert render(Owed(template="added"), own, number=NUMBER) == f"Sudah kami catat: {NUMBER}."
    assert render(Owed(template="joined"), own, number=NUMBER) == render(
        Owed(template="joined"), SHIPPED, number=NUMBER
    )
    assert own.version != SHIPPED.version
    assert Templates.load("# a remark").version == SHIPPED.version


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[jv]", "jv"),
        ("[received]\nshort = 'x'", "key `received` is no language of ours (id, en): tables are [id.answers.NAME]"),
        ("[id]\nkantor = 1", "`kantor` is unknown: remove it, or use one of office, "),
        ("[id.statuses]\nselesai = 'x'", "id.statuses.selesai"),
        ("[id.answers.hello]\nshort = 'x'", "id.answers.hello"),
        ("[id.answers.added]\nlong = 'x'", "id.answers.added"),
        ("[id.answers.added]\nshort = 1", "id.answers.added.short"),
        ("[id.answers.added]\nshort = '{nomor}'", "{nomor}"),
        ("[id.answers.added]\nshort = '{'", "id.answers.added.short"),
        ("[id.answers.added]\nshort = '{number!r}'", "{number:}"),
        ("[id]\nlink = '{number}'", "id.link"),
        (f"[id.answers.added]\nshort = '{'x' * 161}'", "161"),
        ("[id.answers.added]\nshort = 'Terima kasih – {number}'", "–"),
        (f"[id.statuses]\ndone = '{'x' * 120}'", "id.answers.status.short"),
        ("a = [", "TOML"),
    ],
)
def test_a_fault_is_one_line_that_names_the_key(text: str, named: str) -> None:
    with pytest.raises(ValueError) as wrong:  # noqa: PT011 - the message is looked at
        Templates.load(text)
    assert named in str(wrong.value)
    assert "\n" not in str(wrong.value)
