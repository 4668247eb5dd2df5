"""Clients of the API in TypeScript and Dart, generated from its description, into `build/clients`:

    python -m deploy.clients typescript dart

The generators are installed once, in the versions pinned here, under `~/.cache/satupintu`: by npm for TypeScript, by
Maven and pip for Dart. What is generated is not committed.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from deploy.clients.dart import generate_dart
from deploy.clients.typescript import generate_typescript
from hub.web.app import build_routes

GENERATORS = {"typescript": generate_typescript, "dart": generate_dart}


def main(words: list[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m deploy.clients", description=__doc__)
    parser.add_argument("languages", nargs="+", choices=sorted(GENERATORS))
    parser.add_argument("--to", type=Path, default=Path("build/clients"))
    given = parser.parse_args(words)
    document = write_description(given.to)
    for language in given.languages:
        folder = given.to / language
        GENERATORS[language](document, folder)
        sys.stdout.write(f"{folder}\n")


def write_description(folder: Path) -> Path:
    """The OpenAPI document, as a running hub answers it at /api/v1/openapi.json."""
    folder.mkdir(parents=True, exist_ok=True)
    document = folder / "openapi.json"
    document.write_text(json.dumps(build_routes().openapi(), indent=1), encoding="utf-8")
    return document


if __name__ == "__main__":
    main()
