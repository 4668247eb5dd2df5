"""The hashes under which the matcher's memory looks things up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from schemas import Action, Message
from sink.vault import Vault

REPORTER_HASH = 8
"""Bytes of a hash that says who a report's reporters are: it is compared with those of a few candidates, and looked up
nowhere."""


class MemoryKeys:
    """Hashes of conversations, identities, report keys and foreign ids."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def conversations(self, item: Message | Action) -> dict[str, bytes]:
        """Of all conversations of a message's sender on its account, by `account/conversation`."""
        if not isinstance(item, Message):
            return {}
        names = (item.key, *(f"{item.account}/{alias}" for alias in item.aliases))
        return {name: self._vault.digest("conversation", name) for name in names}

    def own_identities(self, item: Message | Action) -> dict[bytes, str]:
        """Hash to plain value, of what identifies a message's sender on every account."""
        if not isinstance(item, Message):
            return {}
        return {self._vault.digest("identity", value): value for value in item.sender.identities}

    def identities(self, item: Message | Action) -> dict[bytes, str]:
        """The same, and the sender's conversations."""
        conversations = {hashed: name for name, hashed in self.conversations(item).items()}
        return self.own_identities(item) | conversations

    def senders(self, item: Message | Action) -> tuple[bytes, bytes]:
        """Of a message: hashes of the identities that prove who its sender is, end to end; and what tells its sender
        apart."""
        assert isinstance(item, Message)
        hashes = self.identities(item) if item.proven else self.conversations(item).values()
        return _joined(hashes), self.sender(item)

    def sender(self, message: Message) -> bytes:
        """What tells senders apart."""
        return self._vault.digest("sender", message.told_apart_by)

    def report(self, key: str) -> bytes:
        """Of a report key (`schemas.memory.Query`)."""
        return self._vault.digest("same_words", key)

    def foreign(self, pair: tuple[str, str]) -> bytes:
        """Of a system's name and its id of a complaint."""
        return self._vault.digest("foreign", "\0".join(pair))

    def message(self, id: str) -> bytes:
        """Of a message id."""
        return self._vault.message_key(id)


def reporter_hashes(keys: MemoryKeys, item: Message | Action) -> bytes:
    """As `numbers.reporter` holds them, end to end."""
    return _joined(keys.identities(item))


def known_identities(joined: bytes, plain: Mapping[bytes, str]) -> frozenset[str]:
    """The plain values of those hashes in `numbers.reporter` that the batch itself brings (`plain`, by the first bytes
    of their hashes)."""
    hashes = (joined[start : start + REPORTER_HASH] for start in range(0, len(joined), REPORTER_HASH))
    return frozenset(plain[hashed] for hashed in hashes if hashed in plain)


def _joined(hashes: Iterable[bytes]) -> bytes:
    return b"".join(hashed[:REPORTER_HASH] for hashed in hashes)
