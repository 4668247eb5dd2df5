"""How a text is read: short forms written out, repeated letters once, names and addresses as they stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.clean import clean
from normalizer.knowledge.slang import read_text, with_forms_written_out
from normalizer.knowledge.word_lists import word_lists
from tests.normalizer.stage import message
from tests.normalizer.test_read import one


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("jln rsk parahhh bgt udh 3 bln ga d benerin", "jalan rusak parah banget sudah 3 bulan tidak diperbaiki"),
        ("TOLONGGG pak lmpu jln mati", "TOLONG pak lampu jalan mati"),
        ("t0l0ng j4lan d dpn sklh bnyk lubang", "tolong jalan di depan sekolah banyak lubang"),
        ("anak2 takut lewat, rumah2 kebanjiran", "anak-anak takut lewat, rumah-rumah kebanjiran"),
        ("maaaf yg punya wewenang kpn dtg", "maaf yang punya wewenang kapan datang"),
        ("Jl. Kenanga Gg. 3 kec. Coblong", "Jalan Kenanga Gang 3 kecamatan Coblong"),
        ("sdh lapor tp blm ada tindakan", "sudah lapor tapi belum ada tindakan"),
        ("krn air pdam keruh kmrn", "karena air pdam keruh kemarin"),
    ],
)
def test_chat_is_written_out(written: str, read: str) -> None:
    assert read_text(written) == read


@pytest.mark.parametrize(
    "text",
    [
        "RT 03 RW VIII, blok2 nomor 12",
        "SMP 5 dan TK Melati II",
        "kirim ke jln.rsk@contoh.id atau https://contoh.id/jln/rsk",
        "@jln_rsk #jln",
        "plat D 1234 ABC, kode J4K4B",
        "Tunggu surat keputusan bupati",
        "tanggal 2 jam 12.30",
        "1.000.000",
    ],
)
def test_names_numbers_and_addresses_stay(text: str) -> None:
    assert read_text(text) == text


def test_what_a_form_stands_for_is_no_form_itself() -> None:
    meanings = word_lists("words")["forms"]
    forms = {form for words in meanings.values() for form in words.split()}
    assert {meaning: word for meaning in meanings for word in meaning.split() if word in forms} == {}


WORDS = st.one_of(
    st.text(max_size=12),
    st.sampled_from([form for words in word_lists("words")["forms"].values() for form in words.split()]),
    st.from_regex(r"[a-zA-Z]{1,3}([a-z])\1{2,4}[a-z0-9.]{0,4}", fullmatch=True),
    st.from_regex(r"[a-zA-Z0134578]{2,8}[.2]?", fullmatch=True),
)


@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_reading_twice_changes_nothing(text: str) -> None:
    once = read_text(clean(text))
    assert read_text(clean(once)) == once


def test_the_original_is_kept_beside_what_is_read() -> None:
    event = one(message("1", "LAPOR  jln rsk bgt"))
    assert (event.text, event.clean_text, event.words_read) == (
        "LAPOR  jln rsk bgt",
        "jln rsk bgt",
        "jalan rusak banget",
    )


def test_a_text_that_is_read_as_written_stands_once() -> None:
    event = one(message("1", "jalan rusak parah"))
    assert (event.text_read, event.words_read) == (None, "jalan rusak parah")


class Counted(str):
    """A text that counts how often it is gone through as a whole."""

    walks = 0

    def isupper(self) -> bool:
        self.walks += 1
        return super().isupper()

    def find(self, word: str, start: int = 0) -> int:  # type: ignore[override]
        self.walks += start == 0
        return super().find(word, start)


@pytest.mark.parametrize("words", [["YG"] * 400, [f"LAMPU{'U' * n}" for n in range(2, 402)]])
def test_a_long_text_in_capitals_is_not_gone_through_for_each_of_its_words(words: list[str]) -> None:
    """A quarter of a megabyte of "YG SDH" took forty seconds once."""
    text = Counted(" ".join(words))
    with_forms_written_out(text, set(words))
    assert text.walks <= 2
