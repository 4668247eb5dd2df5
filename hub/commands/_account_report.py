"""How each account fares, of the record: for `channels` and `doctor`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

from connectors import Channel
from hub.accounts import Account, AccountsSnapshot
from hub.clock import utc_now
from hub.running.silence import GAP_NAMED, Silence, find_silences
from hub.running.token_ends import is_ending
from sink.account_faults import StoredAccountFault, account_faults
from sink.account_states import AccountState, list_account_states
from sink.aside import AsideRow, list_asides
from sink.attachments import FETCH
from sink.jobs import count_jobs
from sink.outbox_queries import count_unsent
from sink.record import Record

UNABLE = {
    "send": "cannot send", "session": "cannot hold its session", "connection": "cannot hold all its connections",
    "poll": "cannot poll", "fetch": "cannot fetch files", "forward": "cannot forward",
}  # fmt: skip
"""By ability."""


class AccountReport(NamedTuple):
    """As `channels --json` prints it."""

    health: str
    """`ok`, or what is wrong and what to do."""
    last_message_at: datetime | None
    """When it last took something in."""
    last_error: str | None
    """Code and detail of each fault that holds."""
    waiting: int
    """Replies that are owed."""
    files: int
    """Files that are still to be fetched."""
    silence: str = ""
    """That it usually takes something in, and since when it does not."""
    gap: str = ""
    """What is missing of the last days, as the provider's ids say."""
    token: str = ""
    """That its token soon ends."""

    @property
    def backlog(self) -> str:
        """What waits, in words that go on a sentence; empty: nothing does."""
        counted = [_counted(n, word) for n, word in ((self.waiting, "answer"), (self.files, "file")) if n]
        verb = "waits" if self.waiting + self.files == 1 else "wait"
        return f"; {' and '.join(counted)} {verb}" if counted else ""


def unstarted_reports(snapshot: AccountsSnapshot) -> dict[str, AccountReport]:
    """By account, where no hub was ever started."""
    nothing = AccountReport("", None, None, 0, 0)
    return {name: nothing._replace(health=_health(account, [], "", "")) for name, account in snapshot.accounts.items()}


def account_reports(record: Record, snapshot: AccountsSnapshot, zone: tzinfo) -> dict[str, AccountReport]:
    """By account; times in words are of `zone`. Raises Retry."""
    states, faults, aside = list_account_states(record), account_faults(record), list_asides(record)
    waiting: Counter[str] = Counter()
    for count in count_unsent(record):
        if count.state in ("owed", "claimed"):
            waiting[count.account] += count.replies
    files = Counter(
        {job.account: job.jobs for job in count_jobs(record) if (job.kind, job.state) == (FETCH, "waiting")}
    )
    taking_in = [name for name, account in snapshot.accounts.items() if account.state != "closed"]
    silences = {silence.account: _silence(silence, zone) for silence in find_silences(record, taking_in, utc_now())}
    made = {}
    for name, account in snapshot.accounts.items():
        report = AccountReport("", None, None, waiting[name], files.get(name, 0), silences.get(name, ""))
        held = [row for row in aside if row.account == name and row.released_at is None]
        holding = faults.get(name, ()) if account.state != "closed" else ()  # nobody works for a closed one
        made[name] = _report(account, _with_state(report, states.get(name), zone), held, holding, zone)
    return made


def unclaimed_addresses(record: Record) -> dict[tuple[str, str], datetime]:
    """Kind and address of the provider for which messages came and no account is there, and when. Raises Retry."""
    rows = list_account_states(record)
    found = {name: state.last_in_at for name, state in rows.items() if " " in name}
    return {(name.partition(" ")[0], name.partition(" ")[2]): at for name, at in found.items() if at is not None}


def _with_state(report: AccountReport, state: AccountState | None, zone: tzinfo) -> AccountReport:
    if state is None:
        return report
    return report._replace(last_message_at=state.last_in_at, gap=_gap(state, zone), token=_token(state, zone))


def _report(
    account: Account, report: AccountReport, held: list[AsideRow], faults: Sequence[StoredAccountFault], zone: tzinfo
) -> AccountReport:
    errors = [f"{row.code}: {row.detail or ''}" for row in held] + [f"{one.code}: {one.detail}" for one in faults]
    words = "; ".join(_fault(fault, zone) for fault in faults)
    health = _health(account, held, words and f"{words}{report.backlog}", report.token or report.silence or report.gap)
    return report._replace(health=health, last_error="; ".join(errors) or None)


def _fault(fault: StoredAccountFault, zone: tzinfo) -> str:
    since = f"{fault.since.astimezone(zone):%d.%m.%Y %H:%M}"
    return f"{UNABLE[fault.ability]} since {since} ({fault.code}: {fault.detail})"


def _token(state: AccountState, zone: tzinfo) -> str:
    if state.token_ends_at is None or not is_ending(state.token_ends_at, utc_now()):
        return ""
    return f"its token ends on {state.token_ends_at.astimezone(zone):%d.%m.%Y}: make a new one and enter it"


def _gap(state: AccountState, zone: tzinfo) -> str:
    if state.gap is None or state.gap.at < utc_now() - GAP_NAMED:
        return ""
    return f"{state.gap.detail} ({state.gap.code}, {state.gap.at.astimezone(zone):%d.%m.%Y %H:%M})"


def _health(account: Account, held: list[AsideRow], faults: str, notice: str) -> str:
    """Everything that is wrong; a notice only where nothing is."""
    wrong = []
    if account.state == "closed":
        wrong.append("closed: refuses with 503")
    if held:
        stages = ", ".join(row.stage for row in held)
        release = f"satupintu channels release {account.channel.account}"
        wrong.append(f"put aside by {stages}: mend the cause, then {release}")
    if faults:
        wrong.append(faults)
    if wrong:
        return "; ".join(wrong)
    if notice:
        return notice
    if account.state == "silent":
        return "silent: owes no answers"
    return missing_words(account.channel) or "ok"


def missing_words(channel: Channel) -> str:
    """What the account cannot do, and the setting that it lacks; empty: it lacks none."""
    if channel.missing_for_intake:
        return f"cannot work yet: set {channel.missing_for_intake}"
    return f"takes in, cannot answer: set {channel.missing_setting}" if channel.missing_setting else ""


def _silence(silence: Silence, zone: tzinfo) -> str:
    since = f"{silence.since.astimezone(zone):%d.%m.%Y %H:%M}"
    return f"nothing came since {since}, though it usually does: satupintu channels test {silence.account}"


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
