"""Whether a message in an open conversation is about another matter: by place and words, not by time alone.

A burst, a supplement, an answer to a question and a caption go on with what is open. A new matter has a sentence of its
own, another place than the report that opened the thread, and hardly one of its words. Where that report names no
place, a place may be the answer that is missing: then a new matter is one of another category that its sender announces
("mau lapor …"), or that begins with a thing of its own ("Sampah di Jalan Kenanga …"): an answer begins with the place.
A greeting tells nothing, after whatever pause: of twenty additions that begin with one, ten would be taken for new.
"""

from __future__ import annotations

import re
from datetime import timedelta

from msgspec.structs import replace

from normalizer.courtesy import COMPANIONS, GREETINGS
from normalizer.incidents_likeness import NOT_KNOWN, place_relation
from normalizer.incidents_profile import Hashes, everyday_words, matter_of, names_behind, unpack, word_hash
from schemas import Message
from schemas.memory import Profile, Thread

BURST = timedelta(minutes=2)
"""Messages within it are one thought."""
_SENTENCE = 5
"""Words."""
_REGENCY = len("35.78")
_SHARED = 0.25
"""Of the words about the matter, at most."""
_WORD = re.compile(r"[^\W_]+")
_GOES_ON = re.compile(
    r"\b(?:tambahan|(?:me)?nambah(?:kan)?|susulan|lanjut(?:an|kan)?|masih|tadi|tersebut|tsb|laporan (?:saya|kami|sy)|"
    r"(?:sudah|sdh|telah) (?:saya |sy )?lapor(?:kan)?|ralat|maksud(?:nya)?|lokasi(?:nya)?|alamat(?:nya)?|"
    r"di ?situ|tolong segera|update|perkembangan(?:nya)?|foto(?:nya)?|terlampir|mohon tanggapan(?:nya)?|"
    r"belum (?:juga |ada )?(?:ditanggapi|tanggapan|diperbaiki|respon))\b",
    re.IGNORECASE,
)
"""Words that refer to what was written before."""
_ANNOUNCES = re.compile(
    r"\b(?:mau|mw|ingin|pengen|pingin|izin|ijin|hendak|numpang|akan|bermaksud) (?:saya |sy |kami )?"
    r"(?:(?:me)?lapor(?:kan)?|(?:meng)?adu(?:kan)?)\b(?!(?:\W+(?:pak|bu|min|admin|lagi|ya))*\W+"
    r"(?:di|d|ke|dari|daerah|wilayah|kawasan|sekitar|dekat|depan|yang|yg)\b)",
    re.IGNORECASE,
)
"""That a report comes, as "mau lapor"; not that one was made, nor where."""
_PLACE_WORDS = """
di d ke dari ning neng ing teng ring ka arah simpang daerah wilayah kawasan sekitar dekat dkt depan dpn belakang samping
sebelah seberang jl jln jalan gg gang lorong lrg kampung kp dusun desa ds kelurahan kel kecamatan kec distrik kompleks
komplek perum perumahan
"""
_SAY_NOTHING = """
sudah sdh belum tidak tdk ada pak bapak ibu mohon tolong segera saya kami warga jalan jalanan hari minggu bulan tahun
kemarin pagi siang sore malam sekali sangat banyak sampai mati padam rusak parah masuk
"""
"""They may be said of any matter."""
_THINGS = """
lampu pju penerangan sampah saluran selokan got drainase gorong irigasi pohon pipa listrik tiang kabel bansos
pkh blt bpnt ktp akta akte bpjs pupuk parkir balapan pungli anjing
"""
"""Things that a report may begin with. An answer to the question for the place begins with the place."""
_SUBJECTS = frozenset(_THINGS.split())
_ADDRESSES = COMPANIONS | GREETINGS | frozenset(["mohon", "tolong", "ada", "minta", "izin"])
_COMPLETE = 6
"""Words."""
_REFERS = re.compile(r"\b(?:itu|juga|jadi|sehingga|akibat|sebab|karena|krn|gara|saya|kami|\w{3,}nya)\b", re.IGNORECASE)
"""In a message that may go on with another: what follows from it, or is the sender's own."""
_BEFORE_PLACE = frozenset(_PLACE_WORDS.split())
"""Of Indonesian and of its neighbours."""


def opens_new_matter(message: Message, profile: Profile | None, thread: Thread) -> bool:
    """Whether it shall be a complaint of its own. False where the thread's own report names no matter."""
    opened = thread.profile and _located(thread.profile, thread.region)
    if profile is None or opened is None or message.received_at - thread.last_at < BURST:
        return False
    if len(message.clean_text.split()) < _SENTENCE or _GOES_ON.search(message.clean_text):
        return False
    place = names_behind(message.clean_text, _BEFORE_PLACE) - everyday_words()
    if _other_place(profile, opened, bool(place)):
        return _other_matter(profile, opened)
    names_place = bool(place or profile.place or _names(profile))
    if not (names_place and _names_no_place(opened) and _other_category(profile, opened)):
        return False
    return bool(_ANNOUNCES.search(message.clean_text)) or _begins_with_thing(message.clean_text, opened)


def _located(opened: Profile, region: str | None) -> Profile:
    """With the district or village that an addition gave to the report."""
    if opened.place or opened.lat is not None or region is None or len(region) <= _REGENCY:
        return opened
    return replace(opened, place=region)


def _begins_with_thing(text: str, opened: Profile) -> bool:
    """ "Sampah di Jl. Kenanga menumpuk": a report in itself, about a thing that the open one does not name."""
    words = _WORD.findall(text.lower())
    first = next((word for word in words if word not in _ADDRESSES), "")
    if len(words) < _COMPLETE or first not in _SUBJECTS or _REFERS.search(text):
        return False
    return word_hash(first) not in unpack(opened.words).text


def _names(profile: Profile) -> Hashes:
    return unpack(profile.words).names - everyday_words()


def _names_no_place(opened: Profile) -> bool:
    return not (opened.place or opened.lat is not None or unpack(opened.words).streets)


def _other_category(one: Profile, other: Profile) -> bool:
    """Of two that are known, with no word in both but those that say nothing."""
    if not (one.category and other.category) or one.category == other.category:
        return False
    return unpack(one.words).matter & unpack(other.words).matter <= matter_of(_SAY_NOTHING)


def _other_place(one: Profile, other: Profile, names_place: bool) -> bool:
    """By their regions; else by names, of which one must stand as a place's does: in a language that no list knows
    every word is a name."""
    relation = place_relation(one, other)
    if relation != NOT_KNOWN or not names_place:
        return relation < NOT_KNOWN
    here, there = _names(one), _names(other)
    return bool(here and there) and not here & there and not _names_no_place(other)


def _other_matter(one: Profile, other: Profile) -> bool:
    """Other categories, where both are known, or words: an address such as "pak" may be in both."""
    here, there = unpack(one.words).matter, unpack(other.words).matter
    few, known = _SHARED * min(len(here), len(there)), bool(one.category and other.category)
    if known and one.category == other.category:
        return False
    return len(here & there) <= (max(few, 1) if known else few) and (known or bool(here and there))
