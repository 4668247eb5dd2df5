"""Which cursors say that something of the provider's is missing, and which do not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors._x_polling import SEARCHED, SHOWN, Cursor, Place, advance, encode_cursor, mentions, params_of, searched
from tests.channels.recording import channel

NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "after", "taken", "missing"),
    [
        ("1708:5000", "1708:5003", 3, ""),
        ("1708:5000", "1708:5003", 1, "2 updates"),
        ("1708:5000", "1708:90005003", 1, ""),
        ("1708:5000", "1708:17", 1, ""),
        ("1708:5000", "42:5009", 1, ""),
        ("", "1708:5009", 1, ""),
    ],
    ids=["in order", "a jump", "a new start", "a new start below", "another bot", "the first poll"],
)
def test_telegram_numbers_updates_without_gaps(before: str, after: str, taken: int, missing: str) -> None:
    gap = channel("telegram").gap(before, after, taken)
    assert (gap.detail if gap else "").startswith(missing)
    assert (gap is not None) == bool(missing)


@pytest.mark.parametrize(
    ("before", "after", "gap"),
    [("7:12", "7:40", None), ("7:12", "8:3", "mailbox_renumbered"), ("0:0", "7:1", None), ("7:0", "8:3", None)],
    ids=["ids are left out", "numbered anew", "the first session", "nothing was taken in before"],
)
def test_a_mailbox_that_is_numbered_anew_is_a_gap_and_ids_that_are_left_out_are_none(
    before: str, after: str, gap: str | None
) -> None:
    found = channel("email").gap(before, after, 1)
    assert (found and found.code) == gap


def cursor(**places: Place) -> str:
    return encode_cursor(Cursor(places=places))


def test_x_shows_so_many_mentions_at_most() -> None:
    source, place = mentions("5001", 1, names=False), Place(since="100")
    for at in range(0, SHOWN, 100):
        before = place
        rest = {} if at + 100 == SHOWN else {"next_token": str(at)}
        answer = {"data": [{"id": str(9000 - at - n)} for n in range(100)], "meta": rest}
        place, more = advance(source, place, answer, "", NOW.timestamp())
        gap = channel("x").gap(cursor(mentions=before), cursor(mentions=place), 1)
        assert (gap and gap.code) == (None if more else "more_than_shown")
    again, _ = advance(source, place, {"data": []}, "", NOW.timestamp())
    assert channel("x").gap(cursor(mentions=place), cursor(mentions=again), 0) is None


@pytest.mark.parametrize(("name", "days"), [("search", 7), ("direct", 30)])
def test_x_shows_posts_of_so_many_days(name: str, days: int) -> None:
    now = NOW.timestamp()
    for away, code in ((days * 86400 - 60, None), (days * 86400 + 60, "away_too_long")):
        gap = channel("x").gap(cursor(**{name: Place(at=now - away)}), cursor(**{name: Place(at=now)}), 1)
        assert (gap and gap.code) == code


def test_a_search_names_no_post_older_than_x_searches() -> None:
    """X refuses a request with an older one, so that a quiet search would never be read again."""
    source, post = searched("#lapor", 5, names=False), str((1_795_000_000_000 - 1_288_834_974_657) << 22)
    written = datetime.fromtimestamp(1_795_000_000, UTC)
    for after, named in ((timedelta(days=1), post), (timedelta(days=30), None)):
        now = (written + after).timestamp()
        since = params_of(source, Place(since=post), 20, now)["since_id"]
        oldest = (int((now - SEARCHED) * 1000) - 1_288_834_974_657) << 22
        assert since == (named or str(oldest))
    assert "since_id" not in params_of(source, Place(), 20, written.timestamp())
