"""By what the matcher finds alike reports. Time comes first in both keys: what is asked and written lies together, and
a bucket that is over is not touched any more. No random key stands first in an index, so the cost does not grow."""

from __future__ import annotations

from sqlalchemy import BigInteger, Float, Integer, LargeBinary

from sink.tables.columns import clustered, column, key, maybe, owner

match_keys = clustered(
    "match_keys", key("bucket", Integer), key("key", BigInteger), key("at", BigInteger), key("report", BigInteger)
)
"""`key` as in `schemas.memory.Profile`; `at` and `report` lead to `match_reports`."""

match_reports = clustered(
    "match_reports",
    key("bucket", Integer), key("at", BigInteger), key("report", BigInteger),
    owner(), column("complaint"), column("number"), maybe("incident"),
    maybe("place"), maybe("lat", Float), maybe("lon", Float), maybe("category"),
    column("words", LargeBinary), column("reporter", LargeBinary), column("sender", LargeBinary),
)  # fmt: skip
"""What a report is compared by. `words` are hashes of its words; `reporter` holds hashes of the proven identities of
its sender, end to end; `incident` is null where it is linked to none."""
