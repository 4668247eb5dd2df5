"""The planner of answers asks the channels who reads an answer, until when it is taken, and what it costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from hub.answering import AddressPlanner
from schemas import UndeliveredReply, VerifiedAddress
from tests.channels.recording import channel

NOW = datetime(2025, 7, 1, 3, 0, tzinfo=UTC)
PAGE, CITIZEN = "1708000000000002", "4400000000000001"
LATE = {"late_template": "kabar_laporan"}


def address(account: str, hours: float = 1.0, to: str = f"{PAGE}:{CITIZEN}") -> VerifiedAddress:
    """Its citizen wrote there so many hours ago."""
    heard_at = NOW - timedelta(hours=hours)
    return VerifiedAddress(account=account, channel=account, to=to, heard_at=heard_at, of_this_report=True)


def chosen(template: str, *addresses: VerifiedAddress, **settings: Any) -> str | None:
    """The account, of which each is of the kind that its name says."""
    doors = {one.account: channel(one.account, **settings.get(one.account, {})) for one in addresses}
    reply = UndeliveredReply(template=template, account="other", channel="other")
    found = AddressPlanner(cast(Any, doors)).choose(reply, addresses, NOW)
    assert found is None or any(found is one for one in addresses)
    return found and found.account


@pytest.mark.parametrize(
    ("account", "template", "hours", "settings", "taken"),
    [
        ("whatsapp", "finished", 23.7, {}, True),
        ("whatsapp", "finished", 23.8, {}, False),  # it may wait a while for its turn
        ("whatsapp", "officer_answer", 24.0, {}, False),
        ("whatsapp", "officer_answer", 900.0, LATE, True),
        ("whatsapp", "finished", 900.0, LATE, True),
        ("whatsapp", "number_given", 24.0, LATE, False),
        ("messenger", "finished", 23.7, {}, True),
        ("messenger", "finished", 24.0, {}, False),
        ("messenger", "officer_answer", 167.7, {}, True),
        ("messenger", "officer_answer", 168.0, {}, False),
        ("instagram", "officer_answer", 24.0, {"human_agent": False}, False),
        ("telegram", "finished", 9000.0, {}, True),
        ("email", "finished", 9000.0, {}, True),
        ("line", "finished", 9000.0, {}, True),
    ],
)
def test_an_address_is_chosen_as_long_as_its_provider_takes_an_answer_there(
    account: str, template: str, hours: float, settings: dict[str, Any], taken: bool
) -> None:
    assert (chosen(template, address(account, hours), **{account: settings}) is not None) is taken


def test_a_closed_address_makes_room_for_the_next_one() -> None:
    assert chosen("finished", address("whatsapp", 30), address("email", 300)) == "email"
    assert chosen("finished", address("whatsapp", 30), address("messenger", 25)) is None


@pytest.mark.parametrize("costly", ["sms", "smpp", "line", "x"])
def test_what_costs_or_counts_in_a_quota_comes_last(costly: str) -> None:
    to = {"x": "dm:7001"}.get(costly, "6281200001234")
    assert chosen("finished", address(costly, 1, to), address("telegram", 50, "1")) == "telegram"
    assert chosen("finished", address(costly, 1, to)) == costly


def test_a_template_that_is_paid_for_after_the_window_comes_after_what_is_free() -> None:
    free, settings = address("email", 400), {"whatsapp": LATE}
    assert chosen("officer_answer", address("whatsapp", 30), free, **settings) == "email"
    assert chosen("officer_answer", address("whatsapp", 20), free, **settings) == "whatsapp"


@pytest.mark.parametrize("place", ["comment:1_2", "post:1_2", "mention:1"])
def test_a_comment_and_a_mention_get_nothing_more(place: str) -> None:
    assert chosen("finished", address("facebook", to=f"{PAGE}:{place}")) is None


def test_an_account_that_is_gone_and_one_that_answers_in_public_are_not_chosen() -> None:
    reply, known = UndeliveredReply(template="finished", account="wa", channel="wa"), {"x": channel("x")}
    planner = AddressPlanner(cast(Any, known))
    assert planner.choose(reply, [address("gone"), address("x", to="post:1")], NOW) is None
