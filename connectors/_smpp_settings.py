"""The settings of an account bound by SMPP."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Literal, NamedTuple

import msgspec

from connectors._settings import Secret, Settings, require_zone
from connectors._smpp_text import Alphabet

Seconds = Annotated[float, msgspec.Meta(gt=0)]


class BindMode(IntEnum):
    """What a connection is for; the value is the command that binds it."""

    RECEIVER = 0x01
    TRANSMITTER = 0x02
    TRANSCEIVER = 0x09


class ConnectionSettings(NamedTuple):
    """One connection of an account."""

    host: str
    port: int
    role: BindMode


class SmppSettings(Settings, frozen=True, kw_only=True):
    hosts: list[str] = msgspec.field(default_factory=list)
    """The operator's centres, as smsc.example.net:2775. The account is bound to all of them at once."""
    tls: bool = False
    """Encrypted, with a certificate that is trusted."""
    tls_ca: str = ""
    """File with the certificates that are trusted; empty: the system's."""
    system_id: str = ""
    """Our name with the operator."""
    password: Secret = Secret("")
    """At most 8 characters, says SMPP."""
    system_type: str = ""
    """Only where the operator names one."""
    bind: Literal["transceiver", "pair"] = "transceiver"
    """pair: a receiver and a transmitter, two connections."""
    address: str = ""
    """Our short code or number, as the citizen sees it."""
    address_ton: int | None = None
    """Type of number of our address; unset: by its form."""
    address_npi: int | None = None
    """Numbering plan of our address; unset: by its form."""
    address_range: str = ""
    """Whose messages we receive, where the operator asks for it."""
    keywords: dict[str, str] = msgspec.field(default_factory=dict)
    """Region keyword to region code: TANGKAB = "36.03"."""
    alphabet: Alphabet = "auto"
    """Behind data_coding 0; auto: as the bytes look, and we send in it only what all alphabets share."""
    zone: str = "Asia/Jakarta"
    """Of the times in receipts."""
    window: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 10
    """Messages sent without a response, each connection."""
    rate: Annotated[float, msgspec.Meta(ge=0)] = 0
    """Messages a second that were agreed, each part of a long one counted; 0: none were."""
    enquire_every: Seconds = 30.0
    """Seconds without anything received after which the centre is asked whether it lives."""
    answer_within: Seconds = 30.0
    """Seconds that the centre has for a response; a reply without one may have arrived and is not sent again."""
    join_within: Seconds = 60.0
    """Seconds after which a long text is read without the parts that are missing."""

    @property
    def endpoints(self) -> list[ConnectionSettings]:
        """The connections that the account holds."""
        roles = (BindMode.TRANSCEIVER,) if self.bind == "transceiver" else (BindMode.RECEIVER, BindMode.TRANSMITTER)
        splits = (host.rpartition(":") for host in self.hosts)
        return [ConnectionSettings(name.strip("[]"), int(port), role) for name, _, port in splits for role in roles]

    def __post_init__(self) -> None:
        for host in self.hosts:
            name, _, port = host.rpartition(":")
            if not name or not port.isdigit() or not 0 < int(port) < 65536:
                raise ValueError("hosts takes names with a port, as smsc.example.net:2775")
        require_zone(self.zone)
