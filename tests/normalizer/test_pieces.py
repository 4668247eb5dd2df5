"""What a text's pieces hint at leaves out only rules that find nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.clean import clean
from normalizer.knowledge.emergency import is_emergency
from normalizer.knowledge.pieces import read_pieces
from normalizer.knowledge.slang import read_text
from schemas.personal import personal_spans

SIGNS = (
    "nama saya", "a. n", "a / n", "an :", "an .", "a.n", "Bpk.", "(Pak", "salam ,\n", "hormat saya,", "Terima kasih\n",
    "cp", "h.", "Budi", "Siti", "warga", "B 1234 XY", "nopol", "b 12 x", "081200001234", "x@y.co.id", "sari [at] x.id",
    "kebakarn", "rmh", "kbkran", "gas", "d benerin", "yg", "jln.", "API", "bocor", "tabung", "\u0130", "dgn", "/", ".",
)  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(SIGNS), st.text(max_size=5)), max_size=14).map(" ".join).map(clean)


@given(TEXTS)
def test_a_text_is_read_as_without_hints(text: str) -> None:
    found = read_pieces(text)
    assert found.text == read_text(text)
    assert personal_spans(found.text, found.personal) == personal_spans(found.text)
    assert found.danger or not is_emergency(found.text)


@pytest.mark.parametrize(
    ("text", "read"),
    [("jln rsk", "jln rsk"), ("rmh kebakaran jln rsk", "rumah kebakaran jalan rusak")],
    ids=["nothing dangerous", "danger"],
)
def test_without_marks_only_a_text_that_may_be_dangerous_is_written_out(text: str, read: str) -> None:
    assert read_pieces(text, annotates=False).text == read
