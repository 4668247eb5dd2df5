"""Are two reports one incident? Labelled pairs through the reader and the matcher, each pair on an empty memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from hub.commands._row_items import CallMemory
from hub.quality.figures import Line, Share, share
from hub.quality.folder import Folder, Row
from normalizer import match
from schemas import Message

REGION = "35.78"
LINKED = frozenset({"same_incident", "same_report", "redelivery"})
_AT = datetime(2022, 1, 1, tzinfo=UTC)


class Pair(NamedTuple):
    """A labelled pair, and what the matcher says of its second report."""

    label: str
    same_text: bool
    kind: str
    with_address: bool
    score: float

    @property
    def linked(self) -> bool:
        return self.kind in LINKED


def judged_pairs(folder: Folder, *, addresses: bool) -> list[Pair]:
    """Every labelled pair of `pairs_surabaya.csv`."""
    pairs = [row for row in folder.rows("pairs_surabaya.csv") if row["silver"] != "unlabelled"]
    return judged(folder, pairs, addresses=addresses)


def judged(folder: Folder, pairs: Sequence[Row], *, addresses: bool) -> list[Pair]:
    """Rows of `pairs_surabaya.csv`, with addresses and dates from `surabaya.csv` where it has them."""
    known = {row["id"]: row for row in folder.rows("surabaya.csv")}
    rows = [row for pair in pairs for row in _rows(pair, known, addresses=addresses)]
    messages = folder.messages(rows)
    found = []
    for n, pair in enumerate(pairs):
        one, other = messages[2 * n], messages[2 * n + 1]
        both = all(known.get(pair[id], {}).get("alamat") for id in ("id1", "id2"))
        kind, score = _judge(one, other)
        found.append(Pair(pair["silver"], pair["exact_normalised"] == "True", kind, both and addresses, score))
    return found


def _judge(one: Message | None, other: Message | None) -> tuple[str, float]:
    if one is None or other is None:
        return "unread", 0.0
    matched = match([one, other], CallMemory())[1].matches
    return (matched[0].kind, matched[0].score) if matched else ("new", 0.0)


def _rows(pair: Row, known: Mapping[str, Row], *, addresses: bool) -> Iterator[dict[str, Any]]:
    at = _time(known.get(pair["id1"])) or _AT
    times = (at, _time(known.get(pair["id2"])) or at + timedelta(days=abs(float(pair["days_apart"]))))
    for n, sent_at in zip(("1", "2"), times, strict=True):
        address = known.get(pair[f"id{n}"], {}).get("alamat", "").strip() if addresses else ""
        yield {
            "id": f"{pair['id1']}-{pair['id2']}-{n}", "text": pair[f"text{n}"], "region": REGION,
            "sent_at": sent_at.isoformat(), **({"address": address} if address else {}),
        }  # fmt: skip


def _time(row: Row | None) -> datetime | None:
    return datetime.fromisoformat(row["tanggal_keluhan"]).replace(tzinfo=UTC) if row else None


def pair_lines(folder: Folder) -> Iterator[Line]:
    """The lines of the table about matching."""
    given, bare = judged_pairs(folder, addresses=True), judged_pairs(folder, addresses=False)
    if not given:
        return
    with_both = [pair for pair in given if pair.with_address]
    for name, pairs, goals in (
        ("address given (pairs whose two addresses are known)", with_both, ("0.99", "0.998", "0.90", "0.95")),
        ("text only", bare, ("", "", "0.75", "0.82")),
    ):
        yield Line(f"dup_exact linked, {name}", str(_linked(pairs, "dup_exact")), goals[0], goals[1])
        yield Line(f"dup_likely linked, {name}", str(_linked(pairs, "dup_likely")), goals[2], goals[3])
        wrong = share(p.linked for p in pairs if p.label.startswith("nondup") and not p.same_text)
        yield Line(f"wrong links, {name}", str(wrong), "at most 0.005", "")
    other_place = [p for p in given if p.label == "nondup_other_place" and p.same_text]
    yield Line(
        "the same text from other places: not joined", str(share(not p.linked for p in other_place)), "0.95", "1.0"
    )
    yield Line("... called chain", str(share(p.kind == "chain" for p in other_place)), "0.95", "1.0")
    stated = [p for p in other_place if p.with_address]
    yield Line("... called chain, both addresses given", str(share(p.kind == "chain" for p in stated)))


def _linked(pairs: Sequence[Pair], label: str) -> Share:
    return share(pair.linked for pair in pairs if pair.label == label)


def kinds(pairs: Sequence[Pair]) -> Mapping[str, Counter[str]]:
    """What became of the pairs of each label."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for pair in pairs:
        found[pair.label + ("=" if pair.same_text else "")][pair.kind] += 1
    return found
