"""Which batches a member of a Kafka group may still commit, after whatever rebalance."""

from __future__ import annotations

from aiokafka import TopicPartition

from bus._kafka_assignment import Assignment

A, B, C = (TopicPartition("raw", number) for number in range(3))


def assigned(*partitions: TopicPartition, member: str = "m", generation: int = 1) -> Assignment:
    """A member after its first rebalance."""
    assignment = Assignment()
    assignment.assigned(partitions, member, generation)
    return assignment


def rebalance(assignment: Assignment, *partitions: TopicPartition, member: str = "m", generation: int = 2) -> None:
    """The next one that it takes part in."""
    assignment.begin_rebalance()
    assignment.assigned(partitions, member, generation)


def test_a_batch_of_our_partitions_may_be_committed() -> None:
    assignment = assigned(A, B)
    assert assignment.still_ours(assignment.read({A: 5, B: 7})) == {A: 5, B: 7}


def test_a_partition_that_stays_with_us_keeps_its_batch() -> None:
    assignment = assigned(A, B)
    read = assignment.read({A: 5, B: 7})
    rebalance(assignment, A, C)
    assert assignment.still_ours(read) == {A: 5}


def test_a_partition_that_went_and_came_back_has_lost_its_batch() -> None:
    assignment = assigned(A)
    read = assignment.read({A: 5})
    rebalance(assignment, generation=2)
    rebalance(assignment, A, generation=3)
    assert assignment.still_ours(read) == {}


def test_a_generation_without_us_loses_every_batch() -> None:
    assignment = assigned(A, generation=1)
    read = assignment.read({A: 5})
    rebalance(assignment, A, generation=3)
    assert assignment.still_ours(read) == {}


def test_a_new_member_id_loses_every_batch() -> None:
    assignment = assigned(A, member="m")
    read = assignment.read({A: 5})
    rebalance(assignment, A, member="n", generation=2)
    assert assignment.still_ours(read) == {}


def test_an_expelled_member_may_commit_nothing() -> None:
    assignment = assigned(A)
    read = assignment.read({A: 5})
    assignment.expelled()
    assert assignment.still_ours(read) == {}
    rebalance(assignment, A)
    assert assignment.still_ours(read) == {}


def test_during_a_rebalance_the_partitions_are_still_ours() -> None:
    assignment = assigned(A)
    read = assignment.read({A: 5})
    assignment.begin_rebalance()
    assert not assignment.steady
    assert assignment.still_ours(read) == {A: 5}


def test_reading_begins_again_after_every_rebalance() -> None:
    assignment = assigned(A)
    read = assignment.read({A: 5})
    assert not assignment.restarted(read)
    rebalance(assignment, A)
    assert assignment.restarted(read)


def test_a_batch_shows_new_partitions_once() -> None:
    assignment = assigned(A)
    assert [assignment.take_grown(), assignment.take_grown()] == [True, False]
    rebalance(assignment, A, generation=2)
    assert not assignment.take_grown()
    rebalance(assignment, A, B, generation=3)
    assert [assignment.take_grown(), assignment.take_grown()] == [True, False]


def test_a_partition_that_went_and_came_back_is_new() -> None:
    assignment = assigned(A)
    assignment.take_grown()
    rebalance(assignment, generation=2)
    rebalance(assignment, A, generation=3)
    assert assignment.take_grown()


def test_no_two_assignments_of_a_partition_have_one_number() -> None:
    assignment = assigned(A)
    epochs = [assignment.epochs[A]]
    for generation in range(3, 30, 2):
        rebalance(assignment, A, generation=generation)
        epochs.append(assignment.epochs[A])
    assert len(set(epochs)) == len(epochs)
