"""What the stage `accounts` promises, held by made-up channels of each ability, through kills and takeovers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from connectors import Http, ProviderConnections, Secret, SentReply
from hub.accounts import Account, Accounts, AccountsSnapshot
from hub.running import backoff, own_faults
from schemas import AccountFault, Held, Reply, Retry
from sink import outbox_results
from sink.account_faults import account_faults
from sink.cursors import load_cursor, save_cursor
from sink.leases import StaleEpoch, list_leases
from sink.outbox_queries import list_replies
from tests.channels.made_up.feed import Feed, FeedSettings
from tests.channels.made_up.kiosk import Kiosk, KioskSettings
from tests.channels.made_up.modem import Modem, ModemSettings
from tests.fakes.feed import FeedServer
from tests.fakes.kiosk import KioskServer
from tests.fakes.modem import ModemServer
from tests.fakes.server import Accepted, Fault, answer
from tests.flow.account_processes import TIMES, UNHURRIED, AccountProcess, World, until


@pytest.fixture
def kiosk() -> Iterator[KioskServer]:
    with KioskServer() as server:
        yield server


@pytest.fixture
def feed() -> Iterator[FeedServer]:
    with FeedServer(at_most=2) as server:
        yield server


def kiosk_account(server: KioskServer, name: str = "kios", token: str = "rahasia-kios") -> Kiosk:
    return Kiosk(name, "32.73", KioskSettings(token=Secret(token), url=server.url))


def feed_account(server: FeedServer, every: float = 0.05) -> Feed:
    return Feed("umpan", "32.73", FeedSettings(url=server.url, token=Secret("rahasia-umpan"), poll_every=every))


def modem_account(server: ModemServer, within: float = 30.0) -> Modem:
    settings = ModemSettings(port=server.port, password=Secret("sandi-modem"), answer_within=within)
    return Modem("modem", "32.73", settings)


def item(number: int) -> dict[str, Any]:
    return {"id": f"n{number}", "from": "budi", "text": f"Jalan rusak {number}"}


# -- sending


async def test_what_is_owed_is_sent_once_in_order_and_its_result_stored(
    world: World, processes: list[AccountProcess], kiosk: KioskServer
) -> None:
    await world.owe("kios", "budi", "a", "b", "c")
    processes.append(world.process(Accounts.of(kiosk_account(kiosk))).start())
    await until(lambda: _states(world, "sent", "sent", "sent"), "three results")
    order = [sent["ref"] for sent in kiosk.sent]
    assert len(order) == len(set(order)) == 3
    assert [sent["text"] for sent in kiosk.sent] == [f"Jawaban {ref}" for ref in order]


async def test_a_claim_whose_answer_was_lost_is_sent_once(
    world: World, processes: list[AccountProcess], kiosk: KioskServer
) -> None:
    process = world.process(Accounts.of(kiosk_account(kiosk)))
    process.after["claim_replies"] = _once(Retry("the server was killed behind the commit"))
    await world.owe("kios", "budi", "a")
    processes.append(process.start())
    await until(lambda: _states(world, "sent"), "the result")
    assert len(kiosk.sent) == 1


async def test_a_result_whose_answer_was_lost_is_stored_again_and_the_reply_not_sent_again(
    world: World, processes: list[AccountProcess], kiosk: KioskServer
) -> None:
    process = world.process(Accounts.of(kiosk_account(kiosk)))
    process.after["store_results"] = _once(Retry("the server was killed behind the commit"))
    await world.owe("kios", "budi", "a", "b")
    processes.append(process.start())
    await until(lambda: _states(world, "sent", "sent"), "the results")
    assert len(kiosk.sent) == 2


async def test_a_process_that_dies_between_claim_and_send_leaves_a_doubt_and_delays_nobody(
    world: World, processes: list[AccountProcess], kiosk: KioskServer
) -> None:
    first = world.process(Accounts.of(kiosk_account(kiosk)))
    first.after["claim_replies"] = lambda: kiosk.received or first.kill()
    await world.owe("kios", "budi", "a")
    processes.append(first.start())
    await until(lambda: _states(world, "claimed"), "the claim")
    await world.owe("kios", "siti", "b")
    processes.append(world.process(Accounts.of(kiosk_account(kiosk))).start())
    await until(lambda: _states(world, "unknown", "sent"), "the second process")
    assert [sent["to"] for sent in kiosk.sent] == ["siti"]


class MarkingKiosk(Kiosk):
    """Marks when a reply can arrive."""

    marks_start = True

    async def send(self, reply: Reply, outbound: ProviderConnections) -> SentReply:
        await outbound.before_arrival()
        return await super().send(reply, outbound)


def marking_account(server: KioskServer) -> Kiosk:
    return MarkingKiosk("kios", "32.73", KioskSettings(token=Secret("rahasia-kios"), url=server.url))


@pytest.mark.parametrize(
    ("when", "state", "sent"), [("before", "sent", ["budi", "siti"]), ("after", "unknown", ["siti"])]
)
async def test_a_process_that_dies_at_the_mark_leaves_a_doubt_only_behind_it(
    when: str, state: str, sent: list[str], world: World, processes: list[AccountProcess], kiosk: KioskServer
) -> None:
    first = world.process(Accounts.of(marking_account(kiosk)))
    getattr(first, when)["start_replies"] = first.kill
    await world.owe("kios", "budi", "a")
    processes.append(first.start())
    await until(lambda: first._dead, "the death")
    await world.owe("kios", "siti", "b")
    processes.append(world.process(Accounts.of(marking_account(kiosk))).start())
    await until(lambda: _states(world, state, "sent"), "the second process")
    assert sorted(one["to"] for one in kiosk.sent) == sent


@pytest.mark.parametrize(("marked", "state"), [(False, "owed"), (True, "unknown")])
async def test_a_send_that_is_cut_off_leaves_a_doubt_only_behind_its_mark(
    marked: bool, state: str, world: World, kiosk: KioskServer
) -> None:
    reached = asyncio.Event()

    class Hanging(MarkingKiosk):
        async def send(self, reply: Reply, outbound: ProviderConnections) -> SentReply:
            if marked:
                await outbound.before_arrival()
            reached.set()
            await asyncio.Event().wait()
            raise AssertionError

    door = Hanging("kios", "32.73", KioskSettings(token=Secret("rahasia-kios"), url=kiosk.url))
    process = world.process(Accounts.of(door))
    process.times = replace(UNHURRIED, last_sends=0.0)
    await world.owe("kios", "budi", "a")
    process.start()
    await asyncio.wait_for(reached.wait(), 60)
    await process.stop()
    assert await world.states() == [state]


async def test_a_send_that_could_not_be_marked_is_owed_again(world: World, kiosk: KioskServer) -> None:
    first, asked = world.process(Accounts.of(marking_account(kiosk))), []

    def refuse() -> None:
        asked.append(1)
        raise Retry("the record is away")

    first.before["start_replies"] = refuse
    await world.owe("kios", "budi", "a")
    first.start()
    await until(lambda: asked, "a refused mark")
    await first.stop()
    assert (await world.states(), kiosk.received) == (["owed"], [])


async def test_a_fault_that_one_reply_alone_meets_is_its_own_and_not_the_accounts(
    world: World, processes: list[AccountProcess], kiosk: KioskServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_faults, "OTHERS", 1)

    class Blamed(Kiosk):
        async def send(self, reply: Reply, outbound: ProviderConnections) -> SentReply:
            if reply.to == "budi":
                raise AccountFault("request_refused", "check the account")
            return await super().send(reply, outbound)

    await world.owe("kios", "budi", "a")
    await world.owe("kios", "siti", "b")
    door = Blamed("kios", "32.73", KioskSettings(token=Secret("rahasia-kios"), url=kiosk.url))
    processes.append(world.process(Accounts.of(door)).start())
    await until(lambda: _states(world, "failed", "sent"), "the results")
    (failed,) = await world.pools.io(list_replies, world.record, "failed")
    assert (failed.code, failed.reason) == ("request_refused", "check the account; others of this account go out")
    await until(lambda: not account_faults(world.record), "no fault of the account")


async def test_a_fresh_reply_waits_for_no_older_ones_that_meet_a_fault_of_the_account(
    world: World, processes: list[AccountProcess], kiosk: KioskServer
) -> None:
    class Blamed(Kiosk):
        async def send(self, reply: Reply, outbound: ProviderConnections) -> SentReply:
            if reply.to != "siti":
                tries.append(reply.to)
                raise AccountFault("request_refused")
            return await super().send(reply, outbound)

    tries: list[str] = []
    for n in range(8):
        await world.owe("kios", f"budi-{n}", "a")
    door = Blamed("kios", "32.73", KioskSettings(token=Secret("rahasia-kios"), url=kiosk.url))
    process = world.process(Accounts.of(door)).start()
    processes.append(process)
    await until(lambda: len(tries) >= 8, "the first tries")  # all at once
    await world.owe("kios", "siti", "b")
    process.wake.replies.set()
    await until(lambda: kiosk.sent, "the answer to siti", within=10)  # one pause, and not eight that grow
    assert len(tries) <= 9


async def test_replies_that_are_held_pause_nothing_that_the_account_sends(
    world: World, processes: list[AccountProcess], kiosk: KioskServer
) -> None:
    class Holding(Kiosk):
        async def send(self, reply: Reply, outbound: ProviderConnections) -> SentReply:
            if reply.to != "siti":
                raise Held("template_paused", after=900.0)
            return await super().send(reply, outbound)

    for n in range(8):
        await world.owe("kios", f"budi-{n}", "a")
    door = Holding("kios", "32.73", KioskSettings(token=Secret("rahasia-kios"), url=kiosk.url))
    process = world.process(Accounts.of(door)).start()
    processes.append(process)
    held = lambda: world.pools.io(list_replies, world.record, "owed", "kios")  # noqa: E731
    await until(lambda: _all_tried(held), "eight tries")
    await world.owe("kios", "siti", "b")
    process.wake.replies.set()
    await until(lambda: kiosk.sent, "the answer behind them", within=5)  # faults of the account: minutes
    assert {row.reason for row in await held()} == {"template_paused"}


async def _all_tried(owed: Any) -> bool:
    return {row.code for row in await owed()} == {"retry"}


async def test_a_process_that_dies_between_send_and_store_leaves_a_doubt_and_nothing_is_sent_twice(
    world: World, processes: list[AccountProcess], kiosk: KioskServer
) -> None:
    first = world.process(Accounts.of(kiosk_account(kiosk)))
    first.before["store_results"] = first.kill
    await world.owe("kios", "budi", "a", "b")
    processes.append(first.start())
    await until(lambda: kiosk.sent, "the first reply")
    processes.append(world.process(Accounts.of(kiosk_account(kiosk))).start())
    await until(lambda: _states(world, "unknown", "sent"), "the second process")
    assert len(kiosk.sent) == len({sent["ref"] for sent in kiosk.sent}) == 2


async def test_a_process_that_is_stopped_finishes_what_it_sends_and_leaves_no_doubt(
    world: World, processes: list[AccountProcess], kiosk: KioskServer
) -> None:
    await world.owe("kios", "budi", *(f"r{n}" for n in range(40)))
    first = world.process(Accounts.of(kiosk_account(kiosk))).start()
    await until(lambda: len(kiosk.sent) > 3, "the first replies")
    await first.stop()
    assert set(await world.states()) <= {"sent", "owed"}
    assert [lease.holder for lease in await world.pools.io(list_leases, world.record)] == [""]
    processes.append(world.process(Accounts.of(kiosk_account(kiosk))).start())
    await until(lambda: _states(world, *["sent"] * 40), "the rest", within=20)
    assert len(kiosk.sent) == len({sent["ref"] for sent in kiosk.sent}) == 40


async def test_a_process_that_stood_still_past_its_lease_begins_nothing_more(
    world: World, processes: list[AccountProcess], kiosk: KioskServer
) -> None:
    first = world.process(Accounts.of(kiosk_account(kiosk)))
    processes.append(first.start())
    await until(lambda: world.pools.io(list_leases, world.record), "the lease")
    first.before["renew_leases"] = _always(Retry("cut off from the record"))
    first.clock_ahead = 2 * TIMES.ttl
    claims: list[int] = []
    first.before["claim_replies"] = lambda: claims.append(1)
    await world.owe("kios", "budi", "a")
    first.wake.replies.set()
    await asyncio.sleep(TIMES.ttl / 2)
    assert (claims, kiosk.sent) == ([], [])


async def test_hanging_accounts_delay_no_other(
    world: World, processes: list[AccountProcess], kiosk: KioskServer
) -> None:
    with KioskServer() as hanging:
        async with Http(total=600) as patient:
            await _others_are_sent_meanwhile(world._replace(http=patient), processes, hanging, kiosk)


async def _others_are_sent_meanwhile(
    world: World, processes: list[AccountProcess], hanging: KioskServer, kiosk: KioskServer
) -> None:
    hanging.then(*[Fault.HANG] * 500)
    slow = [kiosk_account(hanging, f"macet-{n}") for n in range(20)]
    for channel in slow:
        await world.owe(channel.account, "siti", "s1")
        await world.owe(channel.account, "budi", "s2")
    process = world.process(Accounts.of(*slow, kiosk_account(kiosk)))
    process.times = replace(UNHURRIED, last_sends=0.1)
    processes.append(process.start())
    await until(lambda: len(hanging.received) >= 40, "all of them to hang", within=120)
    for n in range(20):
        await world.owe("kios", f"warga-{n}", "a")
    process.wake.replies.set()
    await until(lambda: len(kiosk.sent) == 20, "the others", within=120)
    assert [await world.states(channel.account) for channel in slow] == [["claimed"] * 2] * 20
    process.kill()


async def test_a_reply_that_may_have_arrived_is_never_sent_again(
    world: World, processes: list[AccountProcess], kiosk: KioskServer
) -> None:
    kiosk.then(Accepted(Fault.DROP))
    await world.owe("kios", "budi", "a", "b")
    processes.append(world.process(Accounts.of(kiosk_account(kiosk))).start())
    await until(lambda: _states(world, "unknown", "sent"), "both results")
    assert len(kiosk.sent) == 2


async def test_an_account_at_fault_waits_and_goes_on_at_once_with_a_new_edition(
    world: World, processes: list[AccountProcess], kiosk: KioskServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "FIRST", 600.0)
    accounts = Accounts.of(kiosk_account(kiosk, token="wrong"))
    await world.owe("kios", "budi", "a", "b")
    process = world.process(accounts)
    process.times = replace(UNHURRIED, renew_every=0.01, watch_every=0.3)  # most likely the renewal sees it first
    processes.append(process.start())
    faults = await until(lambda: world.pools.io(account_faults, world.record), "the fault")
    assert faults["kios"][0].code == "wrong_password"
    assert set(await world.states()) <= {"owed", "claimed"}
    asked = len(kiosk.received)
    accounts.swap(AccountsSnapshot([Account(kiosk_account(kiosk))]))
    await until(lambda: _states(world, "sent", "sent"), "the replies")
    assert asked < 4  # it was not asked in vain again and again
    await until(lambda: _no_faults(world), "the fault to be cleared")


async def test_a_reply_that_is_tried_again_later_goes_at_once_with_a_new_edition(
    world: World, processes: list[AccountProcess], kiosk: KioskServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_results, "SHORTEST", 600.0)
    kiosk.then(answer(429, ""))
    accounts = Accounts.of(kiosk_account(kiosk))
    await world.owe("kios", "budi", "a")
    processes.append(world.process(accounts).start())
    await until(lambda: _waits_for_another_attempt(world), "the first attempt")
    accounts.swap(AccountsSnapshot([Account(kiosk_account(kiosk))]))
    await until(lambda: _states(world, "sent"), "the reply")


async def test_a_fault_ends_that_a_process_stored_which_is_gone(
    world: World, processes: list[AccountProcess], kiosk: KioskServer
) -> None:
    await world.owe("kios", "budi", "a")
    waiting = Accounts()
    processes.append(world.process(waiting).start())  # it is at work before there is a fault
    wrong = world.process(Accounts.of(kiosk_account(kiosk, token="wrong"))).start()
    await until(lambda: world.pools.io(account_faults, world.record), "the fault")
    await wrong.stop()
    waiting.swap(AccountsSnapshot([Account(kiosk_account(kiosk))]))
    await until(lambda: _states(world, "sent"), "the reply")
    await until(lambda: _no_faults(world), "the fault to be cleared")


async def test_a_silent_account_takes_in_and_sends_nothing_until_it_speaks_again(
    world: World, processes: list[AccountProcess], kiosk: KioskServer
) -> None:
    channel = kiosk_account(kiosk)
    accounts = Accounts(AccountsSnapshot([Account(channel, "silent")]))
    await world.owe("kios", "budi", "a")
    processes.append(world.process(accounts).start())
    await until(lambda: world.pools.io(list_leases, world.record), "the lease")
    await asyncio.sleep(0.3)
    assert kiosk.sent == []
    accounts.swap(AccountsSnapshot([Account(channel)]))
    await until(lambda: _states(world, "sent"), "the reply")


# -- polls


async def test_polls_store_what_is_new_then_move_the_cursor_and_go_on_from_there(
    world: World, processes: list[AccountProcess], feed: FeedServer
) -> None:
    feed.items += map(item, range(5))
    first = world.process(Accounts.of(feed_account(feed))).start()
    await until(lambda: _cursor(world, "umpan", "5"), "the cursor")
    await first.stop()
    feed.items += [item(5)]
    processes.append(world.process(Accounts.of(feed_account(feed))).start())
    await until(lambda: _cursor(world, "umpan", "6"), "the cursor to go on")
    bodies = b"".join(raw.body for raw in await world.raws())
    assert [bodies.count(b'"n%d"' % n) for n in range(6)] == [1] * 6


async def test_a_takeover_between_publish_and_cursor_repeats_and_never_skips(
    world: World, processes: list[AccountProcess], feed: FeedServer
) -> None:
    feed.items += [item(0), item(1)]
    first = world.process(Accounts.of(feed_account(feed)))
    first.before["save_cursor"] = first.kill
    processes.append(first.start())
    await until(world.raws, "the first poll")
    processes.append(world.process(Accounts.of(feed_account(feed))).start())
    await until(lambda: _cursor(world, "umpan", "2"), "the second process")
    bodies = b"".join(raw.body for raw in await world.raws())
    assert (bodies.count(b'"n0"'), bodies.count(b'"n1"')) == (2, 2)
    with pytest.raises(StaleEpoch):
        await world.pools.io(save_cursor, world.record, "umpan", 1, "9", (await world.raws())[0].received_at)


async def test_a_poll_that_fails_is_made_again_and_skips_nothing(
    world: World, processes: list[AccountProcess], feed: FeedServer
) -> None:
    feed.items += [item(0)]
    feed.then(Fault.DROP)
    processes.append(world.process(Accounts.of(feed_account(feed))).start())
    await until(lambda: _cursor(world, "umpan", "1"), "the cursor")
    assert len(await world.raws()) == 1


# -- sessions


async def test_a_session_receives_and_sends_and_is_opened_again_after_it_broke(
    world: World, processes: list[AccountProcess]
) -> None:
    async with ModemServer() as modem:
        processes.append(world.process(Accounts.of(modem_account(modem))).start())
        modem.bring(item(0))
        await until(lambda: modem.taken == {1}, "the first item")
        modem.hang_up()
        modem.bring(item(1))
        await until(lambda: modem.taken == {1, 2}, "the item after the session broke")
        await world.owe("modem", "budi", "a", channel="modem")
        await until(lambda: _states(world, "sent"), "the reply")
        assert [sent["to"] for sent in modem.sent] == ["budi"]
        assert len(await world.raws()) == 2
        await processes.pop().stop()
        await until(lambda: modem.sessions == 0, "the session to close")


async def test_replies_wait_while_there_is_no_session(world: World, processes: list[AccountProcess]) -> None:
    async with ModemServer("another password") as modem:
        await world.owe("modem", "budi", "a", channel="modem")
        processes.append(world.process(Accounts.of(modem_account(modem))).start())
        await until(lambda: world.pools.io(account_faults, world.record), "the fault")
        await asyncio.sleep(0.3)
        assert await world.states() == ["owed"]


async def test_what_a_session_took_is_acknowledged_only_once_it_is_durable(
    world: World, processes: list[AccountProcess]
) -> None:
    async with ModemServer() as modem:
        first = world.process(Accounts.of(modem_account(modem)))
        first.before["save_cursor"] = first.kill
        processes.append(first.start())
        modem.bring(item(0))
        await until(world.raws, "the item to be stored")
        assert modem.taken == set()
        processes.append(world.process(Accounts.of(modem_account(modem))).start())
        await until(lambda: modem.taken == {1}, "the second process")
        assert {raw.body for raw in await world.raws()} == {(await world.raws())[0].body}


async def test_a_session_closes_before_its_lease_ends(world: World, processes: list[AccountProcess]) -> None:
    async with ModemServer() as modem:
        first = world.process(Accounts.of(modem_account(modem)))
        processes.append(first.start())
        await until(lambda: modem.sessions == 1, "the session")
        first.before["renew_leases"] = _always(Retry("cut off from the record"))
        second = world.process(Accounts.of(modem_account(modem)))
        most = 0

        def watched() -> bool:
            nonlocal most
            most = max(most, modem.sessions)
            return second.accounts is not None and modem.sessions == 1 and closed

        closed = False
        await until(lambda: modem.sessions == 0, "the session to close")
        closed = True
        processes.append(second.start())
        await until(watched, "the session of the second process")
        assert most == 1


async def test_a_reply_cut_off_by_a_broken_session_is_not_sent_again(
    world: World, processes: list[AccountProcess]
) -> None:
    async with ModemServer() as modem:
        modem.silent = True
        await world.owe("modem", "budi", "a", channel="modem")
        processes.append(world.process(Accounts.of(modem_account(modem))).start())
        await until(lambda: modem.sent, "the reply to reach the provider")
        modem.hang_up()
        await until(lambda: _states(world, "unknown"), "the doubt")
        modem.silent = False
        await world.owe("modem", "siti", "b", channel="modem")
        await until(lambda: _states(world, "unknown", "sent"), "the next reply")
        assert [sent["to"] for sent in modem.sent] == ["budi", "siti"]


# -- sharing


async def test_processes_share_the_accounts_and_a_dead_one_loses_its_own(
    world: World, processes: list[AccountProcess], kiosk: KioskServer
) -> None:
    channels = [kiosk_account(kiosk, f"kios-{n}") for n in range(10)]
    first, second = (world.process(Accounts.of(*channels)).start() for _ in range(2))
    processes += [first, second]
    shares = await until(lambda: _shares(world, 5, 5), "fair shares")
    assert sum(shares) == 10
    first.kill()
    for channel in channels:
        await world.owe(channel.account, "budi", "a")
    await until(lambda: _states(world, *["sent"] * 10), "the other process")
    assert len(kiosk.sent) == 10


def _once(fault: Exception) -> Any:
    faults = [fault]

    def hook() -> None:
        if faults:
            raise faults.pop()

    return hook


def _always(fault: Exception) -> Any:
    def hook() -> None:
        raise fault

    return hook


async def _states(world: World, *wanted: str) -> bool:
    return await world.states() == list(wanted)


async def _waits_for_another_attempt(world: World) -> bool:
    return [row.code for row in await world.pools.io(list_replies, world.record)] == ["retry"]


async def _cursor(world: World, account: str, wanted: str) -> bool:
    return await world.pools.io(load_cursor, world.record, account) == wanted


async def _no_faults(world: World) -> bool:
    return await world.pools.io(account_faults, world.record) == {}


async def _shares(world: World, *wanted: int) -> list[int] | None:
    leases = await world.pools.io(list_leases, world.record)
    holders = [lease.holder for lease in leases if lease.holder]
    shares = sorted(holders.count(holder) for holder in set(holders))
    return shares if shares == list(wanted) else None
