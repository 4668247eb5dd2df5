"""Where the reading of a mailbox goes on.

UIDVALIDITY and UID alone do not say it: they hold for one mailbox (RFC 3501, 2.3.1.1). Another one may have the same
UIDVALIDITY, and the old UID would hide what is in it. So the cursor names the mailbox too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from connectors._email_settings import EmailSettings
from connectors._results import Gap

_CURSOR = re.compile(r"(\d+):(\d+)(?::([\d:,]*))?(?:/([0-9a-f]+))?")


class MailCursor(NamedTuple):
    """The last mail that was taken in; zeros at the beginning."""

    validity: int = 0
    uid: int = 0
    unmarked: str = ""
    """The ids of the mails that are to be marked, as IMAP writes them."""
    mailbox: str = ""
    """As `mailbox_of`; empty: an earlier release wrote the cursor."""

    @classmethod
    def parse(cls, written: str | None) -> MailCursor:
        """One that cannot be read is the beginning."""
        found = _CURSOR.fullmatch(written or "")
        return cls(int(found[1]), int(found[2]), found[3] or "", found[4] or "") if found else cls()

    def __str__(self) -> str:
        return f"{self.validity}:{self.uid}:{self.unmarked}/{self.mailbox}"


def mailbox_of(settings: EmailSettings) -> str:
    """Tells a mailbox from others: server, login and folder."""
    names = (settings.imap_server.host, settings.login_name, settings.folder)
    return sha256("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def id_set(uids: Sequence[int]) -> str:
    """As IMAP writes ids: 201:251,253."""
    runs: list[tuple[int, int]] = []
    for uid in uids:
        first = runs.pop()[0] if runs and runs[-1][1] == uid - 1 else uid
        runs.append((first, uid))
    return ",".join(f"{first}:{last}" if last > first else str(first) for first, last in runs)


def gap_between(before: str, after: str) -> Gap | None:
    """Ids of mails say nothing of what is missing, since others may delete mails. But where the server numbers them
    anew, what was deleted meanwhile was never seen."""
    old, new = MailCursor.parse(before), MailCursor.parse(after)
    same_numbers = old.validity == new.validity and old.uid <= new.uid
    if not old.uid or same_numbers or (old.mailbox and old.mailbox != new.mailbox):
        return None
    words = "the server numbers the mails of the folder anew: all were read again; look for mails that were moved away"
    return Gap("mailbox_renumbered", words)
