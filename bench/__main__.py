"""`python -m bench` lists the benchmarks; `python -m bench all` runs those that need no arguments (over an
hour)."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

NAMES = (
    "limits", "ingress", "ingest", "batches", "latency", "parts", "replies", "accounts", "smpp", "mail", "telegram",
    "garbage", "attacks", "start", "kafka_ingest", "kafka_latency", "stages", "routing", "due", "forwarder",
    "portal", "portals", "fuzz", "matching", "record_bytes", "workbook",
)  # fmt: skip
"""Those that `all` runs. The others take a folder of real rows, or are drills."""


def about(name: str) -> str:
    """The first line of its docstring."""
    source = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def main() -> None:
    """List them, or run all."""
    runs = sys.argv[1:] == ["all"]
    others = {file.stem for file in Path(__file__).parent.glob("[!_]*.py")} - {*NAMES}
    for name in (*NAMES, *(() if runs else sorted(others))):
        print(f"{name:14} {about(name)}", flush=True)
        if runs:
            subprocess.run([sys.executable, "-m", f"bench.{name}"], check=True)


if __name__ == "__main__":
    main()
