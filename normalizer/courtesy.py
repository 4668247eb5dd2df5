"""Thanks and greetings in Indonesian and its neighbours: messages that report nothing, by word lists. One word beyond
the lists makes it a report."""

from __future__ import annotations

import re

from schemas import Sort

_WORD = re.compile(r"[^\W_]+")
_LONGEST = 80
"""Characters; a longer text says more."""
_THANKS = """
terima kasih terimakasih trimakasih trimakasi makasih makasi mksh trims tks thx thanks thank nuwun suwun nuhun
makase makaseh tarima tarimo tarimakasih suksma suksema mauliate danke teurimong geunaseh gaseh tampiasih tampiaseh
sakalangkong kurru sumange epanggawang amanai bujur
ok oke okay okey baik siap sip iya y ya noted nggih inggih enggih muhun iye iyo
"""
_GREETINGS = """
p halo hallo hai hi hello tes test testing ping assalamualaikum assalamu alaikum alaikumsalam waalaikumsalam salam
selamat slamat met pagi siang sore malam permisi punten shalom swastiastu swastyastu tabe tabik tabea horas menjuah
mejuah juah kulonuwun kulanuwun sampurasun rampes wilujeng enjing sonten wengi sugeng enjang siyang dalu rahajeng
semeng
"""
_BESIDE = """
banyak pak bu bapak ibu min admin kak mas mbak bang gan bos dan atas sekali kembali sebelumnya bantuannya infonya
informasinya responnya jawabannya kerjasamanya perhatiannya semuanya you so much matur hatur om wr wb wrwb ww
bapa mama mace pace bang abang bg uda uni ces daeng kanda ajik bli mbok om tante kaka lai ate samo sanget pisan
"""
_SORTS: dict[str, Sort] = {
    **dict.fromkeys(_GREETINGS.split(), "greeting"),
    **dict.fromkeys(_THANKS.split(), "thanks"),
}
GREETINGS = frozenset(_GREETINGS.split())
COMPANIONS = frozenset(_BESIDE.split())
"""Forms of address, and other words that stand beside greetings and thanks."""


def classify_courtesy(text: str) -> Sort:
    """`thanks` or `greeting`; `unknown` where the text says more, or nothing. `text` is cleaned."""
    words = _WORD.findall(text.lower()) if len(text) < _LONGEST else ["…"]
    if text and not words:  # signs and emoji only
        return "greeting" if "?" in text else "thanks"
    sorts = {_SORTS.get(word, "unknown") for word in words if word not in COMPANIONS}
    if not words or "unknown" in sorts:
        return "unknown"
    return "thanks" if "thanks" in sorts else "greeting"  # "Pak min" alone greets too
