"""The wire format as files: `python -m tests.schemas.golden` writes the JSON Schema of every event, and
`docs/asyncapi.yaml` with them.

`golden/` is the wire format of the code: a change is a visible diff. `released/` is that of the last release; it is
replaced at a release (`python -m tests.schemas.golden --release`), never to make a test pass.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from schemas import json_schemas

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
RELEASED = HERE / "released"


def written(schema: dict[str, Any]) -> bytes:
    """As it stands in its file."""
    return msgspec.json.format(msgspec.json.encode(schema, order="deterministic"), indent=2) + b"\n"


def stored(folder: Path) -> dict[str, dict[str, Any]]:
    """The schemas of a folder by topic."""
    return {path.stem: msgspec.json.decode(path.read_bytes()) for path in sorted(folder.glob("*.json"))}


def current() -> dict[str, dict[str, Any]]:
    """The schemas of the code, as they would be read from files."""
    return {topic: msgspec.json.decode(written(schema)) for topic, schema in json_schemas().items()}


def write(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    schemas = json_schemas()
    for gone in set(stored(folder)) - set(schemas):
        (folder / f"{gone}.json").unlink()
    for topic, schema in schemas.items():
        (folder / f"{topic}.json").write_bytes(written(schema))


if __name__ == "__main__":
    from tests.schemas import asyncapi

    write(GOLDEN)
    asyncapi.FILE.write_text(asyncapi.written(), encoding="utf-8")
    if "--release" in sys.argv[1:]:
        write(RELEASED)
