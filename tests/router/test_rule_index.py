"""The index finds the rules that asking every one of them finds, in their order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from router.index import RuleIndex, facts_about
from router.offices_names import fold
from tests.examples import examples

WORD = st.sampled_from(
    ["jalan", "Rusak", "lampu", "MATI", "dishub", "dinas", "perhubungan", "dan", "kab.", "ı", "ſ", "x"]
)
TEXT = st.lists(WORD, max_size=8).map(" ".join)
PHRASE = st.lists(WORD.filter(fold), min_size=1, max_size=3).map(" ".join)
VALUES = {
    "region": st.sampled_from(["32", "32.73", "32.73.01", "33"]),
    "category": st.sampled_from(["1", "2", "3"]),
    "channel": st.sampled_from(["sms", "web"]),
    "hour": st.sampled_from(["22-06", "8", "0-24", "23-1"]),
    "keyword": st.sampled_from(["TANGKAB", "tangkab", "bdg"]),
}
WANTED = st.fixed_dictionaries(
    {},
    optional={key: st.lists(values, min_size=1, max_size=2).map(tuple) for key, values in VALUES.items()}
    | {"words": st.lists(PHRASE, min_size=1, max_size=2).map(tuple)},
)
REPORT = st.fixed_dictionaries(
    {"hour": st.integers(0, 23).map(lambda hour: (str(hour),)), "channel": VALUES["channel"].map(lambda c: (c,))},
    optional={
        "region": st.sampled_from([("32",), ("32.73", "32"), ("32.73.01", "32.73", "32"), ("31",)]),
        "category": VALUES["category"].map(lambda c: (c,)),
        "keyword": st.sampled_from([("tangkab",), ("x",)]),
    },
)


@examples(150)
@given(st.lists(st.tuples(WANTED, WANTED), max_size=8), REPORT, TEXT)
def test_the_index_finds_what_asking_each_rule_finds(rules: list, report: dict, text: str) -> None:
    words = fold(text)
    facts = facts_about(report, words)
    index = RuleIndex(rules)
    assert list(index.fitting(facts)) == [position for position in range(len(rules)) if index.fits(position, facts)]


@examples(60)
@given(st.lists(PHRASE, min_size=1, max_size=8, unique=True), TEXT)
def test_a_phrase_is_found_wherever_its_words_stand_together(phrases: list[str], text: str) -> None:
    words = fold(text)
    facts = facts_about({}, words)
    found = set(RuleIndex([({"words": (phrase,)}, {}) for phrase in phrases]).fitting(facts))
    together = {tuple(words[a:b]) for a in range(len(words)) for b in range(a + 1, len(words) + 1)}
    assert found == {n for n, phrase in enumerate(phrases) if tuple(fold(phrase)) in together}
