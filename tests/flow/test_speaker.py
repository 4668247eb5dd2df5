"""What the speaker sends, and how often."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import sink
from connectors import Http, Unanswered, channel_type
from hub.running.sender import Speaker
from hub.running.pools import threads
from schemas import Receipt, Reply, Retry
from sink import Blobs, Record, Vault, owed, unpublish_stale

ADDRESS = '{"conversation": "c", "to": "+628120000001"}'
NOW = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)


class Mouth(channel_type("sms")):  # type: ignore[misc]
    """A channel that only remembers, or fails as it is told."""

    def __init__(self) -> None:
        kind = channel_type("sms")
        super().__init__("sms", "32.73", kind.settings_type())
        self.said: list[str] = []
        self.fault: Exception | None = None

    def send(self, reply: Reply, http: Http) -> str | None:
        self.said.append(reply.id)
        if self.fault:
            raise self.fault
        return f"native-{len(self.said)}"


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    with Record.open(f"sqlite:///{tmp_path / 'record.db'}", Vault.create(tmp_path / "keys.toml")) as record:
        yield record


def owed_reply(record: Record, name: str) -> Reply:
    """A reply that the relay has published."""
    row: dict[str, Any] = {
        "id": name, "owner": "32.73", "account": "sms", "channel": "sms", "raw": name, "idx": 0, "template": "added",
        "text": "Terima kasih", "address": b"", "recipient": b"", "day": "2026-01-05", "state": "published",
        "attempts": 0, "created_at": "2026-01-05 01:00:00.000000", "published_at": "2026-01-05 01:00:00.000000",
    }  # fmt: skip
    columns = ", ".join(row)
    with record.write() as connection:
        connection.execute(sa.text(f"INSERT INTO outbox ({columns}) VALUES (:{', :'.join(row)})"), row)
    return Reply(
        id=name, account="sms", channel="sms", conversation="c", to="+628120000001", text="Terima kasih",
        template="added", created_at=NOW,
    )  # fmt: skip


async def spoken(
    record: Record, mouth: Mouth, folder: Path, *replies: Reply, paused: Collection[str] = ()
) -> list[Receipt]:
    with threads() as pools, Http() as http:
        told = await Speaker(record, Blobs(folder), {"sms": mouth}, http, pools, paused=paused).speak(replies)
    return [receipt for receipt in told if isinstance(receipt, Receipt)]


async def test_a_reply_published_twice_is_sent_once(record: Record, tmp_path: Path) -> None:
    reply, mouth = owed_reply(record, "r1"), Mouth()
    first = await spoken(record, mouth, tmp_path, reply, reply)
    again = await spoken(record, mouth, tmp_path, reply)
    assert mouth.said == ["r1"]
    assert [receipt.state for receipt in first] == ["sent"]
    assert again == []


async def test_a_claim_whose_answer_was_lost_is_sent_once(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply, mouth, answers = owed_reply(record, "r1"), Mouth(), iter([False, True, True])

    def claim(*told: Any, **more: Any) -> set[str]:
        mine = sink.claim(*told, **more)
        if not next(answers):
            raise Retry("the server was killed behind the commit")
        return mine

    monkeypatch.setattr("hub.running.sender.claim", claim)
    with threads() as pools, Http() as http:
        speaker = Speaker(record, Blobs(tmp_path), {"sms": mouth}, http, pools)
        with pytest.raises(Retry):
            await speaker.speak([reply])
        assert len(await speaker.speak([reply])) == 1
        assert await speaker.speak([reply]) == []
    assert mouth.said == ["r1"]


@pytest.mark.parametrize(
    ("fault", "state"),
    [(Unanswered("no answer"), "unknown"), (Retry("busy", after=3), "retry"), (RuntimeError("a bug"), "unknown")],
)
async def test_a_send_that_fails_says_how(record: Record, tmp_path: Path, fault: Exception, state: str) -> None:
    reply, mouth = owed_reply(record, "r2"), Mouth()
    mouth.fault = fault
    [receipt] = await spoken(record, mouth, tmp_path, reply)
    assert (receipt.state, receipt.reply) == (state, "r2")
    assert "a bug" not in (receipt.reason or "")


@pytest.mark.parametrize(("public_url", "who"), [("", "look at the provider"), ("http://hub", "own receipt")])
async def test_a_reply_in_doubt_says_who_can_tell(record: Record, tmp_path: Path, public_url: str, who: str) -> None:
    mouth = Mouth()
    mouth.settings = channel_type("sms").settings_type(public_url=public_url)  # type: ignore[call-arg]
    mouth.fault = Unanswered("no answer")
    [receipt] = await spoken(record, mouth, tmp_path, owed_reply(record, "r3"))
    assert who in (receipt.reason or "")


async def test_what_a_paused_account_owes_waits_until_it_speaks_again(record: Record, tmp_path: Path) -> None:
    reply, mouth = owed_reply(record, "r4"), Mouth()
    assert await spoken(record, mouth, tmp_path, reply, paused={"sms"}) == []
    assert mouth.said == []
    assert unpublish_stale(record, before=NOW + timedelta(hours=1)) == 1
    with record.write() as connection:
        connection.execute(sa.text("UPDATE outbox SET address = :a"), {"a": record.vault.seal(ADDRESS)})
    assert owed(record, now=NOW, paused={"sms"}) == []
    assert [due.id for due in owed(record, now=NOW)] == ["r4"]
    assert [receipt.state for receipt in await spoken(record, mouth, tmp_path, reply)] == ["sent"]
