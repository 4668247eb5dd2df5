"""`channels`: the first file, another account, typical mistakes, a real connection, an account that is released."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from connectors import channel_type, kinds
from hub.accounts_file import parse_accounts
from hub.first_start import commented_table, write_first_channels_file
from hub.settings import UsageError
from tests.cli.program import one_line, satupintu
from tests.fakes.kannel import Kannel

SMS = '[sms]\nkind = "sms"\nowner = "32.73"\n'


def test_the_first_file_has_an_account_of_each_kind_that_needs_no_contract(tmp_path: Path) -> None:
    write_first_channels_file(tmp_path / "channels.toml")
    text = (tmp_path / "channels.toml").read_text()
    snapshot = parse_accounts(text, source="channels.toml")
    assert set(snapshot.accounts) == {kind for kind in kinds() if not channel_type(kind).needs_contract}
    assert {"web", "sms", "whatsapp", "file"} <= set(snapshot.accounts)
    assert (tmp_path / "channels.toml").stat().st_mode & 0o077 == 0
    write_first_channels_file(tmp_path / "other.toml")
    assert text != (tmp_path / "other.toml").read_text()  # each has secrets of its own


@pytest.mark.parametrize("kind", kinds())
def test_the_table_of_every_kind_can_be_used_as_it_is(kind: str) -> None:
    [account] = parse_accounts(commented_table(kind), source="channels.toml").accounts.values()
    assert account.channel.kind == kind


def test_channels_new_prints_a_table_to_paste(tmp_path: Path) -> None:
    done = satupintu("channels", "new", "sms", data=tmp_path / "never")
    assert tomllib.loads(done.stdout)["sms"]["kind"] == "sms"
    assert not (tmp_path / "never").exists()
    assert "takes one of" in one_line(satupintu("channels", "new", "pigeon"), 64)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[sms]\nkind = "smss"\nowner = "32.73"\n', "[sms] in c.toml: kind takes one of"),
        ('[sms]\nkind = "sms"\n', "[sms] in c.toml: owner is missing"),
        ('[sms]\nkind = "sms"\nowner = "32.99"\n', "[sms] in c.toml: owner 32.99 is no region"),
        (SMS + 'tokn = "x"\n', "tokn is no setting (did you mean token?)"),
        (SMS + "token = 5\n", "token takes env:NAME, file:PATH or the value in quotes"),
        (SMS + 'token = ["t"]\n', "token: takes env:NAME, file:PATH or the value in quotes"),
        (SMS + 'token = "$SMS_TOKEN"\n', "token: $SMS_TOKEN is not replaced here: write env:SMS_TOKEN"),
        (SMS + 'token = "env:NOT_SET_ANYWHERE"\n', "the environment has no NOT_SET_ANYWHERE: set it"),
        (SMS + 'token = "file:/nowhere/token"\n', "/nowhere/token cannot be read"),
        (SMS + 'state = "paused"\n', 'state takes "active", "silent" or "closed"'),
        (SMS + 'send_url = "kannel:13013"\n', "send_url"),
        (SMS.replace("[sms]", "[SMS]"), "an account's name is lower-case letters"),
        ('kind = "sms"\n', "kind in c.toml stands outside a table"),
        (SMS + SMS, "c.toml is not valid TOML, line 4, [sms]: this table stands twice"),
        (SMS + "sender = 1708\n", "[sms] in c.toml: sender: takes text: write the value in quotes"),
        ('[sms]\nkind = "sms"\nowner = 36.03\n', "owner is a number: write the region code in quotes"),
        ('[sms]\nkind = "sms"\nowner = "kota bandung"\n', 'is a region in words: write its code, owner = "32.73"'),
        ('[sms]\nkind = "sms"\nowner = "Bandung"\n', 'write its code, owner = "32.04" or owner = "32.73"'),
        ('[sms]\nkind = "sms"\nowner = "Dinas Sosial"\n', "is no office's id: ids have no blanks"),
        ('[sms]\nowner = "32.73"\n', '[sms] in c.toml: kind is missing: add one, as kind = "sms"'),
        ('[sms]\nkind = "SMS"\nowner = "32.73"\n', "(did you mean sms?)"),
        ('[web]\nkind = "web"\nowner = "32.73"\nrate = 0\n', "[web] in c.toml: rate: takes a number of at least 1"),
        ("[sms]\nkind = sms\n", 'line 2, [sms], kind: write the value in quotes, as kind = "…"'),
        ('[sms]\nkind = "sms\nowner = "32.73"\n', 'line 2, [sms], kind: a quote is missing: write kind = "…"'),
        ("[sms]\nkind = “sms”\n", 'line 2, [sms], kind: write straight quotes, as kind = "…"'),
        ('[sms]\nkind: "sms"\n', 'line 2, [sms], kind: write key = "value"'),
        (SMS + 'kind = "web"\n', "line 4, [sms], kind: this key stands twice"),
        (SMS + 'password = "a\\b c"\nsender = "C:\\x"\n', "a backslash has a meaning between these quotes"),
        ('[sms bandung]\nkind = "sms"\n', "line 1, [sms bandung]: write a table as [name]"),
        (SMS + '[sms bandung]\nkind = "sms"\n', "line 4, [sms bandung]: write a table as [name]"),
        (
            SMS + 'gateway = "kanel"\n',
            "gateway: takes one of kannel, jasmin, twilio, infobip, other, not 'kanel' (did you mean kannel?)",
        ),
        (SMS + 'states = { "OK" = "sampai" }\n', "states: takes one of "),
        ('[sms]\nkind = "sms"\nkeywords = {', "a quote or a bracket is never closed"),
        ('[[sms]]\nkind = "sms"\n', "sms in c.toml stands in two brackets: write [sms]"),
        ('[akun.sms]\nkind = "sms"\n', "[akun] in c.toml: write [akun-sms], without a dot"),
        (SMS + 'keywords = ["LAPOR"]\n', "keywords: takes a table"),
        (SMS + 'token = "%SMS_TOKEN%"\n', "token: %SMS_TOKEN% is not replaced here: write env:SMS_TOKEN"),
        (SMS + 'token = "ENV: NOT_SET_ANYWHERE"\n', "the environment has no NOT_SET_ANYWHERE: set it"),
        (SMS + 'token = "env:"\n', "token: env: names nothing: write env:NAME or file:PATH"),
    ],
)
def test_each_typical_mistake_is_one_line_with_the_key_and_the_fix(text: str, says: str) -> None:
    with pytest.raises(UsageError) as wrong:
        parse_accounts(text, source="c.toml")
    assert says in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_a_mistake_shows_no_secret() -> None:
    with pytest.raises(UsageError) as wrong:
        parse_accounts(SMS + 'token = "sangat-rahasia\n', source="c.toml")
    assert "token: a quote is missing" in str(wrong.value)
    assert "rahasia" not in str(wrong.value)


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (b"\xef\xbb\xbf" + SMS.encode(), 0, "[sms] sms, owner 32.73"),
        (SMS.encode("utf-16"), 64, "is not in UTF-8: save it as UTF-8"),
        (b"", 0, "has no account, so nothing is taken in"),
    ],
    ids=["bom", "utf-16", "empty"],
)
def test_a_file_of_another_editor_is_read_or_named(tmp_path: Path, content: bytes, code: int, says: str) -> None:
    (tmp_path / "channels.toml").write_bytes(content)
    done = satupintu("channels", data=tmp_path)
    assert done.returncode == code
    assert says in done.stdout + done.stderr


def test_the_accounts_beside_a_wrong_one_are_listed_checked_and_tried(tmp_path: Path) -> None:
    wrong = '[lupa]\nkind = "sms"\nowner = "32.73"\ntoken = "env:NOT_SET_ANYWHERE"\n'
    (tmp_path / "channels.toml").write_text(f'{wrong}[berkas]\nkind = "file"\nowner = "32.73"\n')
    listed = satupintu("channels", "--json", data=tmp_path)
    assert (listed.returncode, [one["account"] for one in json.loads(listed.stdout)]) == (64, ["berkas"])
    assert listed.stderr.startswith("satupintu: [lupa] in ")
    assert listed.stderr.count("\n") == 1
    checked = satupintu("doctor", data=tmp_path).stdout
    assert "WRONG  channels: [lupa] in " in checked
    assert "channel berkas: active" in checked
    assert "env" in one_line(satupintu("channels", "test", "lupa", data=tmp_path), 64)
    assert satupintu("channels", "test", "berkas", data=tmp_path).returncode == 0


WHATSAPP = 'kind = "whatsapp"\nowner = "32.73"\nphone_number_id = "1"\napp_secret = "a"\nverify_token = "b"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "WRONG  channels: "),
        (f"{SMS}token = ''\n", "WRONG  channel sms: token is empty: nothing that comes to its address is taken in"),
        (f"[satu]\n{WHATSAPP}[dua]\n{WHATSAPP}", "WRONG  channel satu: has the same address at the provider as dua"),
        ('[p]\nkind = "portal"\nowner = "32"\n', "WRONG  channel p: active, cannot work yet: set manifest in "),
    ],
    ids=["empty", "token", "copied", "portal"],
)
def test_doctor_names_accounts_that_take_nothing_in(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "channels.toml").write_text(text)
    done = satupintu("doctor", data=tmp_path)
    assert done.returncode == 1
    assert says in done.stdout


def test_an_empty_file_of_a_secret_is_named(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")
    with pytest.raises(UsageError, match="is empty: write the secret into it"):
        parse_accounts(SMS + f'token = "file:{tmp_path / "token"}"\n', source="c.toml")


def test_a_real_connection_is_tried_and_a_message_sent(tmp_path: Path) -> None:
    with Kannel("u", "p") as kannel:
        login = f'token = "t"\nsend_url = "{kannel.send_url}"\nusername = "u"\npassword = "p"\nsender = "1708"\n'
        (tmp_path / "channels.toml").write_text(SMS + login)
        done = satupintu("channels", "test", "sms", "--send", "+628120000001", data=tmp_path)
        assert done.returncode == 0, done.stdout
        assert len(kannel.sent) == 1
        (tmp_path / "channels.toml").write_text(SMS + login.replace('"p"', '"wrong"'))
        done = satupintu("channels", "test", "sms", "--send", "+628120000001", data=tmp_path)
    assert (done.returncode, "WRONG" in done.stdout) == (1, True)
    assert len(kannel.sent) == 1


def test_an_account_without_its_settings_is_named(tmp_path: Path) -> None:
    (tmp_path / "channels.toml").write_text(SMS + 'token = "t"\n')
    done = satupintu("channels", "test", "sms", data=tmp_path)
    assert (done.returncode, "set send_url" in done.stdout) == (1, True)
    assert "is no account" in one_line(satupintu("channels", "test", "smss", data=tmp_path), 64)
    assert "with --sample FILE" in one_line(satupintu("channels", "test", "portal.toml", data=tmp_path), 64)


def test_an_account_without_a_provider_is_said_to_have_nothing_to_try(tmp_path: Path) -> None:
    (tmp_path / "channels.toml").write_text('[web]\nkind = "web"\nowner = "32"\n')
    done = satupintu("channels", "test", "web", data=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert "web: an account of kind web connects to no provider, so there is nothing to try" in done.stderr


def test_nothing_that_is_not_put_aside_is_released(tmp_path: Path) -> None:
    satupintu("ingest", "/dev/null", data=tmp_path)
    assert "put aside by no stage" in one_line(satupintu("channels", "release", "sms", data=tmp_path), 1)


def test_channels_show_state_and_health(tmp_path: Path) -> None:
    (tmp_path / "channels.toml").write_text(SMS + 'token = "t"\nstate = "closed"\n')
    [account] = json.loads(satupintu("channels", "--json", data=tmp_path).stdout)
    assert (account["state"], account["health"]) == ("closed", "closed: refuses with 503")
