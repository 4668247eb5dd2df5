"""Train the model of likeness from labelled pairs: `python -m bench.likeness DIR`, DIR being a folder like `data`.

Pairs: `pairs_surabaya.csv` (id1, id2, text1, text2, silver), addresses by id from `surabaya.csv`. Districts and
villages are found by the reader's gazetteer. Writes numbers only: no text, no name.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from normalizer.incidents_likeness import Located, StoredLikeness, Tree, features, likeness, place_relation
from normalizer.incidents_profile import ComparedWords, profile_of, unpack
from normalizer.knowledge.gazetteer import gazetteer
from normalizer.knowledge.places import Unplaced, find_places
from schemas import Message, Party, Place

MODEL = Path(__file__).parents[1] / "normalizer" / "models" / "data" / "likeness.json"
SURE = 0.6
AT = datetime(2022, 1, 1, tzinfo=UTC)


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV with a heading."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def report(text: str, address: str, code: str | None = None) -> tuple[ComparedWords, Located] | None:
    """A row as the matcher compares it."""
    place = Place(code=code or "35.78", words=address or None, source="said" if address or code else "owner")
    message = Message(
        id="file/file/1", raw="r", account="file", channel="file", owner="35.78", conversation="1", received_at=AT,
        text=text.replace("\\n", "\n"), place=place, sender=Party(),
    )  # fmt: skip
    profile = profile_of(message, place)
    return (unpack(profile.words), Located(code)) if profile else None


def pairs(folder: Path) -> Iterator[tuple[list[float], bool, str]]:
    """Features, label and the first id of each labelled pair: with the addresses, and as text alone."""
    addresses = {row["id"]: row["alamat"].replace("\\n", " ") for row in read_csv(folder / "surabaya.csv")}
    for row in read_csv(folder / "pairs_surabaya.csv"):
        if row["silver"] == "unlabelled" or (row["silver"].startswith("nondup") and row["exact_normalised"] == "True"):
            continue
        known = row["id1"] in addresses and row["id2"] in addresses
        for given in (addresses, {}) if known else ({},):
            texts = [(row[f"text{n}"], given.get(row[f"id{n}"], "")) for n in (1, 2)]
            one, other = (report(text, address, locate(f"{address}\n{text}")) for text, address in texts)
            if one and other:
                numbers = features(one[0], other[0], place_relation(one[1], other[1]))
                yield numbers, row["silver"].startswith("dup"), row["id1"]


def locate(text: str) -> str | None:
    """District or village, by the reader's own gazetteer."""
    found = [
        p for p in find_places(gazetteer(), [Unplaced.of(text, "35.78")])[0] if p.code and len(p.code) > len("35.78")
    ]
    return found[0].code if found and (found[0].p or 0) >= SURE else None


def trees(model: Any) -> StoredLikeness:
    """Of scikit-learn's model, with its learning rate in the leaves."""
    found = []
    for (one,) in model.estimators_:
        tree = one.tree_
        found.append(
            Tree(
                tuple(int(f) if left >= 0 else -1 for f, left in zip(tree.feature, tree.children_left, strict=True)),
                tuple(round(float(t), 4) for t in tree.threshold),
                tuple(int(n) for n in tree.children_left),
                tuple(int(n) for n in tree.children_right),
                tuple(round(float(v[0][0]) * model.learning_rate, 5) for v in tree.value),
            )
        )
    prior = model.init_.class_prior_[1]
    import math

    return StoredLikeness(base=round(math.log(prior / (1 - prior)), 5), trees=tuple(found))


def main(folder: Path) -> None:
    """Trains, writes, and shows by five folds what it would miss."""
    import numpy as np
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.model_selection import GroupKFold, cross_val_predict

    numbers, labels, groups = zip(*pairs(folder), strict=True)
    x, y = np.array(numbers, dtype=float), np.array(labels)
    model = GradientBoostingClassifier(
        n_estimators=40, max_depth=3, learning_rate=0.15, subsample=0.7, min_samples_leaf=10, random_state=1
    )
    p = cross_val_predict(model, x, y, groups=groups, cv=GroupKFold(5), method="predict_proba")[:, 1]
    for threshold in (0.5, 0.6, 0.7, 0.8, 0.9):
        print(f"{threshold}: recall {(p[y] >= threshold).mean():.3f}, wrong {(p[~y] >= threshold).mean():.4f}")
    model.fit(x, y)
    MODEL.write_bytes(msgspec.json.encode(trees(model)) + b"\n")
    likeness.cache_clear()
    again = np.array([likeness().probability(list(row)) for row in x[:200]])
    print("largest difference from scikit-learn:", float(abs(again - model.predict_proba(x[:200])[:, 1]).max()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
