"""Word lists, the linear model, its calibration, and what is learned from decided reports."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.models import cold_classifier, load_classifier
from normalizer.models.calibration import FEW, PROMISED, threshold, wilson
from normalizer.models.classifier import extras_of
from normalizer.models.learning import CATEGORIES, Decided, try_classifier, try_offices
from normalizer.models.linear import Linear
from normalizer.models.manner import signs_of
from normalizer.models.office import LearnedOffices, StoredOffices, load_office_model, role_of, slug
from normalizer.models.sort_training import LabelledSort, try_sorts
from normalizer.models.training import Example, Recipe, fit
from schemas import Message, Place

ROADS = "Pekerjaan Umum dan Penataan Ruang"
ENERGY = "Energi dan Sumber Daya Alam"
VILLAGES = "Pembangunan Desa, Daerah Tertinggal, dan Transmigrasi"
PLACE = Place(code="35.78.01.1001", source="said")


@pytest.mark.parametrize(
    ("text", "top", "id"),
    [
        ("Jalan berlubang di depan pasar", ROADS, "1397"),
        ("PJU padam sudah seminggu, jalan gelap", ROADS, "1398"),
        ("KTP saya belum dicetak di disdukcapil", "Kependudukan", "963"),
        ("belum pernah dapat bansos BPNT padahal miskin", "Sosial dan Kesejahteraan", "957"),
        ("tumpukan sampah tidak diangkut, bau menyengat", "Lingkungan Hidup dan Kehutanan", "942"),
        ("air PDAM tidak mengalir dan keruh", ENERGY, "1618"),
        ("listrik PLN sering padam, kabel di tiang putus", ENERGY, "1602"),
        ("gas elpiji langka, antre solar di SPBU", ENERGY, "1011"),
        ("sinyal internet hilang, tower provider mati", "Teknologi Informasi dan Komunikasi", "1035"),
        ("korupsi dan suap di kantor", "Politik dan Hukum", "996"),
        ("kapan vaksin rabies gratis untuk anjing", "Kesehatan", "921"),
        ("riol tumpat di belakang surau", ROADS, "2397"),
        ("SPMB jalur zonasi anak saya ditolak", "Pendidikan dan Kebudayaan", "915"),
        ("aktivasi IKD gagal terus", "Kependudukan", "963"),
        ("keuchik tidak pernah buka laporan dana gampong", VILLAGES, "961"),
        ("pohon rimbun, mohon perantingan", "Lingkungan Hidup dan Kehutanan", "942"),
        ("pungli di sekolah SD, guru minta uang seragam siswa", "Pendidikan dan Kebudayaan", "915"),
    ],
)
def test_word_lists_name_a_category_of_the_tree(text: str, top: str, id: str) -> None:
    [found] = cold_classifier().classify([text])
    assert found.category is not None
    assert (found.category.top, found.category.id) == (top, id)
    assert 0 < (found.category.p or 0) < 1
    assert found.top[0] == found.category


def test_nothing_is_said_where_no_list_speaks() -> None:
    [found] = cold_classifier().classify(["xyz qwerty"])
    assert (found.category, found.top, found.report_class, found.sort) == (None, (), "unknown", "unknown")


@pytest.mark.parametrize(
    ("text", "report_class", "sort"),
    [
        ("Jalan rusak parah, tidak pernah diperbaiki", "complaint", "report"),
        ("Permohonan informasi\nMohon info syarat pindah domisili, apa saja?", "information_request", "question"),
        ("Usul dan saran agar dibuat taman bermain, semoga berkenan", "aspiration", "report"),
        ("Bantuan belum masuk ke rekening BRI saya, tidak ada kabar", "complaint", "report"),
        ("Parit di depan rumah tumpat, mohon dikeruk", "complaint", "report"),
        ("Kapan ada program ptsl lagi di desa itu?", "information_request", "question"),
        ("Terima kasih atas laporan Anda. Laporan telah kami teruskan ke Dinas PU", "unknown", "answer"),
        ("Laporan kami belum ditindaklanjuti juga, sudah sebulan", "complaint", "report"),
        ("Selamat! Nomor Anda pemenang undian berhadiah, hubungi kode PIN pemenang", "unknown", "fraud"),
        ("Promo spesial! dapatkan bonus kuota internetan, aktifkan sekarang", "unknown", "advertising"),
        ("Yuk sobat, ikuti sosialisasi dan webinar, narasumber dari inspektorat", "unknown", "publicity"),
    ],
)  # fmt: skip
def test_word_lists_name_class_and_sort(text: str, report_class: str, sort: str) -> None:
    [found] = cold_classifier().classify([text])
    assert (found.report_class, found.sort) == (report_class, sort)


@given(st.lists(st.text(max_size=60), max_size=6))
def test_an_answer_does_not_depend_on_the_texts_beside_it(texts: list[str]) -> None:
    classifier = cold_classifier()
    assert classifier.classify(texts) == [one for text in texts for one in classifier.classify([text])]


TEXTS = {
    "air": "air pdam tidak mengalir keruh kran",
    "jalan": "jalan aspal berlubang rusak motor",
    "sampah": "sampah menumpuk bau truk tidak angkut",
}


def examples(count: int) -> list[Example]:
    labels = sorted(TEXTS)
    return [Example(f"{TEXTS[labels[n % 3]]} rt {n % 7} rw {n % 5}", labels[n % 3]) for n in range(count)]


def test_what_was_learned_is_the_same_after_it_was_stored() -> None:
    made = fit(examples(90))
    assert made is not None
    again = Linear(msgspec.json.decode(msgspec.json.encode(made.stored), type=type(made.stored)))
    texts = [*TEXTS.values(), "", "hanya ini"]
    assert again.ranked(texts) == made.ranked(texts)
    assert [found[0].label for found in made.ranked(list(TEXTS.values()))] == sorted(TEXTS)
    assert sum(one.p for one in made.ranked(["air keruh"])[0]) == pytest.approx(1)


def test_a_learned_model_holds_no_word() -> None:
    made = fit(examples(90))
    assert made is not None
    assert b"pdam" not in msgspec.json.encode(made.stored)


def test_a_model_whose_features_are_numbered_otherwise_is_refused() -> None:
    trial = try_offices(decided(160), None, "7")
    assert trial.body is not None
    with pytest.raises(msgspec.ValidationError, match="run satupintu train"):
        load_office_model(trial.body.replace('"bits":22', '"bits":18'), lambda *candidate: candidate)


def test_one_label_is_no_choice() -> None:
    assert fit([Example("air keruh", "air")] * 50) is None


def test_the_threshold_keeps_its_promise_and_needs_rows() -> None:
    sure = [(0.9, True)] * 400 + [(0.5, n % 2 == 0) for n in range(400)]
    limit = threshold(sure)
    assert 0.5 < limit <= 0.9
    assert threshold(sure[: FEW - 1]) > 1
    assert threshold([(0.9, n % 3 == 0) for n in range(900)]) > 1


def test_wilsons_bound_is_below_the_share_and_nears_it() -> None:
    assert wilson(95, 100, 1)[0] < wilson(950, 1000, 1)[0] < 0.95


def decided(count: int) -> list[Decided]:
    names = {"air": ("1618", "Air"), "jalan": ("1397", "Jalan"), "sampah": ("942", "Sampah")}
    offices = {"air": ("pdam", "PDAM"), "jalan": ("x", "Kelurahan Mawar"), "sampah": ("dlh", "Dinas LH")}
    return [
        Decided(f"\n{one.text}", PLACE, "complaint", names[one.label], offices[one.label]) for one in examples(count)
    ]


def test_few_decided_reports_teach_nothing() -> None:
    trial = try_classifier(decided(50), cold_classifier(), "1")
    assert (trial.body, trial.rows) == (None, 50)


@pytest.mark.slow
def test_a_classifier_is_published_only_where_it_is_better() -> None:
    here = [row._replace(category=("77", "Lain")) if "pdam" in row.text else row for row in decided(160)]
    learned = try_classifier(here, cold_classifier(), "1")
    assert learned.better
    assert learned.body is not None
    made = load_classifier(learned.body)
    assert made.version.endswith("+1")
    again = try_classifier(here, made, "2")
    assert (again.better, again.after <= again.before) == (False, True)


@pytest.mark.slow
def test_a_category_without_any_decided_report_is_still_named_by_its_list() -> None:
    """A hundred reports of one place hold half of the tree at most."""
    rows = [
        Example(one.text, ROADS if one.label == "jalan" else one.label, extras_of(one.text)) for one in examples(90)
    ]
    asked = "harga pupuk petani naik, padi gagal panen"
    plain, listed = fit(rows, Recipe(0.4, bayes=0.45)), fit(rows, CATEGORIES)
    assert plain is not None
    assert listed is not None
    found = [model.ranked([asked], [extras_of(asked)])[0][0].label for model in (plain, listed)]
    assert found[0] in {ROADS, "air", "sampah"}
    assert found[1] == "Pertanian dan Peternakan"
    named = [one[0].label for one in listed.ranked(list(TEXTS.values()), list(map(extras_of, TEXTS.values())))]
    assert named == ["air", ROADS, "sampah"]  # where a list was wrong in what was learned, it is heeded no more


def test_learned_sorts_are_published_where_they_are_better_and_stay_when_a_class_is_learned() -> None:
    asked = [LabelledSort(f"pesan {n} promo kilat di toko kami", "publicity") for n in range(60)]
    rows = [*asked, *(LabelledSort(f"pesan {n} pipa bocor di rumah kami", "report") for n in range(60))]
    trial = try_sorts(rows, cold_classifier(), "1")
    assert (trial.after, trial.unseen, trial.rows) == (1.0, 30, 120)
    made = load_classifier(trial.body or "")
    assert [one.sort for one in made.classify([rows[0].text, rows[-1].text])] == ["publicity", "report"]
    assert not try_sorts(rows, made, "2").better
    assert try_sorts(rows[:50], cold_classifier(), "1").body is None
    more = [row._replace(category=("77", "Lain")) if "pdam" in row.text else row for row in decided(160)]
    both = load_classifier(try_classifier(more, made, "3").body or "")
    assert [one.sort for one in both.classify([rows[0].text])] == ["publicity"]


def test_offices_are_learned_as_roles_and_the_place_says_which() -> None:
    trial = try_offices(decided(160), None, "7")
    assert trial.better
    assert trial.after > 0.9
    made = load_office_model(trial.body or "", lambda *candidate: candidate)
    message = Message(
        id="sms/sms/1", raw="r", account="sms", channel="sms", owner="35.78", conversation="c",
        received_at=datetime(2026, 1, 1, tzinfo=UTC), text=TEXTS["jalan"], place=PLACE,
    )  # fmt: skip
    [[first, *_], [other, *_]] = made.offices([message, msgspec.structs.replace(message, text=TEXTS["air"])])
    assert first[:2] == ("kelurahan", "35.78.01.1001")
    assert other[:2] == ("pdam", None)
    unplaced = msgspec.structs.replace(message, place=Place(code="35.78", source="owner"))
    assert "kelurahan" not in [role for role, *_ in made.offices([unplaced])[0]]


def test_without_enough_rows_no_office_is_promised() -> None:
    trial = try_offices(decided(160), None, "7")
    assert trial.body is not None
    stored = msgspec.json.decode(trial.body, type=StoredOffices)
    assert LearnedOffices(stored, lambda *candidate: candidate).threshold > 1


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Kecamatan Mawar", "kecamatan"),
        ("Kelurahan Mawar", "kelurahan"),
        ("Desa Mawar", "kelurahan"),
        ("Dinas LH", "7"),
    ],
)
def test_a_wards_or_districts_office_is_a_role(name: str, role: str) -> None:
    assert role_of("7", name) == role
    assert slug("Dinas Perhubungan, Kota") == "dinas-perhubungan-kota"


def test_a_line_of_the_log_odds_changes_how_sure_the_first_label_is_and_not_the_order() -> None:
    made = fit(examples(400))
    assert made is not None
    texts = [one.text for one in examples(20)]
    plain = Linear(msgspec.structs.replace(made.stored, slope=1.0, shift=0.0)).ranked(texts)
    lower = Linear(msgspec.structs.replace(made.stored, slope=1.0, shift=-1.0)).ranked(texts)
    for one, other in zip(plain, lower, strict=True):
        assert [r.label for r in one] == [r.label for r in other]
        assert other[0].p < one[0].p
        assert all(a.p >= b.p for a, b in pairwise(other))
        assert sum(r.p for r in other) <= 1 + 1e-6


def test_what_only_naive_bayes_or_the_machine_knows_is_one_table_of_weights() -> None:
    texts = list(TEXTS.values())
    plain, blended = fit(examples(200), Recipe(1.0)), fit(examples(200), Recipe(1.0, bayes=0.4))
    assert plain is not None
    assert blended is not None
    assert blended.stored.weights != plain.stored.weights
    assert [found[0].label for found in blended.ranked(texts)] == sorted(TEXTS)


def test_logistic_regression_finds_a_rare_label_that_the_machine_leaves_out() -> None:
    rare = [Example(f"mohon rt {n}", "pertanyaan", {"asks": 0.3}) for n in range(4)]
    common = [Example(f"mohon rt {n % 9}", "keluhan", {"asks": 0.3} if n % 4 == 0 else {}) for n in range(80)]
    plain, balanced = (fit([*rare, *common], r) for r in (Recipe(1.0), Recipe(1.0, balanced=True, logistic=True)))
    assert plain is not None
    assert balanced is not None
    found = [model.ranked(["mohon rt 2"], [{"asks": 0.3}])[0][0].label for model in (plain, balanced)]
    assert found == ["keluhan", "pertanyaan"]


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("@dinas @wali lampu mati kapan diperbaiki?", {"addressed", "accounts", "question"}),
        ("Yuk lapor! #aduan https://contoh.id @dinas", {"tags", "links"}),
        ("parahhh jalannya", {"small", "stretched"}),
        ("Selengkapnya di www.contoh.id", set()),
        ("", set()),
    ],
    ids=["asks an account", "invites", "careless", "a site", "nothing"],
)
def test_signs_of_a_post_are_told_without_its_words(text: str, signs: set[str]) -> None:
    assert {name.removeprefix("sign:") for name in signs_of(text)} == signs


def test_rows_are_calibrated_by_models_that_did_not_see_them() -> None:
    """Labels without any sense are right by chance: a model that had seen them would be sure of them."""
    labels = sorted(TEXTS)
    made = fit([Example(f"kata{n % 200}", labels[n * 7919 % 101 % 3]) for n in range(700)], Recipe(1.0))
    assert made is not None
    assert made.stored.threshold > 1
    assert all(found[0].p < 0.5 for found in made.ranked([f"kata{n}" for n in range(40)]))


def test_no_threshold_is_below_the_promise() -> None:
    made = fit(examples(1300))
    assert made is not None
    assert made.stored.threshold >= PROMISED


def test_labels_that_are_wrong_by_chance_lower_the_promise() -> None:
    labels = sorted(TEXTS)
    mixed = [one._replace(label=labels[n % 2]) if n % 5 == 0 else one for n, one in enumerate(examples(1300))]
    made = fit(mixed)
    assert made is not None
    assert (made.stored.slope, made.stored.shift) != (1.0, 0.0)
    assert all(found[0].p < 0.95 for found in made.ranked([one.text for one in examples(30)]))
