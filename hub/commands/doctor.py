"""`doctor`: checks everything that the hub needs, a line each, with what to do. It changes nothing."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator

import click

from hub.commands import OutOfBalance, load_call_settings
from hub.commands._finding import Finding
from hub.settings import Settings, UsageError
from schemas import Retry

Check = Callable[[Settings], Iterator[Finding]]


@click.command()
def doctor() -> None:
    """What is wrong here, and what to do: settings, disk, databases, broker, clock, keys, stages, every account.

    \b
    Example:
      satupintu doctor
    """
    own = load_call_settings()
    wrong = 0
    for name, check in all_checks():
        for finding in run_check(name, check, own):
            wrong += finding.wrong
            sys.stdout.write(f"{finding.mark}  {finding.what}: {finding.words}\n")
            sys.stdout.flush()
    if wrong:
        raise OutOfBalance(f"{wrong} of these need you")


def all_checks() -> Iterator[tuple[str, Check]]:
    """Every check by its name, in the order of the report."""
    from hub.commands import _doctor_accounts as accounts
    from hub.commands import _doctor_files as files
    from hub.commands import _doctor_forwards as forwards
    from hub.commands import _doctor_host as host
    from hub.commands import _doctor_offices as offices
    from hub.commands import _doctor_pipeline as pipeline

    yield "settings", host.check_settings
    yield "disk", host.check_disk
    yield "record", host.check_record
    yield "bus", host.check_bus
    yield "spool", host.check_spool
    yield "clock", host.check_clock
    yield "keys", host.check_keys
    yield "rules", host.check_rules
    yield "templates", host.check_templates
    yield "listen", host.check_port
    yield "stages", pipeline.check_stages
    yield "lag", pipeline.check_lag
    yield "dead letters", pipeline.check_dead_letters
    yield "statuses", pipeline.check_statuses
    yield "replies", pipeline.check_replies
    yield "files", files.check_files
    yield "forwards", forwards.check_forwards
    yield "channels", accounts.check_edition
    yield "channels", accounts.check_accounts
    yield "offices", offices.check_offices


def run_check(name: str, check: Check, own: Settings) -> Iterator[Finding]:
    """The findings of one check; one that cannot be made is a finding too."""
    try:
        yield from check(own)
    except UsageError as error:
        yield Finding(name, str(error), wrong=True)
    except Retry as fault:
        yield Finding(name, f"cannot be checked ({fault.reason}): mend that first", wrong=True)
    except (OSError, sqlite3.Error) as error:
        yield Finding(name, f"cannot be checked ({type(error).__name__}): mend its rights or disk", wrong=True)
