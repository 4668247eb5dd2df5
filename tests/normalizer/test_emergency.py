"""Somebody in danger now, told apart from what may happen, what happened, and what happens often."""

from __future__ import annotations

import pytest

from tests.normalizer.stage import message
from tests.normalizer.test_read import one


@pytest.mark.parametrize(
    "text",
    [
        "tolong ada kebakaran di Pasar Baru, api makin besar",
        "rmh tetangga kebakarannn tolonggg",
        "anak hanyut di sungai cikapundung tolong cepat",
        "kabel listrik putus di depan sd, ada percikan api",
        "pohon tumbang, orang tertimpa di jalan dago",
        "longsor menimbun dua rumah, warga terjebak",
        "kecelakaan beruntun korban luka parah belum ada ambulans",
        "tolong kirim ambulans, ibu saya pingsan",
        "bau gas bocor dari rumah sebelah",
        "banjir sudah setinggi dada, nenek terjebak di rumah",
        "barusan ada tabrakan, korban masih tergeletak di jalan",
        "pohon tumbang menimpa mobil, ada orang di dalam",
        "anak 2 tahun hanyut di selokan, tolong",
        "butuh bantuan, ada kebakaran di gang sebelah",
        "galodo di hulu, banyak urang tajabak",
        "omah kobong mas, tulung",
        "gas bocor baunya menyengat di perum blok C",
        "Api makin membesar di pasar",
        "(gas bocor) di warung sebelah",
        "Banjir di Andir, sudah setinggi dada, butuh evakuasi, ada lansia!",
        "air masuk rumah setinggi leher",
        "kami terjebak di lantai 2, tolong evakuasi",
        "suami saya memukul saya dan anak, saya takut pak",
        "saya dipukuli suami tolong",
        "tetangga saya sedang memukuli istrinya, tolong polisi",
        "saya diancam pakai pisau di depan rumah",
        "anak saya digigit ular",
        "keracunan makanan di SD 3, puluhan siswa muntah",
        "jembatan putus, ada motor jatuh ke sungai",
        "kabel listrik putus menjuntai, warga takut",
        "hutan terbakar, api mendekati permukiman",
        "Ada urang tinggalam di sungai bawah jembatan, ancap tulung!!",
        "Aer so sampe di dada, oma masih di rumah, tolong evakuasi",
        "ada anak hanyuik di batang arau, tolong",
        "bocah keli ning kali, tulung",
        "tulong, rumoh tutong di Lampriet",
        "gempa besar barusan, rumah roboh",
        "bus masuk jurang di Enrekang",
        "motor masuk selokan orangnya tidak sadar",
        "orang mabuk palang jalan bawa parang di Hamadi",
    ],
)
def test_danger_now_is_flagged(text: str) -> None:
    assert one(message("1", text)).emergency


@pytest.mark.parametrize(
    "text",
    [
        "jalan ini rawan kecelakaan, sudah banyak korban luka",
        "pohon tua bisa menimpa orang, mohon dipangkas",
        "takut kebakaran karena kabel semrawut",
        "kebakaran bulan lalu, bantuan belum turun",
        "lampu jalan mati sejak kemarin",
        "pelayanan IGD instalasi gawat darurat lambat",
        "sosialisasi pencegahan kebakaran di kelurahan",
        "sering banjir kalau hujan",
        "gedung ini tidak punya alat pemadam kebakaran di lantai 2",
        "hidran untuk kebakaran di pasar tidak ada airnya",
        "warga terjebak macet berjam-jam",
        "persimpangan ini sudah memakan banyak korban kecelakaan",
        "sampah ini sudah menjadi kondisi darurat yang perlu diatasi",
        "minta ambulan untuk posyandu",
        "jalan longsor diperbaiki asal-asalan",
        "warga memelihara kelinci, kotorannya bau",
        "orang yang tidak sadar lingkungan membuang sampah",
        "hydrant kebakaran di jl pemuda rusak, mohon dicek",
        "alarm kebakaran di pasar tidak berfungsi",
        "mohon evakuasi sarang tawon di rumah",
        "minta jalur evakuasi tsunami diperbaiki",
        "banjir tahun lalu setinggi dada",
        "lampu mati dari pukul 7, warga takut jatuh",
    ],
)
def test_what_may_be_or_is_over_is_not(text: str) -> None:
    assert not one(message("1", text)).emergency
