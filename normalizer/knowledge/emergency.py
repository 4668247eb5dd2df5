"""Is somebody in danger now? Then the answer names 112 at once.

A word for danger counts unless the sentence speaks of what may happen, what happens often, or what is long over.
"""

from __future__ import annotations

import re

_FIRE = (
    r"(?<!pemadam\s)(?<!untuk\s)(?<!korban\s)(?<!bahaya\s)(?<!keterangan\s)(?<!hydrant\s)(?<!hidran\s)(?<!alarm\s)"
    r"(?<!asuransi\s)kebakaran"
)
_PEOPLE = "orang|korban|pasien|warga|anak|bayi|ibu|bapak|istri|suami|nenek|kakek"
_FOR_PEOPLE = rf"(?!\s+(?:desa|gratis|siaga|(?:untuk|buat)\s+(?!{_PEOPLE})))"
"""What fetches no one: "untuk memotong pohon"."""
_IN_WATER = r"tinggalam|kelelep|keli\b|kintir\b|hanyui[ak]|tabanam|titeuleum|palid"
"""Drowning and swept away, in Banjarese, Javanese, Minangkabau and Sundanese."""
_RESCUE = (
    r"(?:banjir|air|rob)\b[^.!?\n]{0,60}\b(?:(?:setinggi|sampai|hingga|mencapai)\s+(?:\w+\s+)?(?:dada|leher|atap|plafon)|se(?:dada|leher|atap))\b"
    r"|(?:butuh|perlu|tolong|minta|mohon|segera)\s+(?:tim\s+|bantu(?:an)?\s+|segera\s+)?(?:di\s?)?evakuasi\b(?!\s+(?:\w+\s+)?(?:pohon|sarang|tawon|sampah|bangkai|kucing|anjing|ular|mobil|motor|kendaraan|tiang|kabel))"
    r"|(?:butuh|perlu|tolong|kirim|minta)\s+(?:\w+\s+)?perahu\s+karet\b"
    r"|(?:kami|kita|saya)\s+(?:\w+\s+){0,2}(?:terjebak|kejebak)\s+(?:banjir|api|kebakaran|longsor|di\s+(?:lantai|atap|lift|rumah|dalam))"
    r"|(?:motor|mobil|truk|bus|pengendara|pemotor)\s+(?:\w+\s+){0,2}(?:jatuh|tercebur|kecebur|nyemplung|terjun)\s+ke\s+(?:sungai|kali|laut|danau|waduk)\b"
)
_VIOLENCE = (
    r"(?:suami|istri|ayah|bapak|ibu|pacar|mantan|majikan|tetangga)(?:nya|ku)?\s+(?:\w+\s+){0,2}(?:memukuli?|mukulin?|menyiksa|nyiksa|mencekik)\s+(?:saya|aku|anak|ibu|istri|suami|bayi|adik|kakak)"
    r"|(?:saya|aku|ibu|istri|anak|adik|kakak|tetangga)(?:nya)?\s+(?:\w+\s+){0,2}(?:dipukuli|disiksa|dicekik|diancam\s+(?:pakai|pake|dengan)\s+(?:pisau|senjata|parang|golok|celurit|pistol))\b"
)
_NOW = re.compile(
    r"\b(?:(?:sedang|lagi|masih|ada|terjadi|telah|baru\s+saja|barusan)\s+(?:terjadi\s+)?(?:ke?bakar(?:an)?|kobong(?:an)?|kahuruan|kaduruk|terbakar|longsor|tanah\s+longsor|banjir\s+bandang|galodo|perampokan|penculikan|begal|tawuran|pengeroyokan|ledakan)\b"
    r"|(?:barusan|baru\s+saja)\s+(?:ada\s+|terjadi\s+)?(?:tabrakan|kecelakaan)|(?:kelompok|sekelompok|pemuda|remaja|pelajar|anak)\s+(?:\w+\s+){0,3}tawuran|korban\s+(?:\w+\s+){0,2}(?:tergeletak|terjepit|bersimbah)|galodo\b|(?:ada|ancaman|teror)\s+bom\b(?!\s+(?:waktu|air))"
    r"|(?:rumah|omah|imah|umah|rumoh|bola)\w*\s+(?:\w+\s+){0,2}(?:kobong|kobongan|kahuruan|kaduruk|tabaka|tabakar|puun|tutong|nanre)\b|(?:kapal|perahu|klotok|kelotok|ketinting)\s+(?:\w+\s+){0,2}(?:tenggelam|terbalik|karam)\b"
    r"|(?:pohon|tiang|tebing|tembok|baliho|bangunan|atap)\s+(?:\w+\s+){0,3}menimpa\s+(?:\w+\s+){0,2}(?:orang|warga|pengendara|pengguna|anak|mobil|motor|rumah)\b"
    rf"|ad[ao]\s+(?:yang\s+|nang\s+|nan\s+|orang\s+|urang\s+|warga\s+)?(?:ketimbun|kejebak|tertimbun|tenggelam|hanyut|kesetrum|tersetrum|tersengat|keracunan|pingsan|kejang|terjepit|kejepit|tatanam|gantung\s+diri|{_IN_WATER})\b|(?:mau|akan|hendak|ingin)\s+(?:lompat|loncat|terjun|melompat)\s+dari"
    r"|(?:rumah(?:nya)?|hutan|lahan|gudang|pasar|ruko|toko|pabrik|kapal|mobil|motor|bus)\s+(?:\w+\s+){0,2}terbakar|rumah(?:nya)?\s+(?:\w+\s+){0,2}kebakaran|api\s+(?:makin|semakin|sudah|mulai|terus|masih)?\s*(?:membesar|merambat|menjalar|mendekat|besar)"
    rf"|{_RESCUE}|{_VIOLENCE}|(?:digigit|dipatuk)\s+ular\b|keracunan\s+(?:makanan|massal|gas)\b"
    rf"|{_FIRE}\s+(?:besar|hebat|rumah|pasar|gudang|toko|pabrik|ruko|hutan|lahan|di)\b|{_FIRE}[!.]|^\W*kebakaran(?!\s+jenggot)"
    rf"|(?:orang|urang|ureueng|wong|anak|bayi|balita|korban|warga|penumpang|ibu|bapak|nenek|kakek|oma|opa|bocah|budak|santri|siswa|teman|suami|istri)(?:nya)?\s+(?:\w+\s+){{0,2}}(?:{_IN_WATER}|tidak\s+sadar(?:kan\s+diri\b|(?=\W*$|[,.!]))|tenggelam|hanyut|terseret|tertimbun|terjebak|tertimpa|ketimbun|kesetrum|tersetrum|tersengat|pingsan|sekarat|kejang|sesak\s+napas|jatuh\s+ke\s+sumur|disandera|diculik|keracunan)(?!\s+(?:macet|kemacetan|antrean|berjam))"
    r"|(?:tenggelam|hanyut|tertimbun|karam|terseret\s+arus)\s+(?:di|oleh|dan|belum|air|longsor)\b"
    r"|longsor\s+(?:menimpa|menimbun|menutup|dan|di)\b|kecelakaan\s+(?:\w+\s+){0,3}(?:korban|luka|meninggal|parah|maut|beruntun)|(?:korban|luka)\s+(?:\w+\s+){0,2}(?:kecelakaan|tabrakan|tabrak\s+lari)"
    rf"|(?:butuh|perlu|tolong|kirim|panggil(?:kan)?|minta)\s+(?:\w+\s+){{0,2}}(?:ambulan[cs]?e?|damkar|pemadam)\b{_FOR_PEOPLE}|kebocoran\s+gas|gas\s+(?:\w+\s+){{0,2}}(?:bocor|meledak)|(?:tabung|elpiji|lpg)\s+(?:\w+\s+){{0,2}}(?:meledak|bocor)"
    r"|kabel\s+(?:\w+\s+){0,3}(?:percikan|memercik|terbakar|menyetrum|nyetrum|setrum)|(?:kabel|tiang)\s+(?:listrik|pln)\s+(?:\w+\s+){0,2}(?:putus|roboh|jatuh|tumbang|menjuntai)|percikan\s+api"
    r"|(?:mau|akan|ingin|hendak|mencoba|percobaan)\s+bunuh\s+diri|(?:orang|warga|pelaku|preman)\s+(?:\w+\s+){0,4}(?:bawa|membawa|mengacungkan|ngamuk|mengamuk)\s+(?:\w+\s+)?(?:senjata|sajam|parang|celurit|pistol|golok)"
    r"|(?:dirampok|dibegal|dikeroyok|diperkosa|dibacok|ditusuk|dianiaya|kdrt)|(?:ini|tolong|sos)\s+darurat\s*[!,]|(?:keadaan|kondisi|situasi|gawat)\s+darurat(?=\W*$|!|[\s,]+(?:tolong|mohon|segera|butuh|cepat))|(?:banjir|air|aer|aek|aia|aie|banyu)\s+(?:sudah|so|su|lah|wis|mencapai|setinggi|hingga|sampai)\s+(?:\w+\s+){0,2}(?:se)?(?:leher|atap|dada|plafon)\b"
    r"|(?:kereta|bus|angkot|pesawat)\s+(?:\w+\s+){0,2}(?:anjlok|terguling|terbalik|jatuh)\b|(?:masuk|ke)\s+jurang\b|gempa\s+(?:\w+\s+){0,2}(?:barusan|baru\s+saja)|tsunami!"
    r"|(?:nemu|menemukan|ditemukan)\s+(?:\w+\s+)?mayat\b|ada\s+(?:mayat\s+(?:di|orang|bayi|mengapung)|bayi\s+(?:\w+\s+)?dibuang)\b"
    r"|(?:melahirkan|pendarahan|serangan\s+jantung)\s+(?:\w+\s+){0,4}(?:ambulan|sekarang|tolong|bantuan))",
)
_NOT_NOW = re.compile(
    r"\b(?:rawan|sering|kerap|takut(?!\W*$|[.,!]|\s+(?:pak|bu|kak|min|sekali|banget)\b)|khawatir|kuatir|berpotensi|potensi|(?<!tidak\s)(?:bisa|dapat)|hampir|terancam|memicu|picu|hoaks?|hoax|memakan|menelan|timbul|beberapa\s+kali|berkali|agar|supaya|jangan\s+sampai|mencegah|pencegahan|antisipasi|menghindari|bila|jika|kalau|apabila|seandainya|"
    r"kemarin|dulu|pernah|lalu|tahun|bulan|tanggal|terjadinya|hutang|utang|gaji|simulasi|sosialisasi|pelatihan|penyuluhan|laporan(?!\s*[:,]|\s+ada\b)|kasus|unit|instalasi|igd|ugd|akibat|pasca|setelah|bekas|korban\s+kebakaran\s+belum|(?<!butuh\s)(?<!minta\s)(?<!perlu\s)(?<!mohon\s)(?<!tolong\s)(?<!kirim\s)bantuan|"
    r"membahayakan|mengakibatkan|menyebabkan|rentan|nanti|takutnya|sebelum|santunan|kartu|puing|sisa|ditangani)\b",
)
_AGE = re.compile(
    r"\b(?:anak|bayi|balita|bocah|usia|umur|berusia|berumur|perempuan|laki-laki)\s+(?:\w+\s+)?\d+\s+(?:tahun|bulan)\b"
)
"""No time that is over: "anak 2 tahun hanyut"."""
_SENTENCE = re.compile(r"[.!?\n]+(?!\d)")
_STEMS = (
    "bakar", " api", "hanyut", "tenggelam", "timbun", "jebak", "timpa", "setrum", "sengat", "pingsan", "sekarat",
    "kejang", "sesak", "sumur", "culik", "racun", "seret", "longsor", "celaka", "korban", "ambulan", "damkar",
    "pemadam", " gas ", "tabung", "elpiji", "lpg", "kabel", "tiang", "bunuh", "rampok", "begal", "keroyok",
    "perkosa", "bacok", "tusuk", "aniaya", "kdrt", "darurat", "banjir", "tawuran", "ledak", "lahirkan",
    "darahan", "jantung", "kobong", "huruan", "duruk", "tabaka", "puun", "galodo", "karam", "kejebak", "geletak",
    "nimpa", "jepit", " bom ", "terbalik", "lompat", "loncat", "leher", " dada", " atap", "plafon",
    "tinggalam", "kelelep", " keli ", " kintir", "hanyui", "tabanam", "titeuleum", "palid", "tutong", "nanre",
    "tatanam", " gantung ", " sadar", "anjlok", "guling", "jurang", "gempa", "tsunami", "mayat", " bayi ",
    "sajam", "senjata", "parang", "celurit", "golok", "pistol", "sandera", "luka", "evakuasi", "perahu", "cebur",
    "cemplung", "nyemplung", "pukul", "mukul", "siksa", "cekik", "ancam", "gigit", "patuk", " jatuh", " terjun",
    "sedada", "seatap",
)  # fmt: skip
"""Without one of these nothing above can match."""
_INSIDE = tuple(stem for stem in _STEMS if stem.strip() == stem)
_THREES = frozenset(stem[:3] for stem in _INSIDE)
"""Their first letters, without which a word is told to hold none in a third of the time: most words are new once."""
_BEGINNINGS = tuple(stem.strip() for stem in _STEMS if stem.strip() != stem)
"""Of a piece."""
_SIGNS = "\"'([{<*_~-.,:;!?/"
_AROUND = 70
"""Characters before and after in which the sentence may take it back."""


def is_emergency(text: str) -> bool:
    """Of a text as it is read."""
    lower = text.lower()
    return any(_NOT_NOW.search(_around(lower, match)) is None for match in _NOW.finditer(lower))


def may_be_danger(piece: str) -> bool:
    """Of what stands between two blanks: where none may, the text speaks of no emergency."""
    lower = piece.lower()
    if lower.lstrip(_SIGNS).startswith(_BEGINNINGS):
        return True
    threes = [lower[at : at + 3] for at in range(len(lower) - 2)]
    return not _THREES.isdisjoint(threes) and any(map(lower.__contains__, _INSIDE))


def _around(text: str, match: re.Match[str]) -> str:
    """The rest of the sentence: "pohon (hampir roboh) menimpa rumah" too."""
    before = _SENTENCE.split(text[max(0, match.start() - _AROUND) : match.start()])[-1]
    after = _SENTENCE.split(text[match.end() : match.end() + _AROUND])[0]
    inside = " ".join(_AGE.sub("", match[0]).split()[1:-1])
    return f"{_AGE.sub('', before)} {inside} {_AGE.sub('', after)}"
