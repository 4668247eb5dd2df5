"""The language of a text, on sentences made up for the tests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.knowledge.language import WORDS, language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Lampu jalan di depan rumah saya sudah padam sejak minggu lalu, mohon diperbaiki", "id"),
        ("Dalane rusak nemen pak, wis suwi ora ana sing ndandani, kapan arep didandani", "jv"),
        ("Kulo badhe matur, toyanipun sampun tigang dinten mboten mili wonten griya kulo", "jv"),
        ("Cai di imah kuring geus tilu poe teu ngocor, iraha rek dibebenerkeun kang", "su"),
        ("Hatur nuhun pak, jalan ka desa abdi parantos sae ayeuna mah", "su"),
        ("Lorong neng ada' bengko reya jhube', bannya' oreng labu, ampon abit ta' ebagusi", "mad"),
        ("Jalan di muko rumah ambo lah lamo rusak, indak ado nan mampeloki, baa ko pak", "min"),
        ("Margine ring arep umah tiang sampun suwe usak, nenten wenten sane menahin", "ban"),
        ("Jalan di muka rumah ulun sudah lawas rusak, kadada nang mambaiki, kayapa ini pang", "bjn"),
        ("Rot di keue rumoh lon ka treb reuloh, hana soe peugot, pakon that trep", "ace"),
        ("Masolang laleng engkae ri olo bolaku, de'gaga tau pedecengi, narekko bosi maega uwae", "bug"),
        ("The street lamp in front of my house has been broken for two weeks, please help", "en"),
        ("Gubeng Surabaya", "unknown"),
        ("12345 !!! 081200001234", "unknown"),
        ("", "unknown"),
    ],
)
def test_each_language_is_known_by_its_words(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "Mohon bantuannya pak, saluran air di Jalan Ngagel Jaya Selatan tersumbat",
        "jukir liar di ring road Sunggal medan",
        "Sungai di Pulo Kerto Gandus tercemar minyak",
        "Warga Griya Kebraon Tengah minta lampu PJU, terima kasih mas dan mbak admin",
        "Pak Made dan Bu Ketut dari Banjar Sari minta jalan desa diaspal",
        "kapan bansos cair di Desa Cibiru Wetan, sudah tiga bulan tidak ada kabar",
        "kebakaran di jl kandea lorong 7 kec bontoala, api besar tolong damkar",
        "cakmano ini, lampu di lorong kami mati galo, dak katek yang benerin",
        "Mas Agus dari Sidoarjo melaporkan truk parkir di depan sekolah",
    ],
)
def test_names_of_people_and_places_make_no_regional_language(text: str) -> None:
    assert language_of(text) == "id"


def test_two_languages_in_one_text_are_mixed() -> None:
    text = (
        "Saya mau lapor bahwa jalan ini sudah lama tidak diperbaiki dan belum ada tindakan dengan alasan anggaran. "
        "Wis suwi ora ana sing ndandani, piye iki lur, kapan arep didandani, aku wis kesel nunggu"
    )
    assert language_of(text) == "mixed"


def test_addresses_speak_for_no_language() -> None:
    assert language_of("@sing_iki #wis https://ora.ana/sing/wis") == "unknown"


@given(st.text(max_size=200))
def test_any_text_has_an_answer(text: str) -> None:
    assert language_of(text) in {*WORDS, "mixed", "unknown"}
