"""Wrong calls, settings and files: one line that says what to do, and 64."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hub.cli import COMMANDS, run_command
from hub.commands._stated import named_category, named_place
from hub.editions import EditedFile
from hub.opening import open_record
from hub.settings import UsageError, load_settings
from tests.cli.program import CLEAN, one_line, satupintu


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    done = satupintu(command, "--help")
    assert done.returncode == 0
    assert "Example:" in done.stdout
    assert "satupintu " in done.stdout.split("Example:")[1]


@pytest.mark.parametrize("word", ["list", "show", "replay"])
def test_every_word_of_dead_has_help_with_an_example(word: str) -> None:
    assert "Example:" in satupintu("dead", word, "--help").stdout


def test_help_lists_every_command_of_the_interface() -> None:
    shown = satupintu("--help").stdout
    assert set(COMMANDS) >= {"up", "run", "demo", "parse", "ingest", "export", "ledger", "dead", "replay", "replies"}
    assert set(COMMANDS) >= {"find", "channels", "doctor", "read", "match", "route"}
    assert all(f"\n  {word} " in shown for word in COMMANDS)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["ledgr"], "(did you mean ledger?): use one of"),
        (["ledger", "--jsn"], "'--listen'?) Try: "),
        (["ingest"], "ingest --help"),
        (["ingest", "/nowhere/rows.csv"], "cannot be read"),
        (["parse", "pigeon"], "takes one of"),
        (["parse", "portal"], "--manifest"),
        (["parse", "sms", "--header", "broken", "--query", "a=b"], "NAME=VALUE"),
        (["run", "reeder"], "did you mean reader?"),
        (["run", "foo"], "foo is no stage: run one of door, "),
        (["run", "forwarder", "--bus", "memory://"], "use satupintu up"),
        (["forwards", "stands", "forward/lapor/x", "1"], "satupintu up"),
        (["run", "reader", "--bus", "memory://"], "use satupintu up"),
        (["up", "--workers", "1", "--bus", "memory://"], "use satupintu up"),
        (["up", "--workers", "many"], "--help"),
        (["up", "--listen", "8080"], "host:port"),
        (["ledger", "--zone", "Asia/Jakrta"], "zone takes"),
        (["ledger", "--bus", "rabbit://x"], "bus takes"),
        (["export", "--since", "yesterday"], "is no time"),
        (["replay"], "--since"),
        (["ledger", "--config", "/nowhere.toml"], "does not exist"),
        (["run", "sink", "--record", "sqlite:////dev/null/record.db"], "/dev/null cannot be written"),
    ],
)
def test_a_wrong_call_is_one_line_that_says_what_to_do(words: list[str], says: str, tmp_path: Path) -> None:
    assert says in one_line(satupintu(*words, data=tmp_path), 64)


@pytest.mark.parametrize(
    "words",
    ["ledger", "export", "dead list", "dead show x", "dead replay x --apply", "replay --since 2025-07-01", "channels"],
)
def test_a_command_that_reads_makes_nothing(words: str, tmp_path: Path) -> None:
    output = one_line(satupintu(*words.split(), data=tmp_path / "typo"), 64)
    assert f"no hub has been started in {tmp_path / 'typo'}: start it with satupintu up" in output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["route", "ingest"])
def test_wrong_rules_name_file_key_and_fix(command: str, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text('[[rule]]\nname = "jalan"\nwhen = { regio = "32" }\n')
    (tmp_path / "rows.ndjson").write_text('{"text": "Jalan rusak"}\n')
    output = one_line(satupintu(command, str(tmp_path / "rows.ndjson"), data=tmp_path), 64)
    assert f"{tmp_path / 'rules.toml'}: rule 1, key `when.regio` is unknown: remove it" in output


def test_settings_stand_before_or_after_the_command(tmp_path: Path) -> None:
    (tmp_path / "channels.toml").write_text('[berkas]\nkind = "file"\nowner = "32.73"\n')
    before = satupintu("--data", str(tmp_path), "channels", "--json")
    after = satupintu("channels", "--json", "--data", str(tmp_path))
    assert before.stdout == after.stdout != ""


def test_the_hubs_zone_is_that_of_an_account_without_one(tmp_path: Path) -> None:
    (tmp_path / "channels.toml").write_text('[berkas]\nkind = "file"\nowner = "32.73"\n')
    assert "zone: Asia/Makassar" in satupintu("channels", "--zone", "Asia/Makassar", data=tmp_path).stdout


def test_a_channel_without_a_mouth_says_so(tmp_path: Path) -> None:
    (tmp_path / "channels.toml").write_text('[sms]\nkind = "sms"\nowner = "32.73"\ntoken = "rahasia-gerbang-sms"\n')
    assert "takes in, cannot answer: set send_url" in satupintu("channels", data=tmp_path).stdout
    done = satupintu("doctor", "--listen", "127.0.0.1:9", data=tmp_path)
    assert (done.returncode, "takes in, cannot answer: set send_url" in done.stdout) == (0, True)


def test_a_wrong_channels_file_names_account_and_key(tmp_path: Path) -> None:
    (tmp_path / "channels.toml").write_text('[sms]\nkind = "sms"\nowner = "32.73"\ntokn = "x"\n')
    assert "tokn is no setting (did you mean token?)" in one_line(satupintu("channels", data=tmp_path), 64)


def test_a_data_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "--data" in one_line(satupintu("ledger", data=tmp_path / "file" / "below"), 64)


def test_a_record_that_is_gone_while_its_keys_are_here_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load_settings({"data": str(tmp_path)}, {})
    for made in (True, False):
        with open_record(settings):
            pass
        assert ("an empty one is made at" in caplog.text) is not made
        Path(tmp_path / "record.db").unlink()


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        output = one_line(satupintu("up", "--listen", f"127.0.0.1:{taken.getsockname()[1]}", data=tmp_path), 64)
    assert "--listen" in output


def test_a_fault_is_one_line_without_traceback(tmp_path: Path) -> None:
    satupintu("ingest", "/dev/null", data=tmp_path)
    (tmp_path / "record.db").write_bytes(b"no database at all" * 1000)
    assert "doctor" in one_line(satupintu("ledger", data=tmp_path), 1)


def test_a_reader_that_has_enough_is_no_fault(tmp_path: Path) -> None:
    rows = tmp_path / "rows.ndjson"
    rows.write_text('{"text": "Jalan rusak parah di depan pasar"}\n' * 5000)
    call = [sys.executable, "-m", "hub", "read", str(rows)]
    with subprocess.Popen(call, stdout=-1, stderr=-1, env=CLEAN) as reading:
        assert reading.stdout
        assert reading.stderr
        reading.stdout.close()
        assert reading.stderr.read() == b""
        assert reading.wait(20) == 0


def test_help_loads_nothing_heavy() -> None:
    call = "from hub.cli import run_command; run_command(['--help'])"
    code = f"import sys; {call}; print(sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert not [
        name for name in ("sqlalchemy", "aiohttp", "fastapi", "uvicorn", "aiokafka") if f"'{name}'" in done.stderr
    ]


def test_closed_standard_streams_take_no_socket_along() -> None:
    """A caller that runs without a terminal may hand over none."""
    close_all = f"import os; os.closerange(0, 3); os.execl(*[{sys.executable!r}] * 2, '-m', 'hub', 'read')"
    assert subprocess.run([sys.executable, "-c", close_all], timeout=120, env=CLEAN, check=False).returncode == 0


def test_a_full_disk_under_the_output_is_said(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "hub", "channels", "new", "web"],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=120, env=CLEAN, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "No space left on device" in done.stderr


def test_a_mark_of_utf_8_at_the_front_of_a_settings_file_is_no_letter(tmp_path: Path) -> None:
    """Windows' editor writes one."""
    (tmp_path / "hub.toml").write_text('zone = "Asia/Makassar"\r\n', encoding="utf-8-sig")
    assert load_settings({"config": str(tmp_path / "hub.toml")}, {}).zone.key == "Asia/Makassar"


@pytest.mark.parametrize("key", ["data", "channels", "keys"])
def test_an_empty_path_is_not_the_folder_of_the_call(key: str) -> None:
    with pytest.raises(UsageError, match=f"{key} takes"):
        load_settings({}, {f"SATUPINTU_{key.upper()}": ""})


def test_a_mark_of_utf_8_at_the_front_of_an_edited_file_is_no_letter(tmp_path: Path) -> None:
    (tmp_path / "channels.toml").write_text("[web]\n", encoding="utf-8-sig")
    assert EditedFile("accounts", tmp_path / "channels.toml", str, lambda *_: None).changed_text() == "[web]\n"


def test_a_stated_region_has_level_and_name() -> None:
    stated = {"code": "32.73.02", "level": None, "name": None, "words": None}
    assert named_place(stated) == {"code": "32.73.02", "level": "district", "name": "Coblong", "words": None}
    assert named_place(None) is None
    assert named_place(stated | {"code": None}) == stated | {"code": None}


def test_a_stated_category_has_its_name() -> None:
    stated = {"id": "928", "name": None, "top": None, "p": None}
    named = {"name": "Infrastruktur Jalan", "top": "Pekerjaan Umum dan Penataan Ruang"}
    assert named_category(stated) == stated | named
    assert named_category(stated | {"id": "pju"}) == stated | {"id": "pju"}
    assert named_category({"id": "928", "name": None}) == {"id": "928", "name": "Infrastruktur Jalan"}


@pytest.mark.parametrize("words", [["dead"], ["dead", "lst"]])
def test_a_family_without_a_word_of_it_names_its_words(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(words) == 64
    assert "dead takes one of dismiss, list, replay, show" in one_line_of(capsys)


def one_line_of(capsys: pytest.CaptureFixture[str]) -> str:
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    return shown


def test_an_import_that_is_stopped_says_how_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hub.commands.ingest.with_hub", stopped)
    (tmp_path / "rows.ndjson").write_text('{"text": "jalan rusak"}\n')
    assert run_command(["ingest", str(tmp_path / "rows.ndjson"), "--data", str(tmp_path)]) == 130
    assert "Run the same command again" in capsys.readouterr().err
