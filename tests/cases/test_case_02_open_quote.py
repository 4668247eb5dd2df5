"""A quote that is never closed swallows no citizen behind it.

Its siblings stand in tests/channels/test_row_files.py.
"""

from __future__ import annotations

from tests.cases.conftest import INPUTS, Satupintu


def test_all_rows_are_recorded_and_the_quote_is_said(satupintu: Satupintu):
    ledger, lines = satupintu.ingest(INPUTS / "02" / "open-quote.csv")
    assert ledger == {"received": 5, "recorded": 5}
    assert lines == ["line 3: a quote is opened and never closed: it is taken as a letter"]
    assert not any("0812" in text for text in satupintu.texts())
