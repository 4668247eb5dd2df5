"""Write the JSON Schema of a portal's manifest, for editors: `python -m deploy.manifest_schema`."""

from __future__ import annotations

from pathlib import Path

from connectors._portal_loading import manifest_schema

FILE = Path(__file__).parents[1] / "docs" / "manifest.schema.json"

if __name__ == "__main__":
    FILE.write_bytes(manifest_schema())
