"""The contract of the matcher's memory, kept by the double of these tests and by the tables of the sink.

A class of tests to inherit from. Its subclass gives the fixture `memory`: an empty memory. Only the port is used, so
nothing here depends on what else the record holds.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from normalizer import Decision, Entry, Known, Memory, Query, match
from normalizer.keywords import is_our_number
from schemas import Action, Match, Message, Party, Retry, complaint_id, message_id
from schemas.memory import BUCKET, NEWEST, SCORED, TEXT_BUCKET, Candidate, Profile, report_reference
from tests.normalizer.stage import BUDI, LAMP, NOON, ROAD, SARI, action, message


def recall(memory: Memory, *items: Message | Action, keys: tuple[str, ...] = ()) -> Known:
    return memory.recall([Query(item=item, report_keys=keys) for item in items])


def opens(memory: Memory, item: Message, *, keys: tuple[str, ...] = (), **known: Any) -> Decision:
    """Remember that the message opens a complaint."""
    complaint = complaint_id(item.id)
    number = recall(memory, item).new_numbers[complaint]
    given = {"complaint": complaint, "number": number, "opens_complaint": True, "switches_thread": True} | known
    return remembers(memory, item, keys=keys, **given)


def remembers(memory: Memory, item: Message | Action, *, keys: tuple[str, ...] = (), **known: Any) -> Decision:
    decision = Decision(
        **{
            "raw": item.raw,
            "item_index": item.item_index,
            "message": item.id,
            "content": "c",
            "outcome": "recorded" if known.get("opens_complaint") else "added",
            "received_at": item.received_at,
        }
        | known
    )
    memory.remember([Entry(item=item, decision=decision, report_keys=keys)])
    return decision


def joins(memory: Memory, item: Message | Action, first: Decision, **known: Any) -> Decision:
    """Remember that the item joins the complaint that `first` opened."""
    return remembers(memory, item, complaint=first.complaint, number=first.number, **known)


AT = 650 * BUCKET + 5


def indexed(memory: Memory, item: Message, profile: Profile, **known: Any) -> Decision:
    """Remember that the message opens a complaint that is compared with others."""
    complaint = complaint_id(item.id)
    decision = Decision(
        raw=item.raw, item_index=0, message=item.id, content="c", outcome="recorded", received_at=item.received_at,
        complaint=complaint, number=recall(memory, item).new_numbers[complaint], opens_complaint=True,
        switches_thread=True, **known,
    )  # fmt: skip
    memory.remember([Entry(item=item, decision=decision, profile=profile)])
    return decision


def alike(memory: Memory, item: Message, profile: Profile) -> dict[tuple[int, int], list[Candidate]]:
    """By bucket and key, the reports that may be compared with it."""
    known = memory.recall([Query(item=item, profile=profile)])
    return {pair: [known.reports[r] for r in found if r in known.reports] for pair, found in known.alike.items()}


class MemoryContract:
    """Each test starts with an empty memory."""

    def test_the_same_raw_has_the_stored_decision_whole(self, memory: Memory) -> None:
        first = opens(memory, message("1", ROAD), reason="no open conversation", missing=("text",), matcher="2")
        known = recall(memory, message("1", ROAD))
        assert known.decided == {(first.raw, 0): first}
        assert known.seen == {first.message: first}

    def test_a_report_is_wordless_until_somebody_says_something(self, memory: Memory) -> None:
        said = [message("1", kind="image"), message("2", kind="image", minutes=1), message("3", "Banjir", minutes=2)]
        found = []
        for item in said:
            match([item], memory)
            (thread,) = recall(memory, item).threads.values()
            found.append(thread.wordless)
        assert found == [True, True, False]

    def test_another_raw_with_that_message_id_finds_the_first_decision(self, memory: Memory) -> None:
        first = opens(memory, message("1", ROAD))
        again = message("1", ROAD, raw="again", minutes=1)
        joins(memory, again, first, outcome="redelivered")
        known = recall(memory, message("1", ROAD, raw="once more"))
        assert known.seen[first.message] == first
        assert known.decided == {}

    def test_an_id_of_its_own_is_found_by_that_id(self, memory: Memory) -> None:
        opens(memory, message("1", ROAD))
        other = replace(message("1", LAMP, raw="other", by=BUDI), id="sms/sms/1~2")
        second = opens(memory, other)
        assert recall(memory, other).seen == {"sms/sms/1~2": second}

    def test_an_item_as_it_was_read_finds_the_decision_with_the_id_of_its_own(self, memory: Memory) -> None:
        opens(memory, message("1", ROAD))
        other = message("1", LAMP, raw="other", by=BUDI)
        complaint = complaint_id("sms/sms/1~2")
        second = remembers(
            memory, other, message="sms/sms/1~2", opens_complaint=True, complaint=complaint, number="1234567897"
        )
        assert recall(memory, other).decided == {("other", 0): second}

    def test_a_new_number_is_ours_and_is_the_same_for_everybody_who_asks(self, memory: Memory) -> None:
        items = [message("1", ROAD), message("2", LAMP)]
        numbers = recall(memory, *items).new_numbers
        assert set(numbers) == {complaint_id(item.id) for item in items}
        assert len(set(numbers.values())) == 2
        assert all(is_our_number(number) for number in numbers.values())
        assert recall(memory, *items).new_numbers == numbers

    def test_of_two_processes_with_one_message_the_second_is_matched_again(self, memory: Memory) -> None:
        first = opens(memory, message("1", ROAD))
        there = message("1", ROAD, raw="there", by=BUDI)
        with pytest.raises(Retry):
            remembers(memory, there, complaint=first.complaint, number="1234567897", opens_complaint=True)
        assert recall(memory, there).seen[there.id].raw == first.raw

    def test_a_batch_is_remembered_whole_or_not_at_all(self, memory: Memory) -> None:
        first = opens(memory, message("1", ROAD))
        good, bad = message("2", LAMP), message("1", ROAD, raw="there")
        batch = [
            Entry(item=item, decision=replace(first, raw=item.raw, message=item.id, opens_complaint=False))
            for item in (good, bad)
        ]
        with pytest.raises(Retry):
            memory.remember(batch)
        assert recall(memory, good).decided == {}

    @pytest.mark.parametrize(("minutes", "found"), [(9, True), (10, True), (11, False)])
    def test_a_fingerprint_lasts_ten_minutes(self, memory: Memory, minutes: int, found: bool) -> None:
        opens(memory, message("1", ROAD, fingerprint="f"))
        known = recall(memory, message("2", ROAD, fingerprint="f", minutes=minutes)).fingerprints
        fresh = [
            f for f, d in known.items() if NOON + timedelta(minutes=minutes) - d.received_at <= timedelta(minutes=10)
        ]
        assert bool(fresh) is found

    def test_a_deletion_is_found_by_the_message_that_it_is_about(self, memory: Memory) -> None:
        deletion = message("d", kind="deletion", refers_to="1")
        remembers(memory, deletion, outcome="refused")
        known = recall(memory, message("1", ROAD, minutes=60), message("2", ROAD), message("1", account="wa"))
        assert {id: decision.raw for id, decision in known.deletions.items()} == {message("1").id: deletion.raw}

    def test_a_thread_is_found_by_conversation_and_by_alias(self, memory: Memory) -> None:
        first = opens(memory, message("1", ROAD, aliases=("US.1",)))
        threads = recall(memory, message("2"), message("3", conversation="US.1")).threads
        assert set(threads) == {f"sms/{SARI}", "sms/US.1"}
        thread = threads["sms/US.1"]
        assert (thread.complaint, thread.number, thread.closed) == (first.complaint, first.number, False)
        assert thread.last_at == NOON
        assert thread.last_at.utcoffset() == timedelta(0)

    def test_the_thread_is_as_new_as_the_last_message_that_switched_it(self, memory: Memory) -> None:
        first = opens(memory, message("1", ROAD))
        for n, switches in ((5, True), (9, False)):
            joins(memory, message(f"n{n}", minutes=n), first, switches_thread=switches)
        assert recall(memory, message("x")).threads[f"sms/{SARI}"].last_at == NOON + timedelta(minutes=5)

    def test_a_thread_switches_to_the_complaint_that_was_written_to_last(self, memory: Memory) -> None:
        first = opens(memory, message("1", ROAD))
        opens(memory, message("2", LAMP, minutes=1))
        joins(memory, message("3", minutes=2), first, switches_thread=True)
        assert recall(memory, message("x")).threads[f"sms/{SARI}"].complaint == first.complaint

    def test_a_question_leaves_the_thread_as_it_is(self, memory: Memory) -> None:
        first = opens(memory, message("1", ROAD))
        second = opens(memory, message("2", LAMP, minutes=1))
        joins(memory, message("3", minutes=2), first, outcome="asked")
        thread = recall(memory, message("x")).threads[f"sms/{SARI}"]
        assert (thread.complaint, thread.last_at) == (second.complaint, NOON + timedelta(minutes=1))

    def test_a_refused_notice_of_a_changed_number_gives_it_the_thread(self, memory: Memory) -> None:
        first = opens(memory, message("1", ROAD))
        notice = message("2", aliases=("new",), minutes=1)
        joins(memory, notice, first, outcome="refused", switches_thread=True)
        threads = recall(memory, message("3", conversation="new")).threads
        assert {key: thread.complaint for key, thread in threads.items()} == {"sms/new": first.complaint}

    def test_the_same_words_are_found_by_their_keys_only(self, memory: Memory) -> None:
        first = opens(memory, message("1", ROAD), keys=("claimed\0a\0d", "conversation\0b\0d"))
        found = recall(memory, message("2", by=BUDI), keys=("claimed\0a\0d", "claimed\0b\0d")).same_words
        assert {key: thread.complaint for key, thread in found.items()} == {"claimed\0a\0d": first.complaint}

    def test_the_same_words_lead_to_the_newer_complaint(self, memory: Memory) -> None:
        opens(memory, message("1", ROAD), keys=("k",))
        second = opens(memory, message("2", ROAD, minutes=1), keys=("k",))
        assert recall(memory, message("3"), keys=("k",)).same_words["k"].complaint == second.complaint

    def test_a_number_leads_to_the_complaint_and_its_reporter(self, memory: Memory) -> None:
        sender = Party(phone=SARI, user="whatsapp:US.1")
        first = opens(memory, message("1", ROAD, sender=sender, aliases=("US.1",)))
        number = str(first.number)
        for asker, whose in (
            (message("2", number=number), {SARI, f"sms/{SARI}"}),
            (message("3", number=number, sender=Party(user="whatsapp:US.1"), conversation="x"), {"whatsapp:US.1"}),
            (message("4", number=number, sender=Party(), conversation="US.1"), {"sms/US.1"}),
            (message("5", number=number, by=BUDI), set()),
        ):
            found = recall(memory, asker).by_number[number]
            assert (found.complaint, found.number) == (first.complaint, number)
            own = {*asker.sender.identities, asker.key}
            assert found.reporter & own == whose
        assert recall(memory, message("6", number="1234567897")).by_number == {}

    def test_a_message_referred_to_leads_to_its_complaint_and_reporter(self, memory: Memory) -> None:
        first = opens(memory, message("1", ROAD))
        joins(memory, message("2", minutes=1), first, switches_thread=True)
        for native in ("1", "2"):
            quote = message("3", refers_to=native)
            found = recall(memory, quote).by_message[message_id("sms", "sms", native)]
            assert found.complaint == first.complaint
            assert f"sms/{SARI}" in found.reporter

    def test_a_stranger_who_refers_to_it_is_none_of_its_reporter(self, memory: Memory) -> None:
        opens(memory, message("1", ROAD))
        stranger = message("2", refers_to="1", by=BUDI)
        found = recall(memory, stranger).by_message[message_id("sms", "sms", "1")]
        assert found.reporter.isdisjoint({BUDI, stranger.key})

    def test_nothing_leads_from_a_strangers_message(self, memory: Memory) -> None:
        first = opens(memory, message("1", ROAD))
        joins(memory, message("2", by=BUDI), first, outcome="asked", stranger=True)
        assert recall(memory, message("3", by=BUDI, refers_to="2")).by_message == {}
        assert recall(memory, message("3", by=BUDI)).threads == {}

    def test_a_foreign_id_of_the_report_leads_to_it(self, memory: Memory) -> None:
        first = opens(memory, message("1", ROAD, external_ids={"sp4n": "1234567"}))
        found = recall(memory, action("1", of={"sp4n": "1234567", "lapor": "1234567"})).by_external_id
        assert {of: c.complaint for of, c in found.items()} == {("sp4n", "1234567"): first.complaint}

    def test_a_report_is_found_by_the_keys_that_alike_ones_share(self, memory: Memory) -> None:
        first = indexed(
            memory, message("1", ROAD), Profile(at=AT, keys=(7, 8), text_keys=(9,), words=b"\1\2\3\4", lat=-6.5)
        )
        asked = Profile(at=AT + BUCKET, keys=(8, 6), text_keys=(9,), words=b"")
        found = alike(memory, message("2", ROAD, by=BUDI), asked)
        assert {key for key, reports in found.items() if reports} == {(AT // BUCKET, 8), (-1 - AT // TEXT_BUCKET, 9)}
        [candidate] = found[AT // BUCKET, 8]
        assert (candidate.complaint, candidate.incident, candidate.number) == (
            first.complaint, first.complaint, first.number
        )  # fmt: skip
        assert candidate.profile == Profile(at=AT, words=b"\1\2\3\4", lat=-6.5)
        assert not candidate.closed

    def test_a_report_of_an_earlier_bucket_is_not_found(self, memory: Memory) -> None:
        indexed(memory, message("1", ROAD), Profile(at=AT, keys=(7,), words=b""))
        found = alike(memory, message("2", ROAD, by=BUDI), Profile(at=AT + 2 * BUCKET, keys=(7,), words=b""))
        assert not any(found.values())

    @pytest.mark.parametrize("seconds", [1, 2, NEWEST], ids=["one-a-second", "two-a-second", "one-second"])
    def test_the_newest_reports_of_a_key_are_found_newest_last(self, memory: Memory, seconds: int) -> None:
        opened = []
        for n in range(NEWEST + 3):
            at = AT + n // seconds
            new = indexed(memory, message(str(n), ROAD, conversation=f"c{n}"), Profile(at=at, keys=(7,), words=b""))
            opened.append(report_reference(at, str(new.complaint)))
        known = memory.recall([Query(item=message("x", ROAD), profile=Profile(at=AT, keys=(7,), words=b""))])
        assert [found for found in known.alike.values() if found] == [sorted(opened)[-NEWEST:]]
        assert set(sorted(opened)[-SCORED:]) <= set(known.reports)
        assert {reference: one.reference for reference, one in known.reports.items()} == {r: r for r in known.reports}

    def test_reports_are_found_that_those_before_in_the_batch_may_make_likelier(self, memory: Memory) -> None:
        """The newest of one key share two keys with what is asked; what the batch opens may push them out of both."""
        many = [Profile(at=AT + n, keys=(7, 8), words=b"") for n in range(NEWEST)]
        few = [Profile(at=AT, keys=(9,), words=bytes([n] * 4)) for n in range(SCORED)]
        for n, profile in enumerate([*many, *few]):
            indexed(memory, message(str(n), ROAD, conversation=f"c{n}"), profile)
        asked = Query(item=message("x", ROAD), profile=Profile(at=AT, keys=(7, 8, 9), words=b""))
        assert {one.profile.words for one in memory.recall([asked]).reports.values()} >= {b""}
        before = [
            Query(item=message(f"b{n}"), profile=Profile(at=AT + 99, keys=(7, 8), words=b"")) for n in range(NEWEST)
        ]
        known = memory.recall([*before, asked])
        assert {one.profile.words for one in known.reports.values()} == {b"", *(one.words for one in few)}

    def test_a_link_leads_to_the_first_of_the_incident(self, memory: Memory) -> None:
        first = indexed(memory, message("1", ROAD), Profile(at=AT, keys=(7,), words=b""))
        link = Match(kind="same_incident", of=str(first.complaint), score=0.9, evidence="e")
        second = indexed(memory, message("2", ROAD, by=BUDI), Profile(at=AT, keys=(7,), words=b""), matches=(link,))
        [reports] = (
            some for some in alike(memory, message("x", ROAD), Profile(at=AT, keys=(7,), words=b"")).values() if some
        )
        assert {r.complaint: r.incident for r in reports} == {
            first.complaint: first.complaint, second.complaint: first.complaint
        }  # fmt: skip

    def test_only_the_sender_is_known_as_the_reporter_of_a_candidate(self, memory: Memory) -> None:
        profile = Profile(at=AT, keys=(7,), words=b"")
        indexed(memory, message("1", ROAD, proven=True), profile)
        indexed(memory, message("2", ROAD, proven=False, minutes=1), profile)
        for asker, whose in (
            (message("3", ROAD), [{f"sms/{SARI}"}, {SARI, f"sms/{SARI}"}]),
            (message("4", ROAD, account="wa"), [set(), {SARI}]),
            (message("5", ROAD, by=BUDI), [set(), set()]),
        ):
            [reports] = (some for some in alike(memory, asker, profile).values() if some)
            own = {*asker.sender.identities, asker.key}
            by_number = sorted(reports, key=lambda r: r.complaint == complaint_id("sms/sms/1"))
            assert [r.reporter & own for r in by_number] == whose
            assert {r.sender == asker.told_apart_by for r in reports} == {asker.told_apart_by == SARI}

    def test_a_thread_brings_what_its_opening_message_is_compared_by(self, memory: Memory) -> None:
        first = indexed(memory, message("1", ROAD), Profile(at=AT, keys=(7,), words=b"w", place="32.73.01"))
        joins(memory, message("2", minutes=1), first, switches_thread=True)
        profile = recall(memory, message("3")).threads[f"sms/{SARI}"].profile
        assert profile == Profile(at=AT, words=b"w", place="32.73.01")

    def test_an_action_finds_its_complaint_by_number(self, memory: Memory) -> None:
        first = opens(memory, message("1", ROAD))
        assert (
            recall(memory, action("1", number=first.number)).by_number[str(first.number)].complaint == first.complaint
        )

    def test_an_action_is_remembered_as_a_message_is(self, memory: Memory) -> None:
        first = opens(memory, message("1", ROAD))
        note = action("1", number=first.number, minutes=1)
        decision = joins(memory, note, first)
        known = recall(memory, note)
        assert known.decided == {(note.raw, 0): decision}
        assert known.seen == {note.id: decision}
        assert recall(memory, message("x")).threads[f"sms/{SARI}"].last_at == NOON

    def test_a_large_batch_is_recalled_whole(self, memory: Memory) -> None:
        batch = [message(str(n), ROAD, conversation=f"c{n}") for n in range(1, 1201)]
        numbers = recall(memory, *batch).new_numbers
        memory.remember(
            [
                Entry(
                    item=item,
                    decision=Decision(
                        raw=item.raw, item_index=0, message=item.id, outcome="recorded", received_at=NOON,
                        complaint=complaint_id(item.id), number=numbers[complaint_id(item.id)],
                        opens_complaint=True, switches_thread=True,
                    ),
                )
                for item in batch
            ]
        )  # fmt: skip
        known = recall(memory, *batch)
        assert len(known.decided) == len(known.seen) == len(known.threads) == len(batch)
        assert known.new_numbers.keys().isdisjoint(numbers) or known.new_numbers == numbers
