"""Write the lock files from pyproject.toml: `make lock`. Hashes, no index address, good for every Python from 3.11."""

import subprocess
import sys
from pathlib import Path

COMMON = (
    "--universal",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-header",
    "--python-version",
    "3.11",
    "--quiet",
)


def lock(target: str, *what: str) -> None:
    """Resolve `what` into `target` with uv, which `make lock` installs."""
    subprocess.run([sys.executable, "-m", "uv", "pip", "compile", *what, *COMMON, "-o", target], check=True)  # noqa: S603
    print("wrote", target)  # noqa: T201


if __name__ == "__main__":
    if not Path("pyproject.toml").exists():
        sys.exit("run it in the project's root: make lock")
    lock("requirements.lock", "pyproject.toml")
    lock("requirements-dev.lock", "pyproject.toml", "--group", "dev")
    lock("deploy/build.lock", "deploy/build.in")
