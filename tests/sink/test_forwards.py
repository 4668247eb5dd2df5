"""What is queued for other systems, what may leave, where it stands, and the second conservation law."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, event

from schemas import Attachment, Forward, Match, Message, Office, Party, Place, Routed, complaint_id
from schemas.personal import mask_personal
from sink import Record, export
from sink.account_states import sent_since
from sink.batch_items import PersistOptions
from sink.disclosure import FIELDS, project, projection_of
from sink.forward_claims import claim_forwards, read_forward
from sink.forward_law import national_balances
from sink.forward_progress import ForeignReport, Progress, store_progress
from sink.forward_queue import job_id
from sink.forward_repair import decide_again, decide_stands, list_forwards, queue_recorded, show_forward
from sink.forwarded import ForwardPollResult, due_polls, store_polls
from sink.job_results import JobResult
from sink.jobs import ClaimedJob, steps_in_hand
from sink.leases import renew_leases
from sink.persist import persist_batch
from sink.reconcile import forwarded_pages, twice_here
from tests.sink.made import NAME, NOW, PHONE, acted, action, decision, message, recall, remember, routed, rows

LATER = NOW + timedelta(hours=1)
WORDS = "Lampu jalan di Jalan Melati mati sejak Senin"


class To:
    """An account that forwards, as the queue knows it."""

    def __init__(self, account: str = "lapor", system: str = "sp4n", kind: str = "lapor", **more: Any) -> None:
        self.account, self.system, self.kind = account, system, kind
        self.takes = more.get("takes", frozenset({"complaint", "supplement", "answer"}))
        self.national = kind == "lapor"
        self.projection = more.get("projection", kind)
        self.withholds = frozenset(more.get("withholds", ()))
        self.follow_every = 10.0
        self.replayable = bool(more.get("replayable"))
        self.region = more.get("region", "32")

    def wants(self, forward: Forward) -> bool:
        return forward.owner.startswith(self.region)

    def steps(self, forward: Forward, results: Any) -> list[str]:
        return ["create"]


LAPOR = To()
MINE = complaint_id(message(1).id)


def persist(record: Record, *events: Routed, to: Any = (LAPOR,)) -> int:
    return persist_batch(record, events, NOW, PersistOptions(speaks={"sms"}, destinations=to)).jobs


def claim(record: Record, state: Any = "waiting", at: Any = LATER, account: str = "lapor") -> list[Any]:
    epochs = renew_leases(record, "holder", [f"forward/{account}"], now=at, pool="forward")
    own = {name.rpartition("/")[2]: epoch for name, epoch in epochs.items()}
    return claim_forwards(record, own, dict.fromkeys(own, 10), in_flight=(), now=at, state=state)


def done(job: ClaimedJob, native: str | None = None, **results: Any) -> Progress:
    foreign = native and ForeignReport(job.complaint or "", job.account, job.owner, "sp4n", native, True)
    return Progress(job._replace(step=None, results=results), JobResult(job, "done"), foreign or None)


def stand(record: Record, native: str = "7123456") -> None:
    """The complaint stands in LAPOR!."""
    persist(record, routed(message(1)))
    [claimed] = claim(record)
    store_progress(record, [done(claimed.job, native, create={"id": native})], LATER)


def test_a_complaint_is_queued_with_the_log_of_what_leaves_in_one_transaction(record: Record) -> None:
    assert persist(record, routed(message(1, title="Lampu mati"))) == 1
    assert persist(record, routed(message(1, title="Lampu mati"))) == 0
    [(job, account, fields, withheld, projection)] = rows(
        record, "SELECT job, account, fields, withheld, projection FROM disclosures"
    )
    assert (job, account, projection) == (job_id("lapor", MINE), "lapor", "lapor.open v1")
    assert set(json.loads(fields)) == {"title", "text", "offices", "reporter.name", "reporter.phone"}
    assert json.loads(withheld) == []
    [claimed] = claim(record)
    assert claimed.forward.reporter == Party(name=NAME, phone=PHONE)
    assert claimed.forward.text == message(1).text


def test_no_word_and_no_person_stands_readable_in_what_is_queued(sqlite_record: Record) -> None:
    persist(sqlite_record, routed(message(1)))
    everything = str(rows(sqlite_record, "SELECT * FROM jobs")) + str(rows(sqlite_record, "SELECT * FROM disclosures"))
    assert not [secret for secret in (NAME, PHONE, "Melati") if secret in everything]


@pytest.mark.parametrize(
    ("wishes", "stays"),
    [
        ({"anonymous": True}, {"reporter.name", "reporter.phone"}),
        ({"secret": True}, {"reporter.name", "reporter.phone"}),
    ],
)
def test_secret_and_anonymous_reports_leave_with_only_what_may_leave(
    sqlite_record: Record, wishes: dict[str, bool], stays: set[str]
) -> None:
    text = "Hubungi saya di 0812-3456-7890 atau sari@contoh.id, NIK 3273012345678901."
    persist(sqlite_record, routed(message(1, text=text, **wishes)))
    [claimed] = claim(sqlite_record)
    assert claimed.forward.reporter is None
    assert claimed.forward.text == "Hubungi saya di ******** atau ********, NIK ********."
    assert set(json.loads(rows(sqlite_record, "SELECT withheld FROM disclosures")[0][0])) == stays
    assert all(getattr(claimed.forward, wish) for wish in wishes)


def test_a_secret_report_reaches_an_offices_webhook_without_its_words(sqlite_record: Record) -> None:
    hook = To("dinas", "dinas", "webhook")
    persist(sqlite_record, routed(message(1, secret=True, place=Place(code="32.73", name="Bandung"))), to=[hook])
    [claimed] = claim(sqlite_record, account="dinas")
    assert (claimed.forward.text, claimed.forward.place, claimed.forward.reporter) == ("", None, None)


@pytest.mark.parametrize("destination", ["lapor", "lapor-xml", "webhook", "default", "a portal"])
@pytest.mark.parametrize("wishes", [{}, {"anonymous": True}, {"secret": True}, {"anonymous": True, "secret": True}])
def test_no_list_lets_more_leave_of_a_report_that_asks_for_less(destination: str, wishes: dict[str, bool]) -> None:
    full = Forward(
        what="complaint", number="1", reference="1", at=NOW, title="a", text="b", incident_date="2025-01-01",
        reporter=Party(name="n", phone="+62812", email="e@x.id", nik="3", address="j", user="whatsapp:1"),
        place=Place(code="32", name="n", words="w", lat=1, lon=2), offices=(Office(id="o"),), attachments=("f",),
    )  # fmt: skip
    asked = msgspec.structs.replace(full, **wishes)
    open_, less = (project(f, projection_of(destination, f)) for f in (full, asked))
    assert set(less.fields) <= set(open_.fields) <= FIELDS
    assert {*less.fields, *less.withheld} == {*open_.fields, *open_.withheld}
    assert not {f for f in less.fields if f.startswith("reporter.")} or not wishes
    assert open_.forward.reporter is None or open_.forward.reporter.user is None


def test_what_an_account_keeps_back_stays(sqlite_record: Record) -> None:
    persist(sqlite_record, routed(message(1)), to=[To(withholds=["reporter.phone"])])
    [claimed] = claim(sqlite_record)
    assert claimed.forward.reporter == Party(name=NAME)


def test_masks_leave_other_numbers_alone() -> None:
    words = "KM 9, nomor 4719360285, tahun 2025, Rp 1.500.000, RT 03/RW 12"
    assert mask_personal(words) == words


def test_what_came_from_lapor_or_stands_there_is_never_sent_there_as_new(record: Record) -> None:
    theirs = message(2, channel="lapor", account="lapor2")
    known = message(3, external_ids={"sp4n": "7000001"})
    assert persist(record, routed(theirs), routed(known)) == 0
    assert rows(record, "SELECT native FROM forwarded") == [("7000001",)]


def test_an_answer_here_goes_to_the_portal_that_the_complaint_came_from(record: Record) -> None:
    portal = To("sms", "sms", "portal")
    assert persist(record, routed(message(1, external_ids={"sms": "A1"})), to=[portal]) == 0
    theirs = action(5, "answer", text="Dari portal", account="sms", channel="portal")
    assert persist(record, acted(theirs, message(1)), to=[portal]) == 0
    ours = action(6, "answer", text="Sudah diganti", account="console", channel="console")
    assert persist(record, acted(ours, message(1)), to=[portal]) == 1
    [claimed] = claim(record, account="sms")
    assert claimed.forward.native == "A1"


PORTAL = To("rekam", "rekam", "portal")


def twin(n: int, outcome: str = "added", **more: Any) -> Routed:
    """A portal's row that names our complaint's number in LAPOR!."""
    known = {"external_ids": {"rekam": "A1", "sp4n": "7123456"}, "ids_proven": True, "account": "rekam"}
    row = message(n, channel="portal", **(known | more))
    return routed(row, outcome, message(1), id=MINE, stranger=outcome == "added")


def test_a_portals_row_with_its_number_joins_the_complaint_which_stands_there_from_then_on(record: Record) -> None:
    stand(record)
    ours = action(5, "answer", text="Sudah diganti", account="console", channel="console")
    persist(record, acted(ours, message(1)), to=[LAPOR, PORTAL])
    assert persist(record, twin(7), to=[LAPOR, PORTAL]) == 1, "what was said before is told there too"
    persist(record, acted(action(8, "answer", text="Selesai"), message(1)), to=[LAPOR, PORTAL])
    told = [(one.forward.text, one.forward.native) for one in claim(record, account="rekam")]
    assert told == [("Sudah diganti", "A1"), ("Selesai", "A1")]
    assert [one.forward.text for one in claim(record)] == ["Sudah diganti", "Selesai"]
    [line] = export(record, None)
    assert line["external_ids"] == {"rekam": "A1", "sp4n": "7123456"}
    assert [one["text"] for one in line["messages"]] == [message(1).text], "the twin adds no words"


def test_a_number_that_a_row_gets_later_is_learnt_when_it_comes_again(record: Record) -> None:
    persist(record, routed(message(1, external_ids={"rekam": "A1"}, account="rekam")), to=[PORTAL])
    persist(record, twin(2, "redelivered"), to=[LAPOR, PORTAL])
    assert rows(record, "SELECT account, native FROM forwarded ORDER BY account") == [
        ("lapor", "7123456"), ("rekam", "A1"),
    ]  # fmt: skip


def test_a_number_that_another_complaint_has_is_not_learnt(sqlite_record: Record) -> None:
    stand(sqlite_record)
    persist(sqlite_record, routed(message(3)))
    persist(
        sqlite_record, routed(twin(4, "redelivered").matched.message, "redelivered", id=complaint_id(message(3).id))
    )
    assert rows(sqlite_record, "SELECT complaint FROM forwarded") == [(MINE,)]


@pytest.mark.parametrize("begun", [True, False])
def test_our_own_words_in_a_portals_list_say_where_a_complaint_in_doubt_stands(record: Record, begun: bool) -> None:
    persist(record, routed(message(1)), to=[PORTAL])
    [claimed] = claim(record, account="rekam")
    if begun:
        store_progress(record, [Progress(claimed.job._replace(step="create"))], LATER)
    [line] = export(record, None)
    echo = {"external_ids": {"rekam": "A9"}, "number": line["number"], "refusal": "an echo of our own"}
    persist(record, routed(twin(2, **echo).matched.message, "refused"), to=[PORTAL])
    assert rows(record, "SELECT native FROM forwarded") == ([("A9",)] if begun else [])


def test_what_is_said_at_one_moment_is_told_in_its_order(record: Record) -> None:
    stand(record)
    persist(record, *(acted(action(n, "answer", text=f"Jawaban {n}"), message(1)) for n in (2, 3, 4)))
    waits = {one.forward.text: one.waits for one in claim(record)}
    assert waits == {"Jawaban 2": None, "Jawaban 3": "earlier_first", "Jawaban 4": "earlier_first"}


def test_one_system_gets_a_complaint_by_one_account_only(sqlite_record: Record) -> None:
    assert (
        persist(sqlite_record, routed(message(1)), to=[To(), To("lapor-jabar"), To("dinas", "dinas", "webhook")]) == 2
    )
    assert {job for (job,) in rows(sqlite_record, "SELECT account FROM jobs")} == {"lapor", "dinas"}


def test_a_complaint_of_another_region_is_not_sent(sqlite_record: Record) -> None:
    assert persist(sqlite_record, routed(message(1)), to=[To(region="34")]) == 0


@pytest.mark.parametrize("order", ["together", "after", "before"])
def test_what_is_said_later_is_queued_once_whichever_comes_first(record: Record, order: str) -> None:
    opener, addition = routed(message(1)), routed(message(2, text="Gang sebelah juga"), "added", message(1))
    answer = acted(action(5, "answer", text="Sudah diganti"), message(1))
    batches = {
        "together": [[opener, addition, answer]], "after": [[opener], [addition], [answer]],
        "before": [[addition, answer], [opener]],
    }  # fmt: skip
    for batch in batches[order]:
        persist(record, *batch)
    persist(record, addition, answer)
    kinds = [kind for (kind,) in rows(record, "SELECT kind FROM jobs")]
    assert sorted(kinds) == ["followup", "followup", "forward"]
    assert len(rows(record, "SELECT seq FROM disclosures")) == 3


def test_what_stands_there_is_followed_though_the_account_takes_other_regions_by_now(sqlite_record: Record) -> None:
    stand(sqlite_record)
    addition = routed(message(2, text="Gang sebelah juga"), "added", message(1))
    assert persist(sqlite_record, addition, routed(message(3)), to=[To(region="34")]) == 1
    [claimed] = claim(sqlite_record)
    assert (claimed.forward.what, claimed.forward.native) == ("supplement", "7123456")


def test_an_answer_to_an_incident_goes_to_each_of_its_complaints_there(sqlite_record: Record) -> None:
    persist(sqlite_record, routed(message(1)), routed(message(2, conversation="+628120000178")))
    other = rows(sqlite_record, f"SELECT number FROM complaints WHERE id <> '{MINE}'")[0][0]
    remember_number(sqlite_record, message(2), other)
    persist(sqlite_record, acted(action(4, "link", to=other), message(1)))
    assert persist(sqlite_record, acted(action(5, "answer", text="Sudah diganti"), message(1))) == 2
    told = {complaint for (complaint,) in rows(sqlite_record, "SELECT complaint FROM jobs WHERE kind = 'followup'")}
    assert told == {MINE, complaint_id(message(2).id)}


@pytest.mark.parametrize("order", ["after", "before"])
def test_the_words_of_an_end_go_as_an_answer_where_no_status_can_be_told(sqlite_record: Record, order: str) -> None:
    dinas = To("dinas", "dinas", "webhook", takes=frozenset({"complaint", "answer", "status"}))
    ends = acted(action(5, "status", status="done", text="Sudah diganti"), message(1))
    silent = acted(action(6, "status", status="archived"), message(1))
    opener = routed(message(1))
    for batch in [[opener], [ends, silent]] if order == "after" else [[ends, silent], [opener]]:
        persist(sqlite_record, *batch, to=[LAPOR, dinas])
    told = {account: [one.forward for one in claim(sqlite_record, account=account)] for account in ("lapor", "dinas")}
    assert [(f.what, f.status, f.text) for f in told["lapor"] if f.what != "complaint"] == [
        ("answer", None, "Sudah diganti"),
    ]  # fmt: skip
    assert sorted(str(f.status) for f in told["dinas"] if f.what == "status") == ["archived", "done"]


class OfOffices(To):
    """The system of these offices."""

    def __init__(self, account: str, *offices: str) -> None:
        super().__init__(account, account, "webhook", takes=frozenset({"complaint", "disposition", "answer"}))
        self.offices = offices

    def wants(self, forward: Forward) -> bool:
        return any(office.id in self.offices for office in forward.offices)


@pytest.mark.parametrize("order", ["after", "before"])
def test_an_office_that_is_given_a_complaint_is_told_it_by_its_own_system_once(record: Record, order: str) -> None:
    pu, front, other = OfOffices("sistem-pu", "pu"), OfOffices("sistem-depan", "front"), OfOffices("lain", "dlh")
    gets = acted(action(5, "disposition", office=Office(id="pu", name="Dinas PU")), message(1))
    again = acted(action(6, "disposition", office=Office(id="pu")), message(1))
    opener = routed(message(1))
    for batch in [[opener], [gets], [again]] if order == "after" else [[gets], [opener], [again]]:
        persist(record, *batch, to=[pu, front, other])
    [told] = [one.forward for one in claim(record, account="sistem-pu") if one.forward.what == "complaint"]
    assert [office.id for office in told.offices] == ["pu"]
    assert {one.forward.what for one in claim(record, account="sistem-depan")} >= {"complaint"}
    assert claim(record, account="lain") == []
    logged = [job for (job,) in rows(record, "SELECT job FROM disclosures WHERE account = 'sistem-pu'")]
    assert logged.count(job_id("sistem-pu", MINE)) == 1


def remember_number(record: Record, opener: Message, number: str) -> None:
    """As the matcher does before anything is recorded."""
    known = recall(record, opener)
    remember(record, [(opener, decision(opener, known))], keys=["k"])
    with record.write() as connection:
        connection.exec_driver_sql(
            "UPDATE numbers SET number = ? WHERE complaint = ?", (number, complaint_id(opener.id))
        )


def test_courtesies_redeliveries_and_an_answer_of_the_same_system_are_not_sent(sqlite_record: Record) -> None:
    stand(sqlite_record)
    same = Match(kind="same_report", of=MINE, score=1.0, evidence="x")
    theirs = action(5, "answer", text="Sudah diganti", account="lapor", channel="lapor")
    quiet = [
        routed(message(2, text="Terima kasih", sort="thanks"), "added", message(1)),
        routed(message(3), "added", message(1), matches=(same,)),
        routed(message(4), "redelivered"),
        acted(theirs, message(1)),
    ]
    assert persist(sqlite_record, *quiet) == 0
    photo = Attachment(native_id="f1", media_type="image/jpeg")
    with_photo = message(6, text="Terima kasih", sort="thanks", attachments=(photo,))
    with_photo_now = message(7, attachments=(photo,))
    persist(sqlite_record, routed(with_photo, "added", message(1)))
    persist(sqlite_record, routed(with_photo_now, "added", message(1), matches=(same,)))
    assert rows(sqlite_record, "SELECT count(*) FROM jobs WHERE kind = 'followup'") == [(2,)]


def test_thanks_that_were_recorded_before_their_report_are_not_sent(sqlite_record: Record) -> None:
    thanks = routed(message(2, text="Terima kasih", sort="thanks"), "added", message(1))
    assert persist(sqlite_record, thanks) == 0
    assert persist(sqlite_record, routed(message(1))) == 1  # the report itself


def test_a_followup_waits_until_the_complaint_stands_there_and_for_what_was_said_before(record: Record) -> None:
    persist(record, routed(message(1)))
    persist(record, acted(action(5, "answer", text="Pertama"), message(1)))
    second = acted(action(6, "answer", text="Kedua"), message(1))
    persist_batch(record, [second], NOW + timedelta(minutes=9), PersistOptions(destinations=[LAPOR]))
    claimed = {one.forward.what + one.forward.text[:5]: one for one in claim(record)}
    create = claimed.pop("complaint" + message(1).text[:5])
    assert {name: one.waits for name, one in claimed.items()} == {
        "answerPerta": "not_there_yet", "answerKedua": "not_there_yet",
    }  # fmt: skip
    waiting = [Progress(one.job, JobResult(one.job, "waiting", LATER)) for one in claimed.values()]
    store_progress(record, [*waiting, done(create.job, "7123456", create={"id": "7123456"})], LATER)
    again = {one.forward.text: one for one in claim(record, at=LATER + timedelta(minutes=1))}
    assert {text: one.waits for text, one in again.items()} == {"Pertama": None, "Kedua": "earlier_first"}
    assert {one.forward.native for one in again.values()} == {"7123456"}


def test_what_is_said_of_a_complaint_that_was_refused_there_is_told_apart_and_in_its_order(record: Record) -> None:
    persist(record, routed(message(1)), *(acted(action(n, "answer", text=f"Jawaban {n}"), message(1)) for n in (2, 3)))
    [create] = [one.job for one in claim(record) if one.forward.what == "complaint"]
    store_progress(record, [Progress(create, JobResult(create, "failed", None, "gave_up"))], LATER)
    waits = {one.forward.text: one.waits for one in claim(record, at=LATER + timedelta(hours=1))}
    assert waits == {"Jawaban 2": "refused_there", "Jawaban 3": "earlier_first"}


def test_once_it_stands_there_the_complaint_has_the_number_and_actions_find_it(record: Record) -> None:
    stand(record)
    [line] = export(record, None)
    assert line["external_ids"] == {"sp4n": "7123456"}
    assert [step["what"] for step in line["timeline"]][-1] == "forwarded"
    assert rows(record, "SELECT complaint FROM foreign_ids") == [(MINE,)]
    assert read_forward_is_gone(record)


def read_forward_is_gone(record: Record) -> bool:
    shown = show_forward(record, job_id("lapor", MINE))
    return shown is not None and shown["forward"] is None


def test_progress_of_a_claim_that_was_taken_over_changes_nothing(record: Record) -> None:
    persist(record, routed(message(1)))
    [claimed] = claim(record)
    other = claimed.job._replace(epoch=claimed.job.epoch - 1)
    assert store_progress(record, [done(other, "7123456")], LATER) == set()
    assert rows(record, "SELECT native FROM forwarded") == []
    assert store_progress(record, [done(claimed.job, "7123456")], LATER) == {claimed.job.id}
    assert store_progress(record, [done(claimed.job, "7123456")], LATER) == {claimed.job.id}  # a lost answer
    assert rows(record, "SELECT native FROM forwarded") == [("7123456",)]


def in_doubt(record: Record) -> str:
    """A create that was not answered, and nothing tells what became of it."""
    persist(record, routed(message(1)))
    [claimed] = claim(record)
    job = claimed.job._replace(step="create")
    ends = JobResult(job, "unknown", LATER.replace(year=9999), "needs_person", "look there")
    store_progress(record, [Progress(job), Progress(job, ends, answer="<html>gagal</html>")][:1], LATER)
    store_progress(record, [Progress(job, ends, answer="<html>gagal</html>")], LATER)
    return job.id


def test_a_step_is_in_hand_until_its_outcome_is_known_or_a_person_has_to_decide(record: Record) -> None:
    persist(record, routed(message(1)))
    far = LATER.replace(year=9999)
    in_hand: list[int] = []
    [claimed] = claim(record)
    in_hand.append(len(steps_in_hand(record, "forward", far)))
    job = claimed.job._replace(step="create", results={"create.began": "2026-11-29T12:00:00+00:00"})
    for progress in (
        Progress(job), Progress(job, JobResult(job, "unknown", LATER, "unanswered")),
        Progress(job, JobResult(job, "unknown", far, "needs_person")),
    ):  # fmt: skip
        store_progress(record, [progress], LATER)
        in_hand.append(len(steps_in_hand(record, "forward", far)))
    assert in_hand == [0, 1, 1, 0]


def test_case_25_what_is_in_doubt_waits_for_a_person_who_says_it_stands_there(record: Record) -> None:
    id = in_doubt(record)
    assert claim(record, "unknown", LATER + timedelta(days=400)) == []
    [line] = list_forwards(record, ["unknown"])
    assert (line.id, line.step, line.code) == (id, "create", "needs_person")
    shown = show_forward(record, id)
    assert shown is not None
    assert (shown["answer"], shown["forward"]["text"]) == ("<html>gagal</html>", message(1).text)
    assert decide_stands(record, id, "7123456", LAPOR, LATER)
    assert not decide_stands(record, id, "7123457", LAPOR, LATER)
    [claimed] = claim(record, at=LATER + timedelta(minutes=1))
    assert claimed.job.results["create"] == {"id": "7123456"}
    assert claimed.job.step is None
    assert rows(record, "SELECT native FROM forwarded") == [("7123456",)]


def test_case_25_an_addition_in_doubt_stands_there_too_and_has_no_id(record: Record) -> None:
    stand(record)
    persist(record, routed(message(2, text="Gang sebelah juga"), "added", message(1)))
    [claimed] = claim(record)
    job = claimed.job._replace(step="answer.1")
    ends = JobResult(job, "unknown", LATER.replace(year=9999), "needs_person", "look there")
    store_progress(record, [Progress(job)], LATER)
    store_progress(record, [Progress(job, ends)], LATER)
    assert not decide_stands(record, job.id, "7123456", LAPOR, LATER)
    assert decide_stands(record, job.id, "", LAPOR, LATER)
    [again] = claim(record, at=LATER + timedelta(minutes=1))
    assert (again.job.step, again.job.results) == (None, {"answer.1": {}})


def test_case_25_of_two_destinations_one_fails_and_the_other_goes_on(record: Record) -> None:
    dinas = To("dinas", "dinas", "webhook")
    persist(record, routed(message(1)), to=[LAPOR, dinas])
    [refused] = claim(record)
    store_progress(record, [Progress(refused.job, JobResult(refused.job, "failed", None, "http_422"))], LATER)
    [taken] = claim(record, account="dinas")
    store_progress(record, [done(taken.job, "D-17")], LATER)
    persist(record, routed(message(2, text="Gang sebelah juga"), "added", message(1)), to=[LAPOR, dinas])
    states = rows(record, "SELECT account, kind, state FROM jobs ORDER BY account, kind")
    assert states == [
        ("dinas", "followup", "waiting"), ("dinas", "forward", "done"),
        ("lapor", "followup", "waiting"), ("lapor", "forward", "failed"),
    ]  # fmt: skip
    [told] = claim(record, account="dinas")
    assert (told.forward.what, told.forward.native) == ("supplement", "D-17")
    [held] = claim(record)
    assert held.waits is not None
    [balance] = national_balances(record, [LAPOR, dinas], LATER + timedelta(days=1))
    assert (balance.stands, balance.failed, balance.balanced) == (0, 1, True)
    assert [sent_since(record, account, LATER) for account in ("dinas", "lapor")] == [True, False]
    assert not sent_since(record, "dinas", LATER + timedelta(seconds=1))


def test_case_25_or_that_it_is_to_be_done_again(record: Record) -> None:
    id = in_doubt(record)
    assert decide_again(record, [id, "forward/lapor/other"], LATER) == [id]
    [claimed] = claim(record, at=LATER + timedelta(minutes=1))
    assert (claimed.job.step, claimed.job.results) == (None, {"again": LATER.isoformat()})


def test_what_is_queued_later_has_its_files_and_reads_no_whole_table(sqlite_record: Record) -> None:
    plans: list[str] = []

    def explain(_: Any, cursor: Any, statement: str, parameters: Any, *__: object) -> None:
        if statement.startswith(("SELECT", "WITH", "UPDATE")):
            plans.append(str(cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()))

    photos = (Attachment(native_id="m1"), Attachment(native_id="m2"))
    ids = [complaint_id(message(n).id) for n in (1, 2, 3)]
    persist(sqlite_record, *(routed(message(n, attachments=photos)) for n in (1, 2, 3)), to=())
    later = message(9, attachments=photos, text="Ini fotonya")
    event.listen(Engine, "before_cursor_execute", explain)
    try:
        for one in (routed(later, "added", message(4)), routed(message(4))):  # the addition comes first
            persist(sqlite_record, one)
        assert queue_recorded(sqlite_record, LAPOR, ids, LATER) == 3
    finally:
        event.remove(Engine, "before_cursor_execute", explain)
    assert [plan for plan in plans if re.search("SCAN (?!CONSTANT)", plan)] == []
    queued = {one.job.complaint: one.forward.attachments for one in claim(sqlite_record)}
    own = {id: (f"{message(n).raw}.0.0", f"{message(n).raw}.0.1") for n, id in enumerate(ids, 1)}
    assert {id: queued[id] for id in ids} == own


def test_every_complaint_that_must_stand_there_stands_there_once_or_says_why_not(record: Record) -> None:
    stand(record)
    persist(record, routed(message(2)))
    persist(record, routed(message(3, owner="34.04")))
    [balance] = national_balances(record, [LAPOR], LATER)
    assert (balance.stands, balance.waiting, balance.missing, balance.balanced) == (1, 1, 0, True)
    persist(record, routed(message(4)), to=())  # recorded by a process that does not know the account
    [balance] = national_balances(record, [LAPOR], LATER)
    assert (balance.missing, balance.balanced) == (1, False)
    lost = complaint_id(message(4).id)
    assert queue_recorded(record, LAPOR, [lost], LATER) == 1
    assert queue_recorded(record, LAPOR, [lost], LATER) == 0
    [balance] = national_balances(record, [LAPOR], LATER)
    assert (balance.waiting, balance.missing, balance.balanced) == (2, 0, True)
    queued = {one.job.complaint: one.forward for one in claim(record)}
    assert queued[lost] == msgspec.structs.replace(
        queued[complaint_id(message(2).id)], number=queued[lost].number, reference=queued[lost].number,
        at=message(4).received_at, place=queued[lost].place,
    )  # fmt: skip


def test_two_of_ours_with_one_id_there_are_an_alarm(record: Record) -> None:
    stand(record)
    persist(record, routed(message(2, external_ids={"sp4n": "7123456"})))
    [balance] = national_balances(record, [LAPOR], LATER)
    assert (balance.twice, balance.balanced) == (1, False)
    assert {one.native for one in twice_here(record, "lapor")} == {"7123456"}
    assert len(twice_here(record, "lapor")) == 2


def test_polls_come_when_they_are_due_and_only_their_holder_moves_them(record: Record) -> None:
    stand(record)
    assert due_polls(record, ["other"], 10, LATER) == []
    [poll] = due_polls(record, ["lapor"], 10, LATER)
    assert (poll.native, poll.cursor, poll.last) == ("7123456", None, False)
    [epoch] = renew_leases(record, "holder", ["forward/lapor"], now=LATER, pool="forward").values()
    assert store_polls(record, [ForwardPollResult(poll, epoch + 1, "c", None)]) == {"lapor"}
    assert store_polls(record, [ForwardPollResult(poll, epoch, "c", LATER + timedelta(hours=3))]) == set()
    assert due_polls(record, ["lapor"], 10, LATER) == []
    [later] = due_polls(record, ["lapor"], 10, LATER + timedelta(hours=3))
    assert later.cursor == "c"
    assert [view.native for page in forwarded_pages(record, "lapor", NOW) for view in page] == ["7123456"]


def test_leases_to_forward_and_to_send_are_shared_out_apart(sqlite_record: Record) -> None:
    sends = renew_leases(sqlite_record, "a", ["lapor", "sms"], now=NOW)
    forwards = renew_leases(sqlite_record, "b", ["forward/lapor"], now=NOW, pool="forward")
    assert (sends.keys(), forwards.keys()) == ({"lapor", "sms"}, {"forward/lapor"})


def test_files_of_a_complaint_go_with_it(sqlite_record: Record) -> None:
    persist(sqlite_record, routed(message(1, attachments=(Attachment(native_id="m1", media_type="image/jpeg"),))))
    [claimed] = claim(sqlite_record)
    assert claimed.forward.attachments == (f"{message(1).raw}.0.0",)
    assert read_forward({"forward": msgspec.json.encode(claimed.forward).decode()}) == claimed.forward
