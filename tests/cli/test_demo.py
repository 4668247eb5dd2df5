"""`demo`: through a hub of its own, or the one that is up."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.program import satupintu
from tests.programs import Program, channels
from tests.services.ports import free_port


@pytest.mark.slow
def test_the_demo_starts_a_hub_and_ends_with_a_balanced_ledger(tmp_path: Path) -> None:
    listen = ("--listen", f"127.0.0.1:{free_port()}")
    done = satupintu("demo", *listen, data=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"/lacak/\d{10}", done.stdout)) == 4
    assert "the answers of sms, whatsapp wait" in done.stderr
    assert "One broken lamp, 3 citizens, 2 channels:" in done.stdout
    assert len(re.findall(r"\d{10}   by \w+   same incident as \d{10} \(likeness", done.stdout)) >= 2
    ledger = json.loads(satupintu("ledger", "--json", data=tmp_path).stdout)["all"]
    assert ledger["received"] >= 300
    assert min(ledger[name] for name in ("recorded", "added", "asked", "redelivered", "refused", "dead")) > 0
    assert ledger["lost"] == ledger["in_flight"] == 0


@pytest.mark.slow
def test_the_demo_goes_through_the_hub_that_is_up_and_may_be_repeated(tmp_path: Path) -> None:
    hub = Program(tmp_path / "var", channels())
    hub.start()
    try:
        first = hub.run("demo")
        second = hub.run("demo")
        received = hub.ledger()["all"]["received"]
        beside = satupintu("demo", "--listen", f"127.0.0.1:{hub.port}", data=tmp_path / "playground")
        assert (beside.returncode, hub.ledger()["all"]["received"]) == (64, received)
        assert "name its folder with --data, or another port with --listen" in beside.stderr
    finally:
        hub.stop()
    assert set(re.findall(r"/lacak/(\d{10})", first)).isdisjoint(re.findall(r"/lacak/(\d{10})", second))


@pytest.mark.slow
def test_the_demo_leaves_out_an_account_that_would_reach_real_phones(tmp_path: Path) -> None:
    (tmp_path / "channels.toml").write_text(channels(kannel="http://gateway.example/cgi-bin/sendsms"))
    done = satupintu("demo", "--listen", f"127.0.0.1:{free_port()}", data=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "[sms] is left out" in done.stderr
    assert "sms" not in json.loads(satupintu("ledger", "--json", data=tmp_path).stdout)["accounts"]
