"""The channels file of a first start: one commented table of each kind that needs no contract, secrets generated."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from connectors import channel_type, kinds

OWNER = "nasional"
"""Owner of the first accounts."""
HEAD = """\
# The accounts of this hub: one table each. An account's name is its identity for ever: it may be closed, never reused.
# `owner` is the region code (Kemendagri) or the office that the account belongs to.
# `state` is "active"; "silent" (takes in and owes no answers) or "closed" (refuses with 503).
# Secrets: "env:NAME" takes them from the environment, "file:PATH" from a file, anything else is the value itself.
# A saved change holds within 5 seconds, without a restart. `satupintu channels` shows each account's address and what
# to enter at the provider; `satupintu channels new KIND` prints a table for another one.
"""


def commented_table(kind: str, owner: str = OWNER, name: str = "") -> str:
    """A commented table for an account of that kind. Raises ValueError where there is no such kind."""
    template = channel_type(kind).template
    name = name or kind
    body = re.sub(r"\{secret\}", lambda _: secrets.token_urlsafe(24), template.strip()).replace("{name}", name)
    return f'[{name}]\nkind = "{kind}"\nowner = "{owner}"\n{body}'.rstrip() + "\n"


def write_first_channels_file(path: Path) -> None:
    """Write the file, readable to its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    simple = (kind for kind in kinds() if not channel_type(kind).needs_contract)
    text = "\n".join([HEAD, *map(commented_table, simple)])
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
