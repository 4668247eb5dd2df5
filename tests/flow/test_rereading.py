"""What is read again comes from the archive, and from the bus what is not in the archive yet."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bus import MemoryBus
from hub import rereading
from hub.rereading import RereadSpan, raws_in
from schemas import Body, Raw
from sink.archive import Archive
from tests.bus.events import AT

MINUTE = timedelta(minutes=1)


def raw(n: int, account: str = "sms") -> Raw:
    """Received n minutes after the first."""
    body = Body(b"Lampu jalan mati")
    return Raw(id=str(n), account=account, channel="sms", owner="32.73", received_at=AT + n * MINUTE, body=body)


@pytest.mark.parametrize("at_once", [1, 2, 500])
async def test_what_retention_removed_from_the_bus_is_read_from_the_archive_and_everything_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(rereading, "AT_ONCE", at_once)
    with Archive(tmp_path) as archive:
        archive.append([raw(n) for n in range(5)])
    bus = MemoryBus(clock=lambda: AT)
    await bus.publish([raw(n) for n in range(3, 8)])  # 0 to 2 were removed
    async with bus:
        read = raws_in(RereadSpan(AT), Archive(tmp_path), bus, on_damage=pytest.fail)
        batches = [batch async for batch in read]
    assert [one for batch in batches for one in batch] == [raw(n) for n in range(8)]
    assert max(map(len, batches)) <= at_once


async def test_a_span_has_a_beginning_an_end_and_an_account(tmp_path: Path) -> None:
    with Archive(tmp_path) as archive:
        archive.append([*(raw(n) for n in range(4)), raw(4, "other")])
    bus = MemoryBus(clock=lambda: AT + 9 * MINUTE)
    await bus.publish([raw(5), raw(6, "other"), raw(7), raw(8)])
    span = RereadSpan(AT + MINUTE, AT + 8 * MINUTE, "sms")
    async with bus:
        read = raws_in(span, Archive(tmp_path), bus, on_damage=pytest.fail)
        found = [one.id async for batch in read for one in batch]
    assert found == ["1", "2", "3", "5", "7"]
