"""Replies that are owed, put into the outbox of a data folder, and when they were sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import text

from bench._programs import prepared
from bus import Turnstile
from sink.outbox import NewReply, Recipient, ReplyAddress, enqueue_replies, new_reply
from sink.record import Record
from sink.vault import Vault

ACCOUNT = """
[{name}]
kind = "whatsapp"
owner = "32.73"
app_secret = "bench"
verify_token = "bench"
phone_number_id = "{number}"
access_token = "bench"
graph_url = "{url}"
"""


def accounts_file(urls: Sequence[str]) -> str:
    """A channels file with a WhatsApp account `wa-N` for each address of the Graph API."""
    return "".join(ACCOUNT.format(name=f"wa-{n}", number=10**9 + n, url=url) for n, url in enumerate(urls))


class Outbox:
    """The outbox of an open record."""

    def __init__(self, record: Record) -> None:
        self._record, self._made = record, 0

    def enqueue(self, accounts: Sequence[int], replies: int) -> None:
        """So many replies to as many citizens, account by account in turn."""
        made = [self._reply(accounts[n % len(accounts)]) for n in range(replies)]
        with self._record.write() as connection:
            enqueue_replies(connection, made, datetime.now(UTC), UTC)

    def _reply(self, account: int) -> NewReply:
        self._made += 1
        citizen = f"62813{self._made:08d}"
        address = ReplyAddress(f"{10**9 + account}:{citizen}", citizen)
        to = Recipient("32.73", f"wa-{account}", "whatsapp", address, citizen)
        return new_reply(self._record.vault, to, f"{uuid4()}.0", "number_given", number="1234567897")

    def states(self) -> dict[str, int]:
        """How many replies are in each state."""
        with self._record.read() as connection:
            return dict(connection.execute(text("SELECT state, count(*) FROM outbox GROUP BY state")).tuples().all())

    def sent(self) -> Iterator[tuple[int, datetime, datetime]]:
        """Of each sent reply: its account, when it was owed, when it was sent."""
        sql = "SELECT account, created_at, sent_at FROM outbox WHERE sent_at IS NOT NULL"
        with self._record.read() as connection:
            for account, created, sent in connection.execute(text(sql)):
                yield int(account.partition("-")[2]), datetime.fromisoformat(created), datetime.fromisoformat(sent)


@contextmanager
def outbox(data: Path, channels: str) -> Iterator[Outbox]:
    """The outbox of a new data folder with these accounts."""
    prepared(data, channels)
    path = data / "record.db"
    with Record.open(f"sqlite:///{path}", Vault.create(data / "keys.toml"), Turnstile(path)) as record:
        yield Outbox(record)
