"""The laws of the outbox, under processes that claim, lose answers, fall asleep and take over."""

from __future__ import annotations

from collections import defaultdict
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sink import Record
from sink.leases import renew_leases
from sink.outbox_claims import OwedReply, SenderFacts, claim_replies
from sink.outbox_results import SendResult, SendState, store_results
from sink.outbox_starts import start_replies
from tests.sink.made_replies import at, enqueue, reply

ACCOUNTS = ("sms", "wa")
HOLDERS = ("a", "b")
MARKS = "wa"
"""The account that marks when a send starts."""
TTL = 15


class Sender:
    """What a process knows: its leases, and the replies that it was handed."""

    def __init__(self) -> None:
        self.epochs: dict[str, int] = {}
        self.until = 0.0
        self.to_send: dict[str, OwedReply] = {}
        self.to_store: dict[str, SendResult] = {}

    @property
    def in_flight(self) -> set[str]:
        return self.to_send.keys() | self.to_store.keys()


class Outbox(RuleBasedStateMachine):
    record: ClassVar[Record]

    @initialize()
    def begin(self) -> None:
        with self.record.write() as connection:
            for table in ("outbox", "leases", "lease_holders"):
                connection.exec_driver_sql(f"DELETE FROM {table}")
        self.seconds, self.owed = 0.0, 0
        self.senders = {holder: Sender() for holder in HOLDERS}
        self.arrived: dict[str, list[str]] = defaultdict(list)  # ids by conversation, as the provider saw them
        self.order: dict[str, int] = {}
        self.talks: dict[str, tuple[str, str]] = {}

    @rule(talk=st.sampled_from("xyz"), account=st.sampled_from(ACCOUNTS))
    def owe(self, talk: str, account: str) -> None:
        self.owed += 1
        new = reply(self.record.vault, self.owed, talk, account=account, person=str(self.owed))
        self.order[new.id], self.talks[new.id] = self.owed, (account, talk)
        enqueue(self.record, new, now=at(self.seconds))

    @rule(seconds=st.sampled_from([1, 4, 16]))
    def time_passes(self, seconds: float) -> None:
        self.seconds += seconds

    @rule(holder=st.sampled_from(HOLDERS))
    def renew(self, holder: str) -> None:
        sender = self.senders[holder]
        busy = {owed.account for owed in sender.to_send.values()}
        sender.epochs = renew_leases(
            self.record, holder, ACCOUNTS, now=at(self.seconds), ttl=TTL, idle=set(ACCOUNTS) - busy
        )
        sender.until = self.seconds + TTL

    @rule(holder=st.sampled_from(HOLDERS), answer_is_lost=st.booleans(), room=st.integers(0, 3))
    def claim(self, holder: str, answer_is_lost: bool, room: int) -> None:
        sender = self.senders[holder]
        rooms = dict.fromkeys(ACCOUNTS, room)
        claimed = claim_replies(
            self.record,
            sender.epochs,
            rooms,
            in_flight=sender.in_flight,
            now=at(self.seconds),
            facts=SenderFacts(marks_start={MARKS}),
        )
        assert not sender.in_flight & {owed.id for owed in claimed}
        assert not [owed for owed in claimed if self._something_is_before(owed)]
        if not answer_is_lost:
            sender.to_send |= {owed.id: owed for owed in claimed}

    @rule(holder=st.sampled_from(HOLDERS), state=st.sampled_from(["sent", "unknown", "failed", "retry", "owed"]))
    def send(self, holder: str, state: SendState) -> None:
        """A process sends only while it may rely on its leases, or once its start is marked, though it was asleep; what
        it was handed before it drops."""
        sender = self.senders[holder]
        for id, owed in list(sender.to_send.items()):
            del sender.to_send[id]
            leased = self.seconds < sender.until and sender.epochs.get(owed.account) == owed.epoch
            if start_replies(self.record, [owed]) if owed.account == MARKS else leased:
                if state in ("sent", "unknown"):
                    self.arrived[owed.conversation].append(id)
                due = at(self.seconds + 3)
                sender.to_store[id] = SendResult(owed, state, at(self.seconds), due_at=due, limit=3)
            else:
                sender.to_store[id] = SendResult(owed, "owed", at(self.seconds))

    @rule(holder=st.sampled_from(HOLDERS))
    def start(self, holder: str) -> None:
        """Its process may be killed before it has sent."""
        start_replies(self.record, list(self.senders[holder].to_send.values()))

    @rule(holder=st.sampled_from(HOLDERS), answer_is_lost=st.booleans())
    def store(self, holder: str, answer_is_lost: bool) -> None:
        sender = self.senders[holder]
        store_results(self.record, list(sender.to_store.values()))
        if not answer_is_lost:
            sender.to_store.clear()

    @rule(holder=st.sampled_from(HOLDERS))
    def process_is_killed(self, holder: str) -> None:
        """Another one begins in its place, with a name of its own."""
        self.senders[holder] = Sender()
        with self.record.write() as connection:
            connection.exec_driver_sql(f"UPDATE leases SET holder = 'dead-{self.owed}' WHERE holder = '{holder}'")

    @invariant()
    def nothing_arrives_twice(self) -> None:
        arrived = [id for ids in self.arrived.values() for id in ids]
        assert len(arrived) == len(set(arrived))

    def teardown(self) -> None:
        self._run_dry()
        arrived = {id for ids in self.arrived.values() for id in ids}
        for id, state in self._states().items():
            assert state in ("sent", "unknown", "failed"), "something waits for ever"
            assert (state == "sent") <= (id in arrived), "a reply counts as sent that never left"
            assert (id in arrived) <= (state in ("sent", "unknown")), "a reply arrived and counts as failed"

    def _run_dry(self) -> None:
        """Everybody is gone but one process, for which everything works."""
        for sender in self.senders.values():
            store_results(self.record, list(sender.to_store.values()))
        self.seconds += 3600
        epochs = renew_leases(self.record, "last", ACCOUNTS, now=at(self.seconds))
        assert epochs.keys() == set(ACCOUNTS)
        for _ in range(self.owed + 2):
            claimed = claim_replies(self.record, epochs, dict.fromkeys(ACCOUNTS, 9), in_flight=(), now=at(self.seconds))
            for owed in claimed:
                self.arrived[owed.conversation].append(owed.id)
            store_results(self.record, [SendResult(owed, "sent", at(self.seconds)) for owed in claimed])
        self.nothing_arrives_twice()

    def _something_is_before(self, owed: OwedReply) -> bool:
        """Is an earlier reply of its conversation waiting, or being sent?"""
        pending = {id for id, state in self._states().items() if state in ("owed", "claimed")}
        mine = (owed.account, owed.conversation)
        return any(self.talks[id] == mine and self.order[id] < self.order[owed.id] for id in pending)

    def _states(self) -> dict[str, str]:
        with self.record.read() as connection:
            return {row.id: row.state for row in connection.exec_driver_sql("SELECT id, state FROM outbox")}


@pytest.fixture(autouse=True)
def _record(sqlite_record: Record) -> None:
    Outbox.record = sqlite_record


Outbox.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestOutbox = Outbox.TestCase
