"""What a counter entered is listed from its index alone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from sink import Record, Vault
from sink.own_reports import reports_of_counter
from tests.sink.made import NOW, message, persist, routed
from tests.sink.test_requests import raw_of


def test_a_counter_reads_no_further_back_than_today(tmp_path: Path, vault: Vault) -> None:
    plans: list[str] = []

    def explain(_: Any, cursor: Any, statement: str, parameters: Any, *__: object) -> None:
        plans.append(str(cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()))

    with Record.open(f"sqlite:///{tmp_path / 'record.db'}", vault) as record:
        for n, (account, days) in enumerate([("loket", -1), ("loket", 0), ("loket-lain", 2), ("loket", 1)]):
            at = NOW + timedelta(days=days)
            of = message(n, channel="counter", account=account, raw=raw_of(at), received_at=at)
            persist(record, routed(of))
        event.listen(Engine, "before_cursor_execute", explain)
        try:
            found = reports_of_counter(record, "loket", NOW, 10)
        finally:
            event.remove(Engine, "before_cursor_execute", explain)
    assert [report.received_at for report in found] == [NOW + timedelta(days=1), NOW]
    assert "account=? AND raw>?" in plans[-1]
