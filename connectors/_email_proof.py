"""Is the sender proven? Only our own mail server can say so, in the Authentication-Results that it adds (RFC 8601).

Anybody can write such a field. Only the topmost counts, and only under the name that the account trusts: a server that
adds it takes out those that came under its own name. Microsoft 365 gives itself none, and writes its field above all
others.
"""

from __future__ import annotations

import re

from connectors._email_headers import MailHead

UNNAMED = "unnamed"
"""In the place of a name: the server gives none."""
_COMMENT = re.compile(r"\([^()]{0,500}\)")
_FIELD = re.compile(r"\b(header\.from|header\.d|header\.i)\s*=\s*\"?@?([^\s\";]{1,255})", re.IGNORECASE)


def is_proven(head: MailHead, sender: str, server: str) -> bool:
    """DMARC passed for the sender's domain, or a DKIM signature of it."""
    domain = sender.rpartition("@")[2]
    if not server or not domain or len(head.addresses("from")) != 1 or len(head.all("from")) != 1:
        return False
    results = _COMMENT.sub(" ", head.first("authentication-results")).split(";")
    name = "" if "=" in results[0] else results.pop(0)
    if name.split()[:1] != ([] if server == UNNAMED else [server]):
        return False
    return any(_passes(result.strip().lower(), domain) for result in results)


def _passes(result: str, domain: str) -> bool:
    method = result.partition(" ")[0].replace(" ", "")
    if method not in {"dmarc=pass", "dkim=pass"}:
        return False
    domains = [found.rpartition("@")[2] for _, found in _FIELD.findall(result)]
    if method == "dmarc=pass" and not domains:
        return False
    return any(found == domain or (method == "dkim=pass" and domain.endswith(f".{found}")) for found in domains)
