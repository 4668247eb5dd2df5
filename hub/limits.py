"""How much one address, one report and everybody together may ask of the web: each field is a setting `limit_NAME`.

An address is an IPv4 address, or an IPv6 network of 64 bits; its wider networks (/56, /48) get four and sixteen times
as much. A right API key or a right token is not limited. Reports a minute are a setting of the `web` account (`rate`).
"""

from __future__ import annotations

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Every field is a number above 0."""

    upload: float = 300
    """MiB an hour from one address."""
    upload_all: float = 20_000
    """MiB an hour from all addresses together."""
    lookups: float = 60
    """Look-ups in ten minutes by one address that find no report."""
    proofs: float = 20
    """Wrong proofs (last four digits, or a token) an hour by one address."""
    proofs_number: float = 100
    """Wrong last four digits a day for one report, from wherever they come."""
    proofs_all: float = 5_000
    """Wrong proofs an hour by everybody together."""
    bodies: float = 64
    """MiB of request bodies that are read at the same moment and not proven yet."""
    connections: float = 2_000
    """Connections open at the same moment; over it the one that has been idle longest is closed."""
