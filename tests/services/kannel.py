"""The configuration of a real Kannel: bearerbox with its spool on disk, bound to one SMPP centre, and smsbox."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Self

from tests.services.ports import free_ports

Groups = Mapping[str, Mapping[str, object]]
"""Options by group."""


class KannelPorts(NamedTuple):
    """The ports that Kannel listens at."""

    admin: int
    box: int
    """Where bearerbox waits for smsbox."""
    send: int
    """Where smsbox takes `sendsms`."""

    @classmethod
    def free(cls) -> Self:
        return cls(*free_ports(3))


class SmppLogin(NamedTuple):
    """A centre, and the account at it."""

    port: int
    system_id: str
    password: str


def kannel_config(folder: Path, ports: KannelPorts, centre: SmppLogin, groups: Groups) -> str:
    """`groups` adds options to the groups that stand here, and further groups."""
    known = _groups(folder, ports, centre)
    return "\n\n".join(_group(name, {**known.get(name, {}), **groups.get(name, {})}) for name in known | groups)


def _groups(folder: Path, ports: KannelPorts, centre: SmppLogin) -> Groups:
    return {
        "core": {
            "admin-port": ports.admin, "admin-interface": "127.0.0.1", "admin-password": "bench",
            "smsbox-port": ports.box, "smsbox-interface": "127.0.0.1",
            "store-type": "spool", "store-location": f'"{folder}"',
        },
        "smsc": {
            "smsc": "smpp", "host": "127.0.0.1", "port": centre.port, "transceiver-mode": "true",
            "smsc-username": centre.system_id, "smsc-password": centre.password, "system-type": '""',
        },
        "smsbox": {
            "bearerbox-host": "127.0.0.1", "bearerbox-port": ports.box,
            "sendsms-port": ports.send, "sendsms-interface": "127.0.0.1",
        },
        "sms-service": {"keyword": "default"},
    }  # fmt: skip


def _group(name: str, options: Mapping[str, object]) -> str:
    return "\n".join([f"group = {name}", *(f"{option} = {value}" for option, value in options.items())])
