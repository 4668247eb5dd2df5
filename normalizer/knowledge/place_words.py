"""Words that say something of the name beside them, and everyday words that are names too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from normalizer.knowledge.gazetteer import DISTRICT, PROVINCE, REGENCY, VILLAGE
from normalizer.knowledge.tokens import Words
from normalizer.knowledge.word_lists import word_lists, words_of

ORDINARY = words_of(word_lists("words")["words"]["ordinary"])
FUNCTION_WORDS = words_of(word_lists("languages")["languages"]["id"])
EVERYDAY = words_of(word_lists("place_names")["words"]["everyday"])
ORDINARY_REGENCIES = words_of(word_lists("place_names")["words"]["ordinary"])
BESIDE = frozenset(["administrasi", "adm", "kota", "kabupaten", "kab"])
"""Words between a marker and its name."""
CITY = frozenset(["kota", "kabupaten", "kab"])
POSITIONS, LANES, LANE_SIGNS, ESTATES, BEFORE_ESTATES, AFTER = (
    words_of(word_lists("place_names")["words"][name])
    for name in ("positions", "lanes", "lane_signs", "estates", "before_estates", "after")
)


class Marker(NamedTuple):
    """What a word before a name says of it."""

    levels: tuple[int, ...]
    city: bool | None = None
    street: bool = False


def _marked(words: str, marker: Marker) -> dict[str, Marker]:
    return dict.fromkeys(words.split(), marker)


MARKERS: Mapping[str, Marker] = {
    **_marked("kec kecamatan kecamatn kcmtn kacamatan distrik camat kapanewon kemantren", Marker((DISTRICT,))),
    **_marked(
        "kel kelurahan klurahan lurah ds desa dsa nagari gampong pekon kades kalurahan tiyuh kepenghuluan ohoi",
        Marker((VILLAGE,)),
    ),
    **_marked("kab kabupaten kabupatan kbptn pemkab bupati regency", Marker((REGENCY,), city=False)),
    **_marked("kota kotamadya kodya pemkot walikota wali", Marker((REGENCY,), city=True)),
    **_marked("provinsi propinsi prov prop pemprov gubernur", Marker((PROVINCE,))),
    **_marked(
        "jl jln jalan jlan gg gang perum perumahan komplek kompleks jembatan raya kp kampung", Marker((), street=True)
    ),
}


def marker_before(words: Words, at: int) -> Marker | None:
    return MARKERS.get(words.words[at - 1]) if at else None
