"""A request with many items costs no more than the items one by one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from connectors import Request, group_parts
from tests.channels.recording import channel, raw
from tests.fakes import graph

COUNT = 1000


def messages(first: int, count: int) -> dict[str, Any]:
    """A webhook with the messages of so many citizens."""
    phones = [f"62812{number:07}" for number in range(first, first + count)]
    return graph.webhook({
        "contacts": [{"profile": {"name": "Sari"}, "wa_id": phone, "user_id": f"ID.{phone}"} for phone in phones],
        "messages": [
            {"from": phone, "id": f"wamid.{phone}", "type": "text", "text": {"body": "Banjir"}}
            for phone in phones
        ],
    })  # fmt: skip


def statuses(first: int, count: int) -> dict[str, Any]:
    """A webhook with statuses of replies to so many citizens."""
    return graph.webhook({
        "statuses": [
            {"id": f"wamid.{number}", "status": "read", "timestamp": "1755400000", "recipient_id": f"62812{number:07}"}
            for number in range(first, first + count)
        ],
    })  # fmt: skip


def list_groups(request: Request) -> int:
    return len(group_parts(channel("whatsapp"), request))


def read_all(request: Request) -> int:
    """As the reader does: taken apart once, then the parts of each group."""
    door, stored = channel("whatsapp"), raw("whatsapp", request)
    return len([door.read_safely(part, stored) for part in list(door.parts(stored))])


def seconds(work: Callable[[], object]) -> float:
    """The least processor time of three tries."""
    times = []
    for _ in range(3):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


@pytest.mark.slow
@pytest.mark.parametrize("work", [list_groups, read_all])
@pytest.mark.parametrize("webhook", [messages, statuses])
def test_a_thousand_items_in_one_request_cost_at_most_three_times_a_thousand_requests(
    work: Callable[[Request], int], webhook: Callable[[int, int], dict[str, Any]]
):
    whole = Request(body=json.dumps(webhook(0, COUNT)).encode())
    singly = [Request(body=json.dumps(webhook(number, 1)).encode()) for number in range(COUNT)]
    assert work(whole) == COUNT == sum(map(work, singly))
    assert seconds(lambda: work(whole)) < 3 * seconds(lambda: [work(request) for request in singly])
