"""Devices of an app: an id and a key that the hub draws, without signing up. Nothing of them is stored."""

from __future__ import annotations

import re
from hmac import compare_digest
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sink.vault import Vault

PREFIX = "device."
_KEY = re.compile(r"device\.([a-z0-9][a-z0-9._-]{0,62})/([0-9a-f-]{36})/([a-z2-7]{26})")


class Device(NamedTuple):
    """A device of an account."""

    account: str
    id: str

    @property
    def conversation(self) -> str:
        """The key of the conversation in which all of its reports stand."""
        return f"{self.account}/{self.id}"


def device_key(vault: Vault, device: Device) -> str:
    """What the device shows."""
    return f"{PREFIX}{device.conversation}/{vault.token(f'device {device.conversation}')}"


def device_of_key(vault: Vault, key: str) -> Device | None:
    """The device that has this key; None: no key of ours."""
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    device = Device(found[1], found[2])
    return device if compare_digest(device_key(vault, device).encode(), key.encode()) else None
