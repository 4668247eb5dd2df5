"""Write `router/calendars.csv` from the package `holidays`: national holidays and joint leave, with their decree.

    python -m deploy.calendars

A year without an entry in DECREES holds estimates. Joint leave stands only in the package's category `government`.
"""

import csv
from io import StringIO
from pathlib import Path

import holidays

DECREES = {
    2025: "SKB 1017/2/2 Tahun 2024",
    2026: "SKB 1497/2/5 Tahun 2025",
    2027: "SKB 1205/3/2 Tahun 2026",
}
AMENDED = {"2025-08-18": "SKB 933/1/3 Tahun 2025"}
YEARS = range(2025, 2033)
FILE = Path(__file__).parent.parent / "router" / "calendars.csv"


def rows() -> list[tuple[str, str, str, str, str]]:
    """Calendar, date, kind, name, decree."""
    found = []
    for category, kind in (("public", "national"), ("government", "joint")):
        for year in YEARS:
            if kind == "joint" and year not in DECREES:
                continue
            for day, name in holidays.country_holidays("ID", years=year, categories=category, language="id").items():
                decree = AMENDED.get(day.isoformat(), DECREES.get(year, ""))
                found.append(("id", day.isoformat(), kind, name, decree))
    return sorted(found, key=lambda row: (row[1], row[2] != "joint"))


def written() -> str:
    """The file as it should stand."""
    out = StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(("calendar", "date", "kind", "name", "decree"))
    table.writerows(rows())
    return out.getvalue()


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
