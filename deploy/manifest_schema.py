"""Write the JSON Schemas of the manifests, for editors: `python -m deploy.manifest_schema`."""

from __future__ import annotations

from pathlib import Path

from connectors._database_manifest import DatabaseManifest
from connectors._portal_loading import manifest_schema

DOCS = Path(__file__).parents[1] / "docs"

if __name__ == "__main__":
    (DOCS / "manifest.schema.json").write_bytes(manifest_schema())
    (DOCS / "database.schema.json").write_bytes(manifest_schema(DatabaseManifest))
