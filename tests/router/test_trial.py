"""Rules tried on what came in: a matrix of offices, twenty examples each, judged by what officers decided later."""

from __future__ import annotations

from datetime import UTC, datetime

from router import OfficeRegistry, RegisteredOffice, Rules
from router.trial import Cell, Judged, PastReport, Trial
from schemas import Message

DESK = "meja-layanan/33.74"
OFFICES = OfficeRegistry(
    [RegisteredOffice(id=id, name=id, regions=("33.74",), aliases=(f"kantor {id}",)) for id in ("dpu", "dishub", "dlh")]
)


def rules(**words: str) -> Rules:
    return Rules.load(
        "".join(
            f'[[rule]]\nname = "{office}"\nwhen = {{ words = "{word}" }}\noffice = {{ id = "{office}" }}\nwhy = "Ya."\n'
            for office, word in words.items()
        )
    )


def report(n: int, text: str, *settled: str) -> PastReport:
    message = Message(
        id=f"sms/sms/{n}", raw=str(n), account="sms", channel="sms", owner="33.74", conversation="",
        received_at=datetime(2026, 1, 5, tzinfo=UTC), text=text,
    )  # fmt: skip
    return PastReport(str(n), message, settled)


def tried(now: Rules, then: Rules, *reports: PastReport) -> Trial:
    trial = Trial(now, then, OFFICES)
    trial.add(reports[:2])
    trial.add(reports[2:])
    return trial


def test_the_matrix_holds_what_would_go_elsewhere() -> None:
    trial = tried(
        rules(dpu="jalan"),
        rules(dishub="lampu", dpu="jalan"),
        *(report(n, "lampu jalan mati") for n in range(25)),
        report(30, "jalan rusak"),
        report(31, "lampu mati"),
    )
    assert trial.reports == 27
    assert trial.moved == [
        Cell(("dpu",), ("dishub",), 25, tuple(str(n) for n in range(20))),
        Cell((DESK,), ("dishub",), 1, ("31",)),
    ]


def test_it_counts_what_rules_newly_decide_and_no_longer_decide() -> None:
    trial = tried(rules(dpu="jalan"), rules(dlh="sampah"), report(1, "jalan"), report(2, "sampah"), report(3, "sampah"))
    assert (trial.newly_sure, trial.newly_unsure) == (2, 1)


def test_officers_later_decisions_are_the_judge() -> None:
    trial = tried(
        rules(dpu="jalan"),
        rules(dishub="lampu", dpu="jalan"),
        report(1, "lampu jalan", "dishub"),
        report(2, "lampu jalan", "dpu", "dlh"),
        report(3, "jalan", "dpu"),
        report(4, "banjir", "dlh"),
        report(5, "jalan"),
    )
    assert trial.judged == Judged(reports=4, right_now=2, right_then=2)


def test_a_rule_that_chose_nothing_is_named() -> None:
    trial = tried(rules(), rules(dpu="jalan", dlh="sampah"), report(1, "jalan"))
    assert trial.never_fired() == ["dlh"]
