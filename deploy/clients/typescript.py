"""The TypeScript client: types by openapi-typescript, calls by openapi-fetch, which is 6 kB and knows nothing of us."""

from __future__ import annotations

import shutil
from pathlib import Path

from deploy.clients.tools import HERE, cached, call

FOLDER = HERE / "typescript"
FILES = ("package.json", "tsconfig.json", "client.ts")
LOCK = ("package.json", "package-lock.json")


def generate_typescript(document: Path, to: Path) -> None:
    """A folder with `api.ts`, the types of every call, and `client.ts`."""
    to.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy(FOLDER / name, to / name)
    cli = node_modules() / "openapi-typescript" / "bin" / "cli.js"
    call(["node", cli, document.absolute(), "--output", (to / "api.ts").absolute()])


def node_modules() -> Path:
    """The generator, the compiler, and what the client uses, by the lock beside this file."""
    pinned = b"".join((FOLDER / name).read_bytes() for name in LOCK)
    return cached("typescript", pinned, _install) / "node_modules"


def _install(folder: Path) -> None:
    for name in LOCK:
        shutil.copy(FOLDER / name, folder / name)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"]
    call(["npm", "ci", *quiet], folder)
