"""Is somebody in danger now? Then the answer names 112 at once.

A word for danger counts unless the sentence speaks of what may happen, what happens often, or what is long over.
"""

from __future__ import annotations

import re

_NOW = re.compile(
    r"\b(?:(?:sedang|lagi|masih|ada|terjadi|telah|baru\s+saja|barusan)\s+(?:terjadi\s+)?(?:ke?bakar(?:an)?|terbakar|longsor|tanah\s+longsor|banjir\s+bandang|perampokan|penculikan|begal|tawuran|pengeroyokan|ledakan)"
    r"|rumah(?:nya)?\s+(?:\w+\s+){0,2}(?:terbakar|kebakaran)|api\s+(?:makin|semakin|sudah|mulai|terus|masih)?\s*(?:membesar|merambat|menjalar|besar)"
    r"|kebakaran\s+(?:besar|hebat|rumah|pasar|gudang|toko|pabrik|ruko|hutan|lahan|di)|kebakaran[!.]|^\W*kebakaran"
    r"|(?:orang|anak|bayi|balita|korban|warga|ibu|bapak|nenek|kakek|bocah|santri|siswa|teman|suami|istri)\s+(?:\w+\s+){0,2}(?:tenggelam|hanyut|terseret|tertimbun|terjebak|tertimpa|kesetrum|tersetrum|tersengat|pingsan|sekarat|kejang|sesak\s+napas|jatuh\s+ke\s+sumur|disandera|diculik|keracunan)"
    r"|(?:tenggelam|hanyut|tertimbun|terseret\s+arus)\s+(?:di|oleh|dan|belum|air|longsor)"
    r"|longsor\s+(?:menimpa|menimbun|menutup|dan|di)|kecelakaan\s+(?:\w+\s+){0,3}(?:korban|luka|meninggal|parah|maut|beruntun)|(?:korban|luka)\s+(?:\w+\s+){0,2}(?:kecelakaan|tabrakan|tabrak\s+lari)"
    r"|(?:butuh|perlu|tolong|kirim|panggil(?:kan)?|minta)\s+(?:\w+\s+){0,2}(?:ambulan[cs]?e?|damkar|pemadam)|gas\s+(?:\w+\s+){0,2}(?:bocor|meledak)|(?:tabung|elpiji|lpg)\s+(?:\w+\s+){0,2}(?:meledak|bocor)"
    r"|kabel\s+(?:\w+\s+){0,3}(?:percikan|memercik|terbakar|menyetrum|nyetrum|setrum)|(?:kabel|tiang)\s+(?:listrik|pln)\s+(?:\w+\s+){0,2}(?:putus|roboh|jatuh|tumbang|menjuntai)|percikan\s+api"
    r"|(?:mau|akan|ingin|hendak|mencoba|percobaan)\s+bunuh\s+diri|(?:orang|warga|pelaku|preman)\s+(?:\w+\s+){0,2}(?:bawa|membawa|mengacungkan|ngamuk|mengamuk)\s+(?:\w+\s+)?(?:senjata|sajam|parang|celurit|pistol|golok)"
    r"|(?:dirampok|dibegal|dikeroyok|diperkosa|dibacok|ditusuk|dianiaya|kdrt)|darurat[!,]|(?:keadaan|kondisi|situasi|gawat)\s+darurat|gawat\s+darurat|banjir\s+(?:sudah|mencapai|setinggi|hingga)\s+(?:\w+\s+){0,2}(?:leher|atap|dada|plafon)"
    r"|(?:melahirkan|pendarahan|serangan\s+jantung)\s+(?:\w+\s+){0,4}(?:ambulan|sekarang|tolong|bantuan))",
)
_NOT_NOW = re.compile(
    r"\b(?:rawan|sering|kerap|takut|khawatir|kuatir|berpotensi|potensi|bisa|dapat|agar|supaya|jangan\s+sampai|mencegah|pencegahan|antisipasi|menghindari|bila|jika|kalau|apabila|seandainya|"
    r"kemarin|dulu|pernah|lalu|tahun|bulan|simulasi|sosialisasi|pelatihan|penyuluhan|laporan|kasus|unit|instalasi|igd|ugd|akibat|pasca|setelah|bekas|korban\s+kebakaran\s+belum|bantuan|"
    r"membahayakan|mengakibatkan|menyebabkan|rentan|nanti|takutnya|sebelum|santunan|kartu|puing|sisa|ditangani)\b",
)
_SENTENCE = re.compile(r"[.!?\n]+(?!\d)")
_STEMS = (
    "bakar", " api", "hanyut", "tenggelam", "timbun", "jebak", "timpa", "setrum", "sengat", "pingsan", "sekarat",
    "kejang", "sesak", "sumur", "culik", "racun", "seret", "longsor", "celaka", "korban", "ambulan", "damkar",
    "pemadam", " gas ", "tabung", "elpiji", "lpg", "kabel", "tiang", "bunuh", "rampok", "begal", "keroyok",
    "perkosa", "bacok", "tusuk", "aniaya", "kdrt", "darurat", "banjir", "tawuran", "ledak", "lahirkan",
    "darahan", "jantung", "sajam", "senjata", "parang", "celurit", "golok", "pistol", "sandera", "luka",
)  # fmt: skip
"""Without one of these nothing above can match."""
_INSIDE = tuple(stem for stem in _STEMS if stem.strip() == stem)
_BEGINNINGS = tuple(stem.strip() for stem in _STEMS if stem.strip() != stem)
"""Of a piece."""
_AROUND = 70
"""Characters before and after in which the sentence may take it back."""


def is_emergency(text: str) -> bool:
    """Of a text as it is read."""
    lower = text.lower()
    if not any(map(lower.__contains__, _STEMS)):
        return False
    return any(_NOT_NOW.search(_around(lower, match)) is None for match in _NOW.finditer(lower))


def may_be_danger(piece: str) -> bool:
    """Of what stands between two blanks: where none may, the text speaks of no emergency."""
    lower = piece.lower()
    return any(map(lower.__contains__, _INSIDE)) or lower.startswith(_BEGINNINGS)


def _around(text: str, match: re.Match[str]) -> str:
    before = _SENTENCE.split(text[max(0, match.start() - _AROUND) : match.start()])[-1]
    after = _SENTENCE.split(text[match.end() : match.end() + _AROUND])[0]
    return f"{before} {after}"
