"""How much one address, one report and everybody together may ask of the web: each field is a setting `limit_NAME`.

An address is an IPv4 address, or an IPv6 network of 64 bits; its wider networks (/56, /48) get four and sixteen times
as much. A right API key or a right token is not limited. Reports a minute are a setting of the `web` account (`rate`).
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class WebLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of the web pages and the API, as settings; every field is a number above 0."""

    upload: Annotated[float, Meta(description="MiB an hour from one address.")] = 300
    upload_all: Annotated[float, Meta(description="MiB an hour from all addresses together.")] = 20_000
    upload_file: Annotated[float, Meta(description="MiB of one resumable upload.")] = 25
    upload_waiting: Annotated[
        float, Meta(description="MiB of resumable uploads that one caller may have waiting for a report.")
    ] = 200
    lookups: Annotated[float, Meta(description="Look-ups in ten minutes by one address that find no report.")] = 60
    proofs: Annotated[
        float, Meta(description="Wrong proofs (last four digits, or a token) an hour by one address.")
    ] = 20
    proofs_number: Annotated[
        float, Meta(description="Wrong last four digits a day for one report, from wherever they come.")
    ] = 100
    proofs_all: Annotated[float, Meta(description="Wrong proofs an hour by everybody together.")] = 5_000
    bodies: Annotated[
        float,
        Meta(
            description="MiB of request bodies that are read at the same moment and not proven yet; half of it for one "
            "address."
        ),
    ] = 64
    connections: Annotated[
        float,
        Meta(description="Connections open at the same moment; over it the one that has been idle longest is closed."),
    ] = 2_000
    connections_address: Annotated[
        float, Meta(description="Of those, from one address; a named proxy may have all of them.")
    ] = 500
