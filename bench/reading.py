"""How well place, language and personal data are read, on a folder of real rows; with 95 % intervals, and the speed.

    python -m bench.reading [FOLDER] [--nusax FOLDER]

FOLDER holds surabaya.csv, lapor_nasional.csv, sp4n_bandung.csv and others (none is in the repository); the sentences
of NusaX (CC-BY-SA, not in the repository either) measure languages. For personal data the masks of the rows are filled
with made-up values.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from math import sqrt
from pathlib import Path
from typing import NamedTuple

from bench._refill import Refilled, refilled
from connectors import channel_type
from hub.opening import tune_interpreter
from normalizer import PlaceQuestion, Reader
from normalizer.clean import clean
from normalizer.knowledge.gazetteer import gazetteer, is_city
from normalizer.knowledge.language import language_of
from normalizer.knowledge.learned_places import PlacedText, load_places
from normalizer.knowledge.shipped import ShippedKnowledge
from normalizer.models.place_training import learn_places
from normalizer.settle import likeliest
from schemas import Body, PersonalSpan, Raw
from schemas.personal import personal_spans

SURABAYA = "35.78"
LANGUAGES = {
    "id": "indonesian", "jv": "javanese", "su": "sundanese", "mad": "madurese", "min": "minangkabau", "ban": "balinese",
    "bjn": "banjarese", "ace": "acehnese", "bug": "buginese", "en": "english",
}  # fmt: skip
COMPLAINTS = (("surabaya", "keluhan"), ("lapor_nasional", "isi"), ("sp4n_bandung", "isi_awal"), ("purbalingga", "text"))
MASKED = (*COMPLAINTS, ("surabaya_sapawarga", "keluhan"), ("sms_spam", "teks"), ("tweets_sp4n", "full_text"))
PROMISED = 0.95
LOCAL = frozenset(LANGUAGES) - {"id", "en"}


class Row(NamedTuple):
    """A row of Surabaya."""

    text: str
    address: str
    district: str
    named: bool


def table(folder: Path, name: str) -> list[dict[str, str]]:
    """The rows of a file; line breaks as they were written."""
    with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return [{k: (v or "").replace("\\n", "\n") for k, v in row.items()} for row in csv.DictReader(file)]


def folded(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def show(what: str, right: int, of: int) -> None:
    """A share with its 95 % Wilson interval."""
    share, z = right / max(of, 1), 1.96
    middle, half = share + z * z / (2 * of or 1), z * sqrt(share * (1 - share) / (of or 1) + z * z / (4 * of * of or 1))
    low, high = ((middle + sign * half) / (1 + z * z / (of or 1)) for sign in (-1, 1))
    print(f"{what:64} {share:6.3f} [{low:.3f}, {high:.3f}]  n {of}")


def surabaya(folder: Path) -> list[Row]:
    """In the order of time; rows without a district that exists are left out."""
    inside = gazetteer().inside("3578")
    found = []
    for row in sorted(table(folder, "surabaya"), key=lambda row: row["tanggal_keluhan"]):
        codes = [code for code in inside.get(folded(row["kecamatan"]), ()) if len(code) == 6]
        if codes:
            both = f"{folded(row['keluhan'])}|{folded(row['alamat'])}"
            ward = re.sub(r"(?<=wonorejo)(?:rungkut|tegalsari)$", "", folded(row["kelurahan"]))
            names = {folded(row["kecamatan"]), folded(row["kecamatan"]).replace("tikan", "tian"), ward} - {""}
            found.append(Row(row["keluhan"], row["alamat"], codes[0], any(name in both for name in names)))
    return found


def district(row: Row, knowledge: ShippedKnowledge) -> tuple[str | None, float]:
    """The district that is said, and how surely."""
    [found] = map(likeliest, knowledge.places([PlaceQuestion(clean(row.text), SURABAYA, clean(row.address))]))
    code = (found.code or "").replace(".", "") if found else ""
    return (code[:6], (found.p if found else None) or 0.0) if len(code) >= 6 else (None, 0.0)


def measure_districts(name: str, rows: Sequence[Row], knowledge: ShippedKnowledge) -> None:
    """Named rows, and how much is said at the precision that is promised."""
    said = [(*district(row, knowledge), row) for row in rows]
    named = [(code, row) for code, _, row in said if row.named]
    show(f"district, {name}: rows that name ward or district", sum(c == r.district for c, r in named), len(named))
    sure = sorted(((p, code == row.district) for code, p, row in said if code), key=lambda one: -one[0])
    best = _most_at(sure, PROMISED)
    show(f"  precision of the surest {best[1] / len(rows):.3f} of all rows (coverage)", *best)
    show("  precision of all that is said", sum(c for _, c in sure), len(sure))
    high = [correct for p, correct in sure if p >= PROMISED]
    show("  precision where 0.95 or more is promised", sum(high), len(high))
    gap = sum(abs(sum(c for _, c in band) - sum(p for p, _ in band)) for band in _bands(sure)) / max(len(sure), 1)
    print(f"  expected calibration error {gap:.3f}")


def _most_at(sure: Sequence[tuple[float, bool]], precision: float) -> tuple[int, int]:
    """Right and all of the most that a threshold lets pass at this precision. What is as sure passes together."""
    right, best = 0, (0, 0)
    for number, (p, correct) in enumerate(sure, 1):
        right += correct
        if right / number >= precision and (number == len(sure) or sure[number][0] < p):
            best = (right, number)
    return best


def _bands(sure: Sequence[tuple[float, bool]]) -> list[list[tuple[float, bool]]]:
    return [[one for one in sure if int(min(one[0], 0.999) * 10) == tenth] for tenth in range(10)]


def measure_regencies(folder: Path) -> None:
    """Nationwide: the regency of the office named by the administrator, where the words name it."""
    knowledge, found = ShippedKnowledge(), {kind: Counter[str]() for kind in ("one", "twin with its kind", "bare twin")}
    for row in table(folder, "lapor_nasional"):
        truth = _regency(row["instansi_yth"]) if row["yth_gaya_admin"] == "True" else None
        text = clean(f"{row['judul']}\n{row['isi']}")
        if truth and truth[0] in folded(text):
            [place] = map(likeliest, knowledge.places([PlaceQuestion(text, "")]))
            code = (place.code or "").replace(".", "")[:4] if place else ""
            answer = "right" if code == truth[1] else "wrong" if len(code) == 4 else "silent"
            found[_kind(truth[0], text)][answer] += 1
    for kind, answers in found.items():
        what = "wrongly decided" if kind == "bare twin" else "right"
        show(f"regency, {kind}: {what}", answers["wrong" if kind == "bare twin" else "right"], answers.total())


def _regency(office: str) -> tuple[str, str] | None:
    match = re.search(r"\b(Kota|Kabupaten|Kab\.?)\s+(?!Kab)((?:[A-Z]\w+\s?){1,4})", office)
    words = match[2].split() if match else []
    for end in range(len(words), 0, -1):
        name = folded(" ".join(words[:end]))
        for code in gazetteer().regencies.get(name, ()):
            if match and is_city(code) is (match[1] == "Kota"):
                return name, code
    return None


def _kind(name: str, text: str) -> str:
    if len(gazetteer().regencies[name]) == 1:
        return "one"
    kinds = r"\b(?:kota|kotamadya|kab|kabupaten|pemkot|pemkab|walikota|bupati)\b\W*"
    return "twin with its kind" if re.search(kinds + r"\W*".join(name), text, re.IGNORECASE) else "bare twin"


def measure_languages(folder: Path, nusax: Path | None) -> None:
    """Sentences and their first eight words; how many complaints are called regional."""
    for words in (None, 8) if nusax else ():
        right = of = 0
        for language, name in LANGUAGES.items():
            texts = [row["text"] for row in _csv(Path(str(nusax)) / name / "test.csv")]
            hits = sum(language_of(" ".join(text.split()[:words])) == language for text in texts)
            right, of = right + hits, of + len(texts)
            show(f"  language {language}, {words or 'all'} words", hits, len(texts))
        show(f"language, ten together, {words or 'all'} words", right, of)
    found = Counter(language_of(clean(row[column])) for name, column in COMPLAINTS for row in table(folder, name))
    show("Indonesian complaints called regional", sum(found[one] for one in LOCAL), found.total())
    show("  called mixed", found["mixed"], found.total())


def _csv(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def measure_personal(folder: Path) -> None:
    """By characters: of those filled in, covered; of those marked in or across a slot, filled in."""
    covered: dict[str, Counter[str]] = {"numbers and addresses": Counter(), "announced names": Counter()}
    texts = [row[column] for name, column in MASKED for row in table(folder, name)]
    for one in refilled(texts):
        _score(one, personal_spans(one.text), covered)
    for what, score in covered.items():
        show(f"personal, {what} ({score['slots']} slots): recall", score["hit"], score["slot characters"])
        show(f"personal, {what}: precision", score["marked right"], score["marked"])


def _score(one: Refilled, spans: Iterable[PersonalSpan], covered: dict[str, Counter[str]]) -> None:
    slots = {at: kind for kind, start, end in one.slots for at in range(start, end)}
    marked = {at: span.kind for span in spans for at in range(span.start, span.end)}
    for kind, _, _ in one.slots:
        covered[_group(kind)]["slots"] += 1
    for at, kind in slots.items():
        covered[_group(kind)]["slot characters"] += 1
        covered[_group(kind)]["hit"] += at in marked
    for span in spans:
        inside = sum(at in slots for at in range(span.start, span.end))
        if span.kind != "name" or inside:  # names that the masking of the rows left are names all the same
            covered[_group(span.kind)]["marked"] += span.end - span.start
            covered[_group(span.kind)]["marked right"] += inside


def _group(kind: str) -> str:
    return "announced names" if kind == "name" else "numbers and addresses"


def measure_speed(rows: Sequence[Row]) -> None:
    """Messages a second of one core through the whole reader, with and without the classifier, and as the stages read:
    without marks, as nothing looks at them there; the gazetteer's load. The interpreter is set as in the programs."""
    tune_interpreter()
    kind = channel_type("file")
    channel, at = kind("file", SURABAYA, kind.settings_type()), datetime(2026, 1, 1, tzinfo=UTC)
    raws = [
        Raw(id=f"r{n}", account="file", channel="file", owner=SURABAYA, received_at=at, conversation=f"c{n}",
            body=Body(json.dumps({"id": str(n), "text": row.text, "address": row.address}).encode()))
        for n, row in enumerate(rows)
    ]  # fmt: skip
    for name, reader in _readers({"file": channel}.get):
        start, ids = time.process_time(), count()
        for first in range(0, len(raws), 500):
            reader.read(raws[first : first + 500], now=lambda: at, new_id=lambda ids=ids: str(next(ids)))
        print(f"read, {name}: {len(raws) / (time.process_time() - start):,.0f} messages a second of processor")
    program = (
        "import time; from pathlib import Path; from normalizer.knowledge.gazetteer import gazetteer\n"
        "pages = lambda: int(Path('/proc/self/statm').read_text().split()[1])\n"
        "before, start = pages(), time.process_time(); gazetteer()\n"
        "print(time.process_time() - start, (pages() - before) / 256)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    seconds, mebibytes = map(float, done.stdout.split())
    print(f"gazetteer: loaded in {seconds:.2f} s of processor, {mebibytes:.0f} MiB")


def _readers(channel_of: Callable[[str], object]) -> Iterator[tuple[str, Reader]]:
    yield "no classifier", Reader(channel_of)  # type: ignore[arg-type]
    from normalizer.models import cold_classifier

    yield "with the classifier that ships", Reader(channel_of, None, cold_classifier())  # type: ignore[arg-type]
    yield "the same without marks", Reader(channel_of, None, cold_classifier(), annotates=False)  # type: ignore[arg-type]


def main() -> None:
    """Print a line for each measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--nusax", type=Path, default=None)
    chosen = parser.parse_args()
    rows = surabaya(chosen.folder)
    measure_districts("cold, all rows", rows, ShippedKnowledge())
    half = len(rows) // 2
    learned = load_places(learn_places(PlacedText(row.text, row.address, row.district) for row in rows[:half]))
    measure_districts("cold, later half", rows[half:], ShippedKnowledge())
    measure_districts("learned on the earlier half, later half", rows[half:], ShippedKnowledge(lambda: learned))
    measure_regencies(chosen.folder)
    measure_languages(chosen.folder, chosen.nusax)
    measure_personal(chosen.folder)
    measure_speed(rows)
    print(f"resident at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


if __name__ == "__main__":
    main()
