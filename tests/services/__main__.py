"""`python -m tests.services COMMAND…` runs it beside one Kafka and one PostgreSQL that all its processes share.

A test that breaks a server starts one of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.services.kafka import a_kafka
from tests.services.postgres import SHARED, Postgres


def main() -> int:
    """The command's exit code."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as servers:
        env = {"SATUPINTU_TEST_POSTGRES": servers.enter_context(Postgres(SHARED)).url()}
        try:
            env["SATUPINTU_TEST_KAFKA"] = servers.enter_context(a_kafka(Path(folder)))
        except pytest.skip.Exception as reason:  # the tests that need it say so themselves
            print(reason, file=sys.stderr)
        return subprocess.run(sys.argv[1:], env=os.environ | env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
