"""The settings of a mailbox: secrets from their places, and what makes no sense is named."""

from __future__ import annotations

import pytest

from hub.accounts_file import parse_accounts
from hub.settings import UsageError

TABLE = """
[surel]
kind = "email"
owner = "32.73"
"""


def account(*lines: str):
    """The account with these lines in its table."""
    return parse_accounts("\n".join((TABLE, *lines)), source="channels.toml").accounts["surel"]


def test_each_secret_of_oauth_comes_from_its_place_and_shows_nowhere(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RAHASIA", "rahasia-klien")
    made = account('[surel.oauth]\nclient_id = "k"\nclient_secret = "env:RAHASIA"')
    assert made.channel.settings.oauth["client_secret"].reveal() == "rahasia-klien"
    assert "rahasia" not in repr(made.channel.settings) + str(made.describe("http://x", reveal=False))


@pytest.mark.parametrize(("url", "host", "port", "tls"), [
    ("imaps://mail.example.go.id", "mail.example.go.id", 993, True), ("imap://h:1143", "h", 1143, False),
    ("imaps://[::1]:1993", "::1", 1993, True),
])  # fmt: skip
def test_a_server_has_a_port(url: str, host: str, port: int, tls: bool):
    assert account(f'imap = "{url}"').channel.settings.imap_server == (host, port, tls)


@pytest.mark.parametrize(("line", "words"), [
    ('imap = "mail.example.go.id"', "imap takes an address"), ('imap = "smtp://h"', "imap takes an address"),
    ('smtp = "smtps://u:p@h"', "smtp takes an address without user"), ('smtp = "smtp://h:x"', "smtp takes an address"),
    ('address = "pengaduan"', "address takes an e-mail address"), ('since = "kemarin"', "since takes a date"),
    ('zone = "Mars/Base"', "zone takes the name"), ('zone = "Asia"', "zone takes the name"),
    ("idle_for = 600", "idle_for"),
    ('after = "delete"', "after"),
    ('[surel.oauth]\ntoken = "x"', "oauth knows no token"),
    ('[surel.oauth]\nclient_secret = "env:TIDAK_ADA"', "set it"),
])  # fmt: skip
def test_what_makes_no_sense_is_named(line: str, words: str):
    with pytest.raises(UsageError, match=words):
        account(line)
