"""The accounts of this hub, for a call: by its own channels file, or on a machine that has none by the newest edition.

Where an edition that another machine published is newer than the file, the file is not what the hub works by.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hub.accounts import AccountsSnapshot
from hub.accounts_file import EachAccount, parse_each_account, read_channels_file
from hub.commands._doctor_pipeline import is_started
from hub.settings import Settings

if TYPE_CHECKING:
    from sink.editions import Edition


def current_accounts(own: Settings) -> AccountsSnapshot | None:
    """None: there is no file, and no hub was started. Raises UsageError."""
    each = each_account(own)
    if each is None:
        return None
    for error in each.wrong.values():
        raise error
    return each.right


def each_account(own: Settings) -> EachAccount | None:
    """As `current_accounts`, also where some are wrong."""
    if own.channels.exists():
        return parse_each_account(read_channels_file(own.channels), source=str(own.channels), zone=own.zone.key)
    newest = newest_edition(own, "accounts")
    if newest is None:
        return None
    return parse_each_account(newest.body, source=f"edition {newest.version} of accounts", zone=own.zone.key)


def newest_edition(own: Settings, name: str) -> Edition | None:
    """None: there is none. Raises UsageError where the record cannot be opened."""
    from hub.opening import open_record
    from sink.editions import latest_edition

    if not is_started(own):
        return None
    with open_record(own) as record:
        return latest_edition(record, name)


def published_elsewhere(own: Settings) -> Edition | None:
    """The edition that holds in place of the channels file, where there is one: no file is here, or an older one."""
    newest = newest_edition(own, "accounts")
    if newest is None or not own.channels.exists():
        return newest
    written = datetime.fromtimestamp(own.channels.stat().st_mtime, UTC)
    same = own.channels.read_text(encoding="utf-8-sig", errors="replace") == newest.body
    return None if same or written > newest.published_at else newest
