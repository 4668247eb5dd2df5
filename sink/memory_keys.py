"""The hashes under which the matcher's memory looks things up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import NamedTuple

from schemas import Action, Message
from sink.vault import Vault

REPORTER_HASH = 8
"""Bytes of a hash that says who a report's reporters are: it is compared with those of a few candidates, and looked up
nowhere."""


_HALF = 8
"""Bytes."""


class SenderHashes(NamedTuple):
    """Hashes of a message's sender, each with its plain value."""

    conversations: Mapping[bytes, str]
    """All of its conversations on the account, as `account/conversation`."""
    identities: Mapping[bytes, str]
    """What identifies it on every account."""
    proven: bool

    @property
    def reporter(self) -> bytes:
        """As `numbers.reporter` holds them, end to end."""
        return _joined(chain(self.identities, self.conversations))

    @property
    def proof(self) -> bytes:
        """Those that prove who it is, as `match_reports.reporter` holds them, end to end."""
        return self.reporter if self.proven else _joined(self.conversations)


_NOBODY = SenderHashes({}, {}, proven=False)


class MemoryKeys:
    """Hashes of conversations, identities, report keys and foreign ids."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def of_sender(self, item: Message | Action) -> SenderHashes:
        """Of a message's sender; nothing of an action's."""
        if not isinstance(item, Message):
            return _NOBODY
        digest = self._vault.digest
        names = (item.key, *(f"{item.account}/{alias}" for alias in item.aliases))
        return SenderHashes(
            {digest("conversation", name): name for name in names},
            {digest("identity", value): value for value in item.sender.identities},
            item.proven,
        )

    def sender(self, message: Message) -> bytes:
        """What tells senders apart."""
        return self._vault.digest("sender", message.told_apart_by)

    def senders_apart(self, messages: Iterable[Message]) -> dict[bytes, str]:
        """The same and its hash, of many messages."""
        return {self._vault.digest("sender", name): name for name in {m.told_apart_by for m in messages}}

    def report(self, key: str) -> bytes:
        """Of a report key (`schemas.memory.Query`), which ends with the digest of its words: the first half is theirs,
        so that all keys of one report lie together."""
        words = self._vault.digest("words", key.rpartition("\0")[2])
        return words[:_HALF] + self._vault.digest("same_words", key)[:_HALF]

    def foreign(self, pair: tuple[str, str]) -> bytes:
        """Of a system's name and its id of a complaint."""
        return self._vault.digest("foreign", "\0".join(pair))

    def message(self, id: str) -> bytes:
        """Of a message id."""
        return self._vault.message_key(id)


def known_identities(joined: bytes, plain: Mapping[bytes, str]) -> frozenset[str]:
    """The plain values of those hashes in `numbers.reporter` that the batch itself brings (`plain`, by the first bytes
    of their hashes)."""
    hashes = [joined[start : start + REPORTER_HASH] for start in range(0, len(joined), REPORTER_HASH)]
    return frozenset([plain[hashed] for hashed in hashes if hashed in plain])


def _joined(hashes: Iterable[bytes]) -> bytes:
    return b"".join(hashed[:REPORTER_HASH] for hashed in hashes)
