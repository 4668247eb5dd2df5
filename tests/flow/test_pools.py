"""The pools of threads: what waits behind what."""

from __future__ import annotations

import asyncio
from threading import Event, get_ident

from hub.running.pools import THREADS, open_pools


async def test_neither_a_stage_nor_a_renewal_waits_behind_other_calls() -> None:
    free = Event()
    with open_pools() as pools:
        others = [asyncio.ensure_future(pools.io(free.wait)) for _ in range(2 * THREADS)]
        try:
            assert await pools.stage(lambda: "a batch") == "a batch"
            assert await pools.lease(lambda: "renewed") == "renewed"
            assert not any(other.done() for other in others)
        finally:
            free.set()
        assert await asyncio.gather(*others) == [True] * 2 * THREADS


async def test_stages_work_one_at_a_time_where_the_record_is_embedded() -> None:
    with open_pools() as pools:
        assert len(set(await asyncio.gather(*(pools.stage(get_ident) for _ in range(20))))) == 1
