"""Pairs of reports labelled by hand, through the reader and the matcher: `python -m bench.pairs FOLDER`.

`pairs_by_hand.csv` holds ids alone; FOLDER holds the reports (`pairs_surabaya.csv`, `surabaya.csv`). Sixty pairs of
each band of likeness (character cosine from 0.5 to 1 in tenths), at most sixty days apart, no report twice. `same` is
one report sent again or one incident, `other` is neither; `unclear` cannot be told from the words and is left out.
`corrected` says why a label is no longer the first one: only where the words themselves say so.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hub.quality.figures import share
from hub.quality.folder import Folder
from hub.quality.pairs import Pair, judged

LABELS = Path(__file__).with_name("pairs_by_hand.csv")
BANDS = (0.5, 0.6, 0.7, 0.8, 0.9)


class Judged(NamedTuple):
    """A pair, its label by hand, how alike its texts are, and what the matcher said."""

    ids: tuple[str, str]
    label: str
    likeness: float
    found: Pair


def judged_by_hand(folder: Folder, *, addresses: bool) -> list[Judged]:
    """The labelled pairs that the folder holds."""
    with LABELS.open(encoding="utf-8", newline="") as file:
        labels = {(row["id1"], row["id2"]): row["label"] for row in csv.DictReader(file)}
    rows = [row for row in folder.rows("pairs_surabaya.csv") if (row["id1"], row["id2"]) in labels]
    found = judged(folder, rows, addresses=addresses)
    ids = [(row["id1"], row["id2"]) for row in rows]
    alike = [float(row["cosine_char35"]) for row in rows]
    return [Judged(i, labels[i], a, f) for i, a, f in zip(ids, alike, found, strict=True)]


def show(name: str, pairs: Sequence[Judged]) -> None:
    """Precision and recall, and recall by band."""
    told = [one for one in pairs if one.label != "unclear"]
    print(f"{name}: {dict(Counter(one.label for one in pairs))}")
    print(f"  precision {share(one.label == 'same' for one in told if one.found.linked)}")
    print(f"  recall    {share(one.found.linked for one in told if one.label == 'same')}")
    for low in BANDS:
        band = [one for one in told if low <= one.likeness < low + 0.1 or (low == BANDS[-1] and one.likeness >= 1)]
        linked = share(one.found.linked for one in band if one.label == "same")
        wrong = share(one.found.linked for one in band if one.label == "other")
        print(f"  likeness from {low}: same linked {linked}; others linked {wrong}")


def main() -> None:
    """With addresses and without; `--ids` names what was missed and wrongly linked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ids", action="store_true")
    chosen = parser.parse_args()
    for name, addresses in (("address given", True), ("text only", False)):
        pairs = judged_by_hand(Folder(chosen.folder), addresses=addresses)
        show(name, pairs)
        for one in pairs if chosen.ids else ():
            if one.label != "unclear" and one.found.linked != (one.label == "same"):
                print("   ", one.label, one.found.kind, one.found.score, *one.ids)


if __name__ == "__main__":
    main()
