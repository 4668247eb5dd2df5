"""A workbook of many rows, read as `ingest` reads it: rows a second, and the most memory that it took.

python -m bench.workbook [ROWS]
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

SPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
HEAD: list[int | str] = [
    "Tracking ID",
    "Tanggal Laporan",
    "Nama Pelapor",
    "No HP",
    "Judul Laporan",
    "Isi Laporan",
    "Lokasi",
    "Status",
]
WORDS = "lampu jalan di depan sekolah mati sudah tiga minggu tolong segera diperbaiki karena gelap dan rawan " * 3


def write(path: Path, rows: int) -> None:
    """As Excel writes it: each text once, among the shared words."""
    from openpyxl import Workbook

    book = Workbook()
    book.save(path)
    with zipfile.ZipFile(path) as empty:
        parts = {name: empty.read(name).decode() for name in empty.namelist()}
    words: list[str] = []
    lines = [_row(1, ["REKAP LAPORAN"], words), _row(2, HEAD, words)]
    for n in range(rows):
        phone, day = 6281200000000 + n, 45000 + n % 800
        lines.append(_row(n + 3, [n, day, f"Warga {n}", phone, f"Laporan {n}", f"{n} {WORDS}", f"Melati {n}"], words))
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    types = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace("</Types>", types)
    parts["xl/worksheets/sheet1.xml"] = (
        f'<worksheet xmlns="{SPACE}"><sheetData>{"".join(lines)}</sheetData></worksheet>'
    )
    shared = "".join(f"<si><t>{word}</t></si>" for word in words)
    parts["xl/sharedStrings.xml"] = f'<sst xmlns="{SPACE}">{shared}</sst>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, body in parts.items():
            packed.writestr(name, body)


def _row(number: int, values: list[int | str], words: list[str]) -> str:
    cells = []
    for value in values:
        if isinstance(value, str):
            words.append(value)
        cells.append(f'<c t="s"><v>{len(words) - 1}</v></c>' if isinstance(value, str) else f"<c><v>{value}</v></c>")
    return f'<row r="{number}">{"".join(cells)}</row>'


def read(path: Path) -> None:
    from connectors._rows import name_rows, open_rows, read_rows

    begun, count = time.perf_counter(), 0
    with open_rows(str(path)) as file:
        for row in name_rows(read_rows(str(path), file)):
            assert not row.fault
            count += 1
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count:,} rows, {count / seconds:,.0f} a second, at most {peak:,.0f} MiB")


def main() -> None:
    if sys.argv[1:2] == ["--read"]:
        read(Path(sys.argv[2]))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rekap.xlsx"
        write(path, int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
        print(f"{path.stat().st_size / 2**20:,.1f} MiB as it lies")
        subprocess.run([sys.executable, "-m", "bench.workbook", "--read", str(path)], check=True)


if __name__ == "__main__":
    main()
