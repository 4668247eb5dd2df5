"""Keys, and all that is done with them: personal values sealed, look-up hashes, complaint numbers, tokens.

The keys file is TOML, mode 600:

    key = "k1"              # the key that seals new values; older ones stay in [seal] until nothing is sealed with them
    lookup = "…"            # 32 bytes in base64, as every key: hashes of personal values
    number = "…"            # complaint numbers
    token = "…"             # tokens given at filing
    [seal]
    k1 = "…"

A sealed value is: length of the key id (1 byte), key id, nonce (12 bytes), AES-256-GCM of the UTF-8 text. The key id
and the column for which the value was sealed ("parties.sealed") are authenticated with it: a value that was moved to
another column does not open. Losing `lookup`, `number` or `token` breaks threads and tokens, losing a sealing key loses
the reporters: the record therefore holds `check()` and refuses other keys.
"""

from __future__ import annotations

import os
import stat
import tomllib
from base64 import b32encode, b64decode, b64encode
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from hmac import digest
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sink.disk import sync_folder

_NONCE, _TAG = 12, 16
"""Bytes."""
_DAMAGED = "a sealed value does not open: it was changed, moved to another column, or sealed with another key"
_HASHING = ("lookup", "number", "token")
_DOUBLED = str.maketrans("0123456789", "0246813579")
"""The sum of the digits of twice a digit."""


class WrongKeys(Exception):  # noqa: N818 - it says what is wrong
    """The keys file is missing, open to others or no keys file, or the record was written with other keys."""


class Vault:
    """The keys of one record. Safe to use from several threads."""

    def __init__(self, key: str, seal: Mapping[str, bytes], hashing: Mapping[str, bytes]) -> None:
        self.key = key
        """Id of the key that seals new values."""
        self._ciphers = {name: AESGCM(value) for name, value in seal.items()}
        self._hashing = {name: hashing[name] for name in _HASHING}
        self._purposes: dict[str, blake2b] = {}
        self.digest = lru_cache(maxsize=16_384)(self._digest)
        """16 bytes that show whether two values are equal, and nothing else; hashes of two purposes (16 letters at
        most) never meet. Keyed BLAKE2b: as good a MAC as HMAC, in a quarter of its time. The same value is hashed some
        four times on a message's way, so the last ones are cached."""
        self._head = bytes([len(key)]) + key.encode("ascii")

    @classmethod
    def load(cls, path: Path) -> Vault:
        """Raises WrongKeys where the file is missing, readable by others, or not a keys file."""
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & 0o077:
                raise WrongKeys(f"{path} can be read by others (mode {mode:03o}): chmod 600 {path}")
            return cls._read(tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            away = isinstance(error, FileNotFoundError)
            fix = "bring the keys file back from its backup" if away else "chown it to the user of the hub"
            raise WrongKeys(f"{path} cannot be read ({error.strerror}): {fix}") from None
        except (KeyError, TypeError, ValueError, AttributeError):
            raise WrongKeys(f"{path} is not a keys file, or was changed: bring it back from its backup") from None

    @classmethod
    def _read(cls, file: Mapping[str, object]) -> Vault:
        seal = {name: _key(value) for name, value in dict(file["seal"]).items()}  # type: ignore[call-overload]
        key = str(file["key"])
        if key not in seal or not key.isascii() or len(key) > 32:
            raise ValueError("key")
        hashing = {name: _key(file[name]) for name in _HASHING}
        if len({*seal.values(), *hashing.values()}) < len(seal) + len(hashing):
            raise ValueError("equal")
        return cls(key, seal, hashing)

    @classmethod
    def create(cls, path: Path) -> Vault:
        """Write new keys, mode 600. Raises WrongKeys where a file stands there already: keys are never overwritten."""
        lines = ["# The keys of the record. Keep a copy apart from it: what was sealed cannot be read without them."]
        lines += [
            'key = "k1"',
            *(f'{name} = "{_random_key()}"' for name in _HASHING),
            "",
            "[seal]",
            f'k1 = "{_random_key()}"',
            "",
        ]
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise WrongKeys(f"{path} cannot be written ({error.strerror})") from None
        with os.fdopen(file, "w", encoding="ascii") as out:
            out.write("\n".join(lines))
            out.flush()
            os.fsync(out.fileno())
        sync_folder(path.parent)  # with a record elsewhere this may be the only copy
        return cls.load(path)

    def seal(self, value: str, column: str) -> bytes:
        """The value, readable only with the key whose id stands in front of it, and only as a value of that column
        ("table.column")."""
        nonce = os.urandom(_NONCE)
        return self._head + nonce + self._ciphers[self.key].encrypt(nonce, value.encode(), _bound(self._head, column))

    def open(self, sealed: bytes, column: str) -> str:
        """The value that was sealed for that column. Raises WrongKeys."""
        start = 1 + sealed[0] if sealed else 1
        head, nonce, hidden = sealed[:start], sealed[start : start + _NONCE], sealed[start + _NONCE :]
        if len(hidden) < _TAG:
            raise WrongKeys(_DAMAGED)
        cipher = self._ciphers.get(head[1:].decode("ascii", "replace"))
        if cipher is None:
            raise WrongKeys("a value is sealed with a key that is not in the keys file")
        try:
            return cipher.decrypt(nonce, hidden, _bound(head, column)).decode()
        except InvalidTag:
            raise WrongKeys(_DAMAGED) from None

    def is_newest(self, sealed: bytes) -> bool:
        """Whether the key that seals new values sealed this one."""
        return sealed.startswith(self._head)

    def _digest(self, purpose: str, value: str) -> bytes:
        begun = self._purposes.get(purpose)
        if begun is None:
            begun = blake2b(digest_size=16, key=self._hashing["lookup"], person=purpose.encode())
            self._purposes[purpose] = begun
        mac = begun.copy()
        mac.update(value.encode("utf-8", "replace"))
        return mac.digest()

    def message_key(self, message: str) -> bytes:
        """The hash by which a message id (`kind/account/native`) is looked up."""
        return self.digest("message", message)

    def number(self, complaint: str, attempt: int) -> str:
        """The complaint's number: 10 digits, the first not 0, the last a Luhn check digit. The next attempt gives
        another one, for when a number is taken."""
        hashed = digest(self._hashing["number"], f"{complaint}/{attempt}".encode(), "sha256")
        nine = str(100_000_000 + int.from_bytes(hashed, "big") % 900_000_000)
        return nine + _luhn_digit(nine)

    def token(self, raw: str) -> str:
        """Given to the person who filed this Raw, to see its words: 26 characters, safe in a URL, never stored."""
        return b32encode(digest(self._hashing["token"], raw.encode(), "sha256")[:16]).decode().rstrip("=").lower()

    def check(self) -> bytes:
        """32 bytes that stand for the hashing keys, which may never change, without giving anything of them away."""
        word = b"check"
        for name in _HASHING:
            word = digest(self._hashing[name], word, "sha256")
        return word


def _luhn_digit(nine: str) -> str:
    """In a tenth of the time that `stdnum` takes, which serves any alphabet."""
    total = sum(map(int, nine[1::2])) + sum(map(int, nine[::2].translate(_DOUBLED)))
    return str(-total % 10)


def _bound(head: bytes, column: str) -> bytes:
    return head + column.encode()


def _key(value: object) -> bytes:
    key = b64decode(str(value), validate=True)
    if len(key) != 32 or len(set(key)) == 1:
        raise ValueError("no key")
    return key


def _random_key() -> str:
    return b64encode(os.urandom(32)).decode()
