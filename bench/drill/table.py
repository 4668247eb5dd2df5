"""The results as a Markdown table, and what is wrong, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.drill.recorded import CHANNELS
from bench.drill.rounds import Row

HEAD = (
    "fault", "times", "accepted", "lost", "recorded twice", "answered twice (whatsapp / sms)",
    "in doubt, of these never taken (whatsapp / sms)", "order violations", "else wrong", "caught up after, s",
    "empty after, s", "503", "longest gap, s",
)  # fmt: skip
OWN_COLUMN = ("lost", "recorded twice", "answered twice", "disordered")
BEGIN, END = "<!-- table -->", "<!-- end of table -->"


def markdown(rows: Sequence[Row]) -> str:
    lines = [HEAD, ("---",) * len(HEAD), *(_cells(row) for row in [*rows, _all(rows)])]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def details(rows: Sequence[Row], most: int = 12) -> Iterator[str]:
    """What is wrong, with ids."""
    for row in rows:
        for check, wrong in row.wrong.items():
            for what in wrong[:most]:
                yield f"{row.name}: {check}: {what}"
            if len(wrong) > most:
                yield f"{row.name}: {check}: … and {len(wrong) - most} more"


def write(path: Path, table: str) -> None:
    """Put it between the marks of that file."""
    before, begin, rest = path.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{path} has no {BEGIN} … {END} to write between")
    path.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}")


def _cells(row: Row) -> tuple[str, ...]:
    twice = row.wrong.get("answered twice", [])
    else_wrong = sum(len(wrong) for name, wrong in row.wrong.items() if name not in OWN_COLUMN)
    return (
        row.name, str(row.times), f"{row.accepted:,}", _count(row, "lost"), _count(row, "recorded twice"),
        " / ".join(str(sum(what.startswith(channel) for what in twice)) for channel in CHANNELS),
        " / ".join("{}, {}".format(*row.doubt.get(channel, (0, 0))) for channel in CHANNELS),
        _count(row, "disordered"), str(else_wrong), f"{row.caught_up:.1f}", f"{row.empty:.1f}", str(row.refused),
        f"{row.gap:.1f}",
    )  # fmt: skip


def _count(row: Row, check: str) -> str:
    return str(len(row.wrong.get(check, [])))


def _all(rows: Sequence[Row]) -> Row:
    """The sums, and the longest times."""
    whole = Row("**all**", "", sum(r.times for r in rows), sum(r.accepted for r in rows))
    for row in rows:
        for check, wrong in row.wrong.items():
            whole.wrong.setdefault(check, []).extend(wrong)
        for channel, (doubt, unsent) in row.doubt.items():
            before = whole.doubt.get(channel, (0, 0))
            whole.doubt[channel] = (before[0] + doubt, before[1] + unsent)
        whole.caught_up, whole.empty = max(whole.caught_up, row.caught_up), max(whole.empty, row.empty)
        whole.refused, whole.gap = whole.refused + row.refused, max(whole.gap, row.gap)
    return whole
