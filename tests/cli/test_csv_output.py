"""CSV that a spreadsheet opens without running anything."""

from hub.csv_output import format_csv


def test_a_name_that_begins_like_a_formula_stays_text() -> None:
    rows = [{"name": "=HYPERLINK(1)", "count": -1}, {"name": "Dinas PU, Kota", "count": None}]
    assert format_csv(("name", "count"), rows) == 'name,count\n\'=HYPERLINK(1),-1\n"Dinas PU, Kota",\n'
