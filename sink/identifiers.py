"""Channels' ids inside and outside the record.

Meta's message ids and Telegram's chat ids hold a citizen's phone number, or lead to it. Inside, an id is looked up by a
keyed hash. What leaves the program is the id itself, or `#` and 32 hex digits where the kind's ids may hold a phone.
"""

from __future__ import annotations

import re
from collections.abc import Container
from urllib.parse import unquote

from schemas import message_id
from sink.vault import Vault

_PUBLIC = re.compile("#[0-9a-f]{32}")


class Identifiers:
    """The two forms of a channel's ids; `personal` are the kinds whose ids may hold a phone."""

    def __init__(self, vault: Vault, personal: Container[object]) -> None:
        self._vault = vault
        self._personal = personal

    def key(self, channel: str, account: str, native: str) -> bytes:
        """The hash by which the id is looked up."""
        return self._vault.message_key(message_id(channel, account, native))

    def is_personal(self, kind: str) -> bool:
        """Whether an id of that kind must not stand in plain."""
        return kind in self._personal

    def public_id(self, kind: str, native: str) -> str:
        """A channel's own id as it may leave the program; one that left and came back stays."""
        if kind not in self._personal or not native or _PUBLIC.fullmatch(native):
            return native
        return f"#{self._vault.digest('public', f'{kind}/{native}').hex()}"

    def public_message_id(self, message: str) -> str:
        """A message id (`kind/account/native`) as it may leave the program; other text (a complaint id) as it is."""
        parts = message.split("/")
        if len(parts) != 3 or unquote(parts[0]) not in self._personal:
            return message
        kind, account, native = map(unquote, parts)
        return message_id(kind, account, self.public_id(kind, native))
