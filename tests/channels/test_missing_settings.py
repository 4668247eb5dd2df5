"""The setting without which an account takes nothing in, told apart from those without which it cannot answer."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from connectors import Channel, channel_type, secret_hook
from tests.channels.recording import FILES

KEY = "rahasia-yang-panjang"
BARE = {
    "app": None, "console": None, "counter": "api_keys", "database": "manifest", "email": "imap",
    "facebook": "app_secret", "file": None, "instagram": "app_secret", "lapor": "token", "lapor-xml": "token",
    "line": "channel_secret", "messenger": "app_secret", "open311": "url", "portal": "manifest", "smpp": "hosts",
    "sms": "token", "telegram": "secret", "web": None, "webhook": "url", "whatsapp": "app_secret", "x": "user_id",
}  # fmt: skip
"""By kind: what an account with none of its settings lacks."""
TOLD_APART: list[tuple[str, dict[str, Any], str | None, str | None]] = [
    ("sms", {"token": KEY}, None, "send_url"),
    ("email", {"imap": "imaps://mail.example.go.id:993"}, None, "smtp"),
    ("telegram", {"mode": "poll", "secret": KEY}, "token", "token"),
    ("telegram", {"secret": KEY}, None, "token"),
    ("open311", {"keys": [KEY]}, None, None),
    ("portal", {"manifest": "portal-daerah"}, "secrets.api_key", "secrets.api_key"),
    ("x", {"user_id": "1", "bearer_token": KEY}, None, "consumer_key"),
]


def account(kind: str, settings: dict[str, Any]) -> Channel:
    made = channel_type(kind)
    return made("akun", "32.04", msgspec.convert(settings, made.settings_type, dec_hook=secret_hook))


def test_every_kind_is_in_the_table():
    assert set(BARE) == FILES


@pytest.mark.parametrize("kind", sorted(BARE))
def test_an_account_with_no_settings_names_what_it_lacks(kind: str):
    assert account(kind, {}).missing_for_intake == BARE[kind]


@pytest.mark.parametrize(("kind", "settings", "intake", "sending"), TOLD_APART)
def test_taking_in_and_answering_lack_different_settings(
    kind: str, settings: dict[str, Any], intake: str | None, sending: str | None
):
    door = account(kind, settings)
    assert (door.missing_for_intake, door.missing_setting) == (intake, sending)
