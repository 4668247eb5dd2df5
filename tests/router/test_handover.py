"""Bukan wewenang: sent on with a reason, never in a circle, not too often, in the end to the coordinator."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from router import OfficeRegistry, PassedOn, RegisteredOffice, hand_over
from router.handover import MOST_PASSES
from schemas import Action, Actor, Office

CITY, PROVINCE, NATION = "meja-layanan/33.74", "meja-layanan/33", "meja-layanan/nasional"
UNITS = ("dishub", "dpu", "dlh", "dinkes", "dinsos")
OFFICES = OfficeRegistry(
    [
        *(RegisteredOffice(id=id, name=f"Kantor {id}", regions=("33.74",)) for id in UNITS),
        RegisteredOffice(id="parkir", name="Loket Parkir", kind="desk", parent="dishub", regions=("33.74",)),
        RegisteredOffice(id="lama", name="Kantor Lama", regions=("33.74",), closed=True),
        RegisteredOffice(id="dishub-jateng", name="Dishub Jateng", regions=("33",)),
        RegisteredOffice(id="pln", name="PLN", kind="soe", aliases=("PT PLN",)),
    ]
)


def passing(by: str | None, to: str | None) -> Action:
    return Action(
        id="console/c/1", raw="r", account="c", channel="console", owner="33.74", what="disposition", number="1",
        received_at=datetime(2026, 1, 5, tzinfo=UTC), office=Office(id=to) if to else None,
        actor=Actor(kind="office", id=by) if by else Actor(kind="officer", id="ani"),
    )  # fmt: skip


def test_it_goes_to_the_office_that_was_named_and_says_so() -> None:
    handover = hand_over([], passing("dishub", "PT PLN"), OFFICES)
    assert (handover.office.id, handover.redirected) == ("pln", False)
    assert handover.why == "Kantor dishub menyatakan laporan ini bukan wewenangnya dan meneruskannya ke PLN."


@pytest.mark.parametrize(
    ("history", "by", "to", "goes_to", "because"),
    [
        ([], "dishub", None, CITY, "belum disebutkan"),
        ([], "dishub", "tidak ada", CITY, "tidak dikenal"),
        ([], "dishub", "dishub", CITY, "sama dengan pengirimnya"),
        ([], "dishub", "lama", CITY, "tidak menerima"),
        ([], "parkir", None, "dishub", "belum disebutkan"),
        ([("dpu", "dishub")], "dishub", "dpu", CITY, "hal yang sama"),
        ([("dpu", "dlh"), ("dlh", "dinkes"), ("dinkes", "dishub")], "dishub", "dinsos", CITY, "3 kali"),
        ([("dishub", CITY)], CITY, None, PROVINCE, "belum disebutkan"),
        ([("dishub", CITY), (CITY, "dishub")], "dishub", None, PROVINCE, "belum disebutkan"),
        ([], NATION, None, NATION, "belum disebutkan"),
    ],
)
def test_else_it_goes_up_with_the_reason(
    history: list[tuple[str, str]], by: str, to: str | None, goes_to: str, because: str
) -> None:
    handover = hand_over([PassedOn(*past) for past in history], passing(by, to), OFFICES)
    assert handover.office.id == goes_to
    assert because in handover.why
    assert handover.redirected is (to is not None)


def test_a_coordinator_may_decide_that_it_is_the_offices_after_all_but_once() -> None:
    history = [PassedOn("dishub", CITY)]
    assert hand_over(history, passing(CITY, "dishub"), OFFICES).office.id == "dishub"
    history += [PassedOn(CITY, "dishub"), PassedOn("dishub", PROVINCE), PassedOn(PROVINCE, CITY)]
    assert hand_over(history, passing(CITY, "dishub"), OFFICES).office.id == PROVINCE


def test_an_officer_without_an_office_passes_on_for_the_one_that_has_it() -> None:
    assert hand_over([], passing(None, "dishub"), OFFICES).why == "Petugas meneruskan laporan ke Kantor dishub."
    assert hand_over([], passing(None, None), OFFICES, holders=("dishub",)).office.id == CITY


@given(st.lists(st.sampled_from([None, "tidak ada", *UNITS, "parkir", "pln", "dishub-jateng", CITY, PROVINCE, NATION])))
def test_never_in_a_circle(wishes: list[str | None]) -> None:
    has, history = "dishub", []
    for wish in wishes:
        handover = hand_over(history, passing(has, wish), OFFICES)
        assert handover.why
        step = PassedOn(has, handover.office.id)
        assert step not in history or step.to == NATION
        history.append(step)
        has = handover.office.id
    aside = [past for past in history if not above(past.by, past.to) and not above(past.to, past.by)]
    assert len(aside) <= MOST_PASSES + history.count(PassedOn(NATION, NATION))


def above(upper: str | None, lower: str | None) -> bool:
    return any(office.id == upper for office in OFFICES.ladder_up(lower or ""))


def lapor(institution: str, name: str) -> Action:
    """A disposition that LAPOR! tells: the institution by its id there, where that is told, else by its name."""
    office = Office(id=f"sp4n:{institution}", name=name)
    return structs.replace(passing(None, None), office=office, actor=Actor(kind="office", name="Admin Kota"))


@pytest.mark.parametrize(
    ("institution", "name", "goes_to"),
    [
        ("151022", "Nama lain di LAPOR!", "dpu"),
        ("Kantor dlh", "Kantor dlh", "dlh"),
        ("PT PLN", "PT PLN", "pln"),
        ("Dinas yang tidak kami kenal", "Dinas yang tidak kami kenal", "sp4n:Dinas yang tidak kami kenal"),
        ("999", "Kementerian Lain", "sp4n:999"),
    ],
)
def test_an_institution_of_lapor_is_the_office_of_the_registry(institution: str, name: str, goes_to: str) -> None:
    known = OfficeRegistry(
        structs.replace(office, lapor_id=151022) if office.id == "dpu" else office for office in OFFICES.imported
    )
    handover = hand_over([], lapor(institution, name), known, holders=[CITY])
    assert (handover.office.id, handover.redirected) == (goes_to, False)


def test_lapor_sends_nothing_back_to_an_office_that_passed_it_on() -> None:
    handover = hand_over([PassedOn("dlh", "dpu")], lapor("Kantor dlh", "Kantor dlh"), OFFICES, holders=["dpu"])
    assert (handover.office.id, handover.redirected) == (CITY, True)


def test_what_lapor_tells_twice_goes_nowhere_else() -> None:
    handover = hand_over([PassedOn(None, "dlh")], lapor("Kantor dlh", "Kantor dlh"), OFFICES, holders=["dlh"])
    assert (handover.office.id, handover.redirected) == ("dlh", False)
