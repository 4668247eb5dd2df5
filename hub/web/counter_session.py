"""Who works at the counter: a key of its account is shown once, and a signed cookie stands for it until the evening.

Nothing of it is stored. The signature covers the key, so that a key taken out of the account ends its sessions.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime
from hmac import compare_digest
from typing import NamedTuple

from connectors.counter import CounterChannel
from hub.accounts import Accounts

COOKIE = "loket"
LASTS = 12 * 3600
"""Seconds: a working day."""
LONGEST_NAME = 200

Sign = Callable[[str], str]
"""A keyed proof of some words."""


class CounterSession(NamedTuple):
    """A member of staff at a counter."""

    account: CounterChannel
    key: str
    """Of the account; never shown."""
    staff: str


def session_of_key(accounts: Accounts, key: str, staff: str) -> CounterSession | None:
    """The counter that has this key; None: no open one. Every key is compared, found or not."""
    found = None
    for account in _counters(accounts):
        for known in account.settings.api_keys:
            found = CounterSession(account, key, staff) if known.matches(key) else found
    return found


def cookie_of(session: CounterSession, now: datetime, sign: Sign) -> str:
    """The cookie that stands for it from now on."""
    words = json.dumps([session.account.account, session.staff, int(now.timestamp())])
    body = urlsafe_b64encode(words.encode()).decode()
    return f"{body}.{sign(_signed(body, session.key))}"


def session_of_cookie(accounts: Accounts, cookie: str, now: datetime, sign: Sign) -> CounterSession | None:
    """The session that a cookie of ours stands for; None where it is over, or not ours."""
    body, _, proof = cookie.partition(".")
    for account in _counters(accounts):
        for key in (known.reveal() for known in account.settings.api_keys):
            if compare_digest(sign(_signed(body, key)).encode(), proof.encode()):
                name, staff, since = json.loads(urlsafe_b64decode(body))
                current = name == account.account and 0 <= now.timestamp() - since < LASTS
                return CounterSession(account, key, staff) if current else None
    return None


def _signed(body: str, key: str) -> str:
    return f"counter {body} {key}"


def _counters(accounts: Accounts) -> list[CounterChannel]:
    return [a for a in accounts.values() if isinstance(a, CounterChannel) and accounts.state(a.account) != "closed"]
