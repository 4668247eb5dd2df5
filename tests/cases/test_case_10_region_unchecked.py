"""Only a code of a region passes for one; what can mean two is named; a name stays as words."""

from __future__ import annotations

import pytest

from tests.cases.conftest import INPUTS, Satupintu
from tests.flow.running_hub import RunningHub

FOLDER = INPUTS / "10"
NAMED = '"region" takes a region code, as 32.73'


def test_codes_are_read_in_the_forms_that_can_only_mean_them(satupintu: Satupintu):
    done = satupintu("parse", "file", FOLDER / "regions.csv")
    places = {message["id"].rpartition("/")[2]: message["place"] for message in done.out}
    assert {id: (place.get("code"), place.get("words")) for id, place in places.items() if id != "4"} == {
        "1": ("32.73", None), "3": ("32.73", None), "5": ("32.73", None),
    }  # fmt: skip
    assert places["4"]["words"] == "Kota Bandung"
    assert done.err == [f"satupintu: line 3: {NAMED}", f"satupintu: line 7: {NAMED}"]


def test_a_number_that_lost_its_zero_is_named(satupintu: Satupintu):
    done = satupintu("parse", "file", FOLDER / "region.ndjson")
    assert (done.out, done.err) == ([], [f"satupintu: line 1: {NAMED}"])


@pytest.mark.parametrize("code", ["32.1", "3273", "99.99"])
async def test_the_api_refuses_them(hub: RunningHub, code: str):
    answer = await hub.report({"text": "Jalan rusak di Dago", "place": {"code": code}})
    assert answer.status_code == 422
