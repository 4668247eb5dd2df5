"""Thanks and greetings: messages that report nothing, by word lists. One word beyond the lists makes it a report."""

from __future__ import annotations

import re

from schemas import Sort

_WORD = re.compile(r"[^\W_]+")
_LONGEST = 80
"""Characters; a longer text says more."""
_THANKS = """
terima kasih terimakasih trimakasih trimakasi makasih makasi mksh trims tks thx thanks thank nuwun suwun nuhun
ok oke okay okey baik siap sip iya y ya noted
"""
_GREETINGS = """
p halo hallo hai hi hello tes test testing ping assalamualaikum assalamu alaikum alaikumsalam waalaikumsalam salam
selamat pagi siang sore malam permisi punten shalom swastiastu
"""
_COMPANIONS = """
banyak pak bu bapak ibu min admin kak mas mbak bang gan bos dan atas sekali kembali sebelumnya bantuannya infonya
informasinya responnya jawabannya kerjasamanya perhatiannya semuanya you so much matur hatur om wr wb wrwb ww
"""
_SORTS: dict[str, Sort] = {
    **dict.fromkeys(_GREETINGS.split(), "greeting"),
    **dict.fromkeys(_THANKS.split(), "thanks"),
}
_BESIDE = frozenset(_COMPANIONS.split())


def classify_courtesy(text: str) -> Sort:
    """`thanks` or `greeting`; `unknown` where the text says more, or nothing. `text` is cleaned."""
    words = _WORD.findall(text.lower()) if len(text) < _LONGEST else ["…"]
    if text and not words:  # signs and emoji only
        return "greeting" if "?" in text else "thanks"
    sorts = {_SORTS.get(word, "unknown") for word in words if word not in _BESIDE}
    if not sorts or "unknown" in sorts:
        return "unknown"
    return "thanks" if "thanks" in sorts else "greeting"
