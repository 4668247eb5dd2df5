"""The guides in `docs/channels`: their tables give accounts, and the codes that they explain are codes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors import channel_type, kinds, secret_hook

ROOT = Path(__file__).parents[2]
GUIDES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs" / "channels").glob("*.md"))}
WORDS = {
    word
    for room in ("connectors", "hub", "sink")
    for path in (ROOT / room).rglob("*.py")
    for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))
}
"""Of the program."""
_BLOCK, _ENV = re.compile(r"```toml\n(.*?)```", re.DOTALL), re.compile(r'"(env|file):[^"]*"')
_SEEN = re.compile(r"^\| (.+?) \|", re.MULTILINE)
_CODE = re.compile(r"`([a-z]+(?:_[a-z]+)+)`")


def tables(kind: str) -> list[dict[str, Any]]:
    """The accounts that a guide shows; lines below no heading belong to an account of its kind."""
    found: list[dict[str, Any]] = []
    for block in _BLOCK.findall(GUIDES[kind]):
        known = tomllib.loads(_ENV.sub('"rahasia8"', block))
        accounts = [one for one in known.values() if isinstance(one, dict) and "kind" in one]
        found += accounts or [known]
    return found


def test_each_guide_is_about_a_kind() -> None:
    assert GUIDES.keys() <= set(kinds())


@pytest.mark.parametrize("kind", GUIDES)
def test_the_settings_of_a_guide_exist_and_give_an_account(kind: str) -> None:
    for table in tables(kind):
        settings = {name: value for name, value in table.items() if name not in {"kind", "owner", "state"}}
        made = channel_type(table.get("kind", kind))
        assert made.kind == kind
        account = made("akun", "32.73", msgspec.convert(settings, made.settings_type, dec_hook=secret_hook))
        assert account.account == "akun"


@pytest.mark.parametrize("kind", GUIDES)
def test_the_codes_that_a_guide_explains_exist(kind: str) -> None:
    codes = {code for cell in _SEEN.findall(GUIDES[kind]) for code in _CODE.findall(cell)}
    assert codes <= WORDS
