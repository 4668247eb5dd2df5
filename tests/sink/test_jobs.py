from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from schemas import Attachment
from sink import Record, Vault
from sink.attachments import MAX_FETCHES, ClaimedFetch, FetchResult, FetchState, claim_fetches, store_fetches
from sink.contacts import seal_attachment_source
from sink.hastening import hasten_jobs
from sink.job_claims import Claimable, claim_jobs
from sink.job_results import store_steps
from sink.jobs import ClaimedJob, NewJob, count_jobs, enqueue_jobs
from sink.tables import attachments
from tests.sink.made_jobs import begin_step, end_job, save_step, store_jobs
from tests.sink.made_replies import NOW, at, lease, take_over


def job(n: int, **more: Any) -> NewJob:
    known = {"id": f"job-{n:03}", "kind": "forward", "account": "sms", "owner": "32.73", "args": {"n": n}}
    return NewJob(**(known | more))


def claim(
    record: Record, epochs: Mapping[str, int], room: int = 100, in_flight: Collection[str] = (), now: datetime = NOW,
    kinds: Collection[str] = ("forward",), state: Claimable = "waiting",
) -> list[ClaimedJob]:  # fmt: skip
    room_of = dict.fromkeys(epochs, room)
    claimed = claim_jobs(record, kinds, epochs, room_of, in_flight=in_flight, now=now, state=state)
    return sorted(claimed, key=lambda job: job.id)


def only(record: Record, columns: str) -> tuple[Any, ...]:
    with record.read() as connection:
        return tuple(connection.execute(text(f"SELECT {columns} FROM jobs")).one())


def test_a_job_is_done_in_steps_that_are_remembered(record: Record) -> None:
    store_jobs(record, [job(1, complaint="c1", args={"number": "1234567897"})], NOW)
    (found,) = claim(record, lease(record))
    assert (found.args, found.complaint, found.step, found.results) == ({"number": "1234567897"}, "c1", None, {})
    found = begin_step(record, found, "create")
    found = save_step(record, found, "create", {"id": 7})
    found = begin_step(record, found, "attach")
    assert (found.step, found.results) == ("attach", {"create": {"id": 7}})
    found = save_step(record, found, "attach", None)
    assert end_job(record, found, "done", at(5))
    assert only(record, "state, results") == ("done", '{"create":{"id":7},"attach":null}')


def test_arguments_stand_sealed(record: Record) -> None:
    store_jobs(record, [job(1, args={"phone": "+628120000177"})], NOW)
    assert "628120000177" not in repr(only(record, "*"))


def test_a_job_comes_with_the_callers_transaction_or_not_at_all(record: Record) -> None:
    with record.write() as connection:
        assert enqueue_jobs(connection, record.vault, [job(1), job(2)], NOW) == 2
    with suppress(ZeroDivisionError), record.write() as connection:
        assert enqueue_jobs(connection, record.vault, [job(2), job(3)], NOW) == 1
        raise ZeroDivisionError
    assert [found.id for found in claim(record, lease(record))] == ["job-001", "job-002"]


def test_a_job_is_claimed_when_it_is_due_by_its_kind_and_within_the_room(record: Record) -> None:
    store_jobs(record, [job(1, due_at=at(60)), job(2, kind="poll"), job(3), job(4), job(5, account="other")], NOW)
    epochs = lease(record)
    assert [found.id for found in claim(record, epochs, room=1)] == ["job-003"]
    assert [found.id for found in claim(record, epochs, in_flight={"job-003"})] == ["job-004"]
    assert [found.id for found in claim(record, epochs, in_flight={"job-003", "job-004"}, now=at(60))] == ["job-001"]


def test_a_claim_whose_answer_was_lost_is_made_again(record: Record) -> None:
    store_jobs(record, [job(1), job(2)], NOW)
    epochs = lease(record)
    assert claim(record, epochs) == claim(record, epochs)
    assert claim(record, epochs, in_flight={"job-001", "job-002"}) == []


def test_a_job_between_two_steps_goes_on_with_the_next_one_after_a_takeover(record: Record) -> None:
    store_jobs(record, [job(1)], NOW)
    (found,) = claim(record, lease(record))
    save_step(record, begin_step(record, found, "create"), "create", 7)
    (again,) = claim(record, take_over(record), now=at(60))
    assert (again.step, again.results, again.epoch) == (None, {"create": 7}, 2)


def test_a_step_that_was_begun_is_unknown_after_a_takeover_and_is_looked_into(record: Record) -> None:
    store_jobs(record, [job(1)], NOW)
    (found,) = claim(record, lease(record))
    begin_step(record, found, "create")
    epochs = take_over(record)
    assert claim(record, epochs, now=at(60)) == []
    assert only(record, "state, code") == ("unknown", "worker_lost")
    (doubtful,) = claim(record, epochs, now=at(61), state="unknown")
    assert doubtful.step == "create"
    settled = save_step(record, doubtful, "create", {"id": 7})
    assert (settled.step, settled.results) == (None, {"create": {"id": 7}})
    assert end_job(record, settled, "done", at(62))


def test_an_unknown_step_that_was_not_done_is_tried_again(record: Record) -> None:
    store_jobs(record, [job(1)], NOW)
    epochs = lease(record)
    (found,) = claim(record, epochs)
    end_job(record, begin_step(record, found, "create"), "unknown", NOW, due_at=at(10), code="timeout")
    assert claim(record, epochs, now=at(9), state="unknown") == []
    assert claim(record, epochs, now=at(10)) == []
    (doubtful,) = claim(record, epochs, now=at(10), state="unknown")
    end_job(record, doubtful, "waiting", at(10), due_at=at(20))
    (again,) = claim(record, epochs, now=at(20))
    assert (again.step, again.attempts) == (None, 1)


def test_a_process_that_was_taken_over_writes_no_more_about_the_job(record: Record) -> None:
    store_jobs(record, [job(1)], NOW)
    (old,) = claim(record, lease(record))
    (new,) = claim(record, take_over(record), now=at(60))
    for state in ("done", "waiting", "failed", "unknown"):
        assert not end_job(record, old, state, NOW)
    with record.write() as connection:
        assert store_steps(connection, [old._replace(step="create")]) == set()
    assert end_job(record, begin_step(record, new, "create"), "done", NOW)


def test_what_is_stored_twice_is_stored_once(record: Record) -> None:
    store_jobs(record, [job(n) for n in range(1, 5)], NOW)
    done, retried, failed, unknown = claim(record, lease(record))
    for _ in range(3):
        assert end_job(record, done, "done", NOW)
        assert end_job(record, retried, "waiting", NOW, due_at=at(60))
        assert end_job(record, failed, "failed", NOW, code="gone")
        assert end_job(record, unknown, "unknown", NOW, due_at=at(60), code="timeout")
    with record.read() as connection:
        rows = connection.execute(text("SELECT state, attempts FROM jobs ORDER BY id")).all()
    assert [tuple(row) for row in rows] == [("done", 0), ("waiting", 1), ("failed", 0), ("unknown", 0)]


def test_what_a_changed_account_tries_again_or_looks_into_later_is_due_now(record: Record) -> None:
    store_jobs(record, [job(1), job(2, account="other"), job(3), job(4, due_at=at(3600))], NOW)
    epochs = lease(record, accounts=["sms", "other"])
    first, other, doubtful = claim(record, epochs)
    end_job(record, first, "waiting", NOW, due_at=at(3600), code="busy")
    end_job(record, other, "waiting", NOW, due_at=at(3600), code="busy")
    end_job(record, begin_step(record, doubtful, "create"), "unknown", NOW, due_at=at(3600), code="no_answer")
    hasten_jobs(record, ["sms"], at(5))
    assert [found.id for found in claim(record, epochs, now=at(5))] == ["job-001"]
    assert [found.id for found in claim(record, epochs, in_flight=["job-001"], now=at(5), state="unknown")] == [
        "job-003"
    ]


def test_jobs_tried_before_and_new_ones_do_not_starve_each_other(record: Record) -> None:
    store_jobs(record, [job(n) for n in range(60)], NOW)
    epochs = lease(record)
    for found in claim(record, epochs):
        end_job(record, found, "waiting", NOW, due_at=at(1))
    store_jobs(record, [job(n) for n in range(60, 120)], at(2))
    claimed = claim(record, epochs, room=10, now=at(3))
    assert [found.attempts for found in claimed].count(0) == 5
    assert len(claimed) == 10


def test_jobs_of_one_kind_do_not_starve_those_of_another(record: Record) -> None:
    store_jobs(record, [job(n, kind="forward" if n < 60 else "followup") for n in range(80)], NOW)
    claimed = claim(record, lease(record), room=10, kinds=("forward", "followup"))
    assert [found.kind for found in claimed] == ["forward"] * 5 + ["followup"] * 5


def test_jobs_that_are_not_done_are_counted(record: Record) -> None:
    store_jobs(record, [job(1), job(2), job(3, account="other", kind="poll"), job(4)], NOW)
    first, second, _ = claim(record, lease(record))
    end_job(record, first, "done", NOW)
    end_job(record, second, "failed", NOW, code="gone")
    counted = {(count.account, count.kind, count.state): count.jobs for count in count_jobs(record)}
    assert counted == {
        ("sms", "forward", "failed"): 1, ("sms", "forward", "claimed"): 1, ("other", "poll", "waiting"): 1,
    }  # fmt: skip


def referenced(record: Record, vault: Vault, *numbers: int, expires_at: datetime | None = None) -> None:
    """Files that a channel refers to, each with its job."""
    rows = [
        {
            "id": f"att-{n:03}", "complaint": "c1", "n": 0, "owner": "", "channel": "sms", "account": "sms",
            "source": seal_attachment_source(vault, Attachment(native_id=f"file-{n}")), "media_type": "image/jpeg",
            "name": vault.seal("ktp.jpg", "attachments.name"), "state": "referenced", "expires_at": expires_at,
        }
        for n in numbers
    ]  # fmt: skip
    with record.write() as connection:
        connection.execute(attachments.insert(), rows)
    new = [job(n, id=f"fetch/att-{n:03}", kind="fetch", args={"attachment": f"att-{n:03}"}) for n in numbers]
    store_jobs(record, new, NOW)


def fetches(
    record: Record, epochs: Mapping[str, int], room: int = 100, now: datetime = NOW, **more: Any
) -> list[ClaimedFetch]:
    known = {"in_flight": ()} | more
    return sorted(claim_fetches(record, epochs, dict.fromkeys(epochs, room), now=now, **known), key=lambda f: f.id)


def attachment_states(record: Record) -> list[str]:
    with record.read() as connection:
        return list(connection.execute(text("SELECT state FROM attachments ORDER BY id")).scalars())


def test_a_file_is_fetched_once_and_its_job_is_gone(record: Record, vault: Vault) -> None:
    referenced(record, vault, 1)
    (fetch,) = fetches(record, lease(record))
    assert (fetch.file.native_id, fetch.file.name, fetch.file.media_type) == ("file-1", "ktp.jpg", "image/jpeg")
    for _ in range(2):
        store_fetches(record, [FetchResult(fetch, "fetched", "ab" * 32, 12345)], NOW)
    with record.read() as connection:
        row = connection.execute(text("SELECT state, sha256, size, media_type FROM attachments")).one()
        assert tuple(row) == ("fetched", "ab" * 32, 12345, "image/jpeg")
        assert connection.execute(text("SELECT count(*) FROM jobs")).scalar() == 0


@pytest.mark.parametrize(("state", "ends"), [("refused", "refused"), ("failed", "referenced"), ("retry", "referenced")])
def test_a_file_that_did_not_come_says_why(record: Record, vault: Vault, state: FetchState, ends: str) -> None:
    referenced(record, vault, 1)
    epochs = lease(record)
    (fetch,) = fetches(record, epochs)
    store_fetches(record, [FetchResult(fetch, state, due_at=at(60), code="x")], NOW)
    assert attachment_states(record) == [ends]
    assert len(fetches(record, epochs, now=at(60))) == (state == "retry")


def test_a_file_that_never_comes_is_given_up(record: Record, vault: Vault) -> None:
    referenced(record, vault, 1)
    epochs = lease(record)
    for second in range(MAX_FETCHES):
        (fetch,) = fetches(record, epochs, now=at(second))
        store_fetches(record, [FetchResult(fetch, "retry", due_at=at(second + 1))], at(second))
    assert fetches(record, epochs, now=at(9000)) == []
    assert only(record, "state, attempts") == ("failed", MAX_FETCHES - 1)


def test_an_expired_file_is_not_fetched_any_more(record: Record, vault: Vault) -> None:
    referenced(record, vault, 1, expires_at=at(60))
    referenced(record, vault, 2, expires_at=at(600))
    assert [fetch.id for fetch in fetches(record, lease(record), now=at(60))] == ["att-002"]
    assert attachment_states(record) == ["expired", "referenced"]
    assert [count.jobs for count in count_jobs(record)] == [1]


def test_a_file_that_was_fetched_twice_keeps_the_first_bytes(record: Record, vault: Vault) -> None:
    referenced(record, vault, 1)
    (slow,) = fetches(record, lease(record))
    (quick,) = fetches(record, take_over(record), now=at(60))
    store_fetches(record, [FetchResult(quick, "fetched", "ab" * 32, 1)], at(61))
    store_fetches(record, [FetchResult(slow, "fetched", "cd" * 32, 2)], at(62))
    with record.read() as connection:
        assert connection.execute(text("SELECT sha256 FROM attachments")).scalar() == "ab" * 32


def test_sixty_files_that_fail_do_not_hold_up_five_good_ones(record: Record, vault: Vault) -> None:
    referenced(record, vault, *range(60))
    epochs = lease(record)
    bad = fetches(record, epochs)
    store_fetches(record, [FetchResult(fetch, "retry", due_at=at(1)) for fetch in bad], NOW)
    referenced(record, vault, *range(60, 65))
    claimed = fetches(record, epochs, room=10, now=at(2))
    assert {fetch.id for fetch in claimed} >= {f"att-{n:03}" for n in range(60, 65)}
