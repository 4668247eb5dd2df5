"""What `doctor` says of citizens' files: those that are withheld, those that were never scanned, and clamd itself."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from hub.commands._doctor_pipeline import is_started
from hub.commands._finding import Finding
from hub.settings import Settings

OLD = timedelta(days=7)
"""Signatures of viruses come every day."""
TIMEOUT = 3.0
"""Seconds for clamd's answer."""


def check_files(own: Settings) -> Iterator[Finding]:
    """clamd, then what stands in the record."""
    if own.clamd:
        yield asyncio.run(clamd_finding(own.clamd, datetime.now(UTC)))
    if is_started(own):
        yield from _files(own)


async def clamd_finding(address: str, now: datetime) -> Finding:
    """Does it answer, and are its signatures of this week?"""
    from hub.running.scanning_clamd import Clamd

    try:
        name, signatures = await Clamd(address, TIMEOUT).version()
    except OSError:  # TimeoutError is one
        words = f"no clamd answers at {address}: start it; files are withheld until it does"
        return Finding("files", words, wrong=True)
    if signatures is None:
        return Finding("files", f"{name} answers, without signatures: run freshclam", warning=True)
    old = now - signatures > OLD
    words = f"{name} answers, with signatures of {signatures:%d.%m.%Y}"
    return Finding("files", f"{words}: run freshclam" if old else words, warning=old)


def _files(own: Settings) -> Iterator[Finding]:
    from hub.opening import open_record
    from sink.attachments_checks import MOST_COUNTED, count_unscanned, count_withheld

    with open_record(own) as record:
        withheld, unscanned = count_withheld(record), count_unscanned(record)
    counted: Counter[str] = Counter()
    for (verdict, why), files in withheld.items():
        counted["infected" if verdict == "infected" else why or verdict] += files
    if counted:
        listed = ", ".join(f"{files:,} {why}" for why, files in counted.most_common())
        words = f"{counted.total():,} withheld ({listed}): each report's timeline says which"
        yield Finding("files", words, warning=True)
    number = f"{unscanned:,}{' or more' if unscanned == MOST_COUNTED else ''}"
    if unscanned and own.clamd:
        yield Finding("files", f"{number} from before clamd was set are being scanned")
    elif unscanned:
        yield Finding("files", f"{number} were never scanned: SATUPINTU_CLAMD names a clamd")
