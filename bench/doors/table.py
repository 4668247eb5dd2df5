"""The books as a Markdown table, a row a door."""

from __future__ import annotations

from collections.abc import Iterator

from bench.doors.books import Books, in_doubt, lost, twice
from bench.doors.citizens import DOORS


def table(books: Books) -> Iterator[str]:
    yield "| door | written | stand once | lost | twice | redelivered | heard | in doubt, of these never heard |"
    yield "|---|---|---|---|---|---|---|---|"
    for door in DOORS:
        own = {n for n, complaint in books.written.items() if complaint.door == door}
        gone, double = (sum(one.startswith(door) for one in check(books)) for check in (lost, twice))
        heard = sum(len(books.heard.get(n, ())) for n in own)
        again = books.ledger["accounts"].get(door, {}).get("redelivered", 0)
        doubt, silent = in_doubt(books, door)
        counts = (len(own), len(own) - gone - double, gone, double, again, heard)
        yield f"| {door} | {' | '.join(f'{count:,}' for count in counts)} | {doubt}, {silent} |"
