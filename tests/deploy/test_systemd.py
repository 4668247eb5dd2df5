"""`satupintu-command` takes user, settings and secrets from the unit, as systemd reads them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

COMMAND = Path(__file__).parents[2] / "deploy" / "systemd" / "satupintu-command"
UNIT = """[Service]
User=satupintu
Environment=SATUPINTU_DATA=/var/lib/satupintu SATUPINTU_LISTEN=127.0.0.1:8080
EnvironmentFile=-{secrets}
ExecStart=/opt/satupintu/.venv/bin/satupintu up --workers 2
"""
EDITED = """[Service]
Environment="SATUPINTU_BUS=kafka://hub:a%%40b@one:9092" SATUPINTU_LISTEN=127.0.0.1:9999
ExecStart=
ExecStart=/srv/satupintu/.venv/bin/satupintu up
"""


def test_a_command_has_what_the_service_has(tmp_path: Path) -> None:
    (tmp_path / "secrets.env").write_text("# tokens\nTOKEN=\"a 'b' $c\"\n\nLAST=z")
    unit = tmp_path / "satupintu.service"
    unit.write_text(UNIT.format(secrets=tmp_path / "secrets.env"))
    (tmp_path / "satupintu.service.d").mkdir()
    (tmp_path / "satupintu.service.d" / "override.conf").write_text(EDITED)  # as `systemctl edit` writes it
    runuser = tmp_path / "runuser"
    runuser.write_text('#!/bin/sh\necho "$@"\nenv | grep -E "^(SATUPINTU_|TOKEN|LAST)" | sort\n')
    runuser.chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "UNIT": str(unit)}
    done = subprocess.run(["sh", COMMAND, "find", "a b"], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "-u satupintu -- /srv/satupintu/.venv/bin/satupintu find a b",
        "LAST=z",
        "SATUPINTU_BUS=kafka://hub:a%40b@one:9092",
        "SATUPINTU_DATA=/var/lib/satupintu",
        "SATUPINTU_LISTEN=127.0.0.1:9999",
        "TOKEN=a 'b' $c",
    ]
    away = subprocess.run(["sh", COMMAND], env=env | {"UNIT": "/nowhere"}, capture_output=True, text=True, check=False)
    assert (away.returncode, "call this with sudo" in away.stderr) == (64, True)
