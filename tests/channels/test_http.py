"""The one way out: what its answers and faults become."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from connectors import Call, Heard, Http, Unanswered, channel_type, kinds
from schemas import Reject, Retry
from tests.fakes.server import Server, told

NOON = datetime(2025, 8, 17, 12, 0, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(lambda asked: told(200, "x" * 1000)) as server:
        yield server


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7),
        ("Sun, 17 Aug 2025 12:01:30 GMT", 90),
        ("Sun, 17 Aug 2025 11:00:00 GMT", 0),
        ("999999999", 24 * 3600),
        ("soon", None),
        ("", None),
        ("-5", None),
    ],
)
def test_retry_after_is_honoured_in_both_its_forms(said: str, seconds: float | None):
    heard = Heard(429, {"retry-after": said}, b"")
    assert Http(now=lambda: NOON).retry_after(heard) == seconds


def test_a_body_over_the_limit_is_refused(server: Server):
    with Http() as http:
        assert len(http.ask(Call(server.url, limit=1000)).body) == 1000
        with pytest.raises(Reject, match="larger than 999 bytes"):
            http.ask(Call(server.url, limit=999))


def test_an_answer_that_trickles_is_given_up(server: Server):
    ticks = iter([0.0, 500.0])
    with Http(clock=lambda: next(ticks)) as http, pytest.raises(Unanswered, match="in time"):
        http.ask(Call(server.url))


def test_the_channels_own_table_is_asked_first(server: Server):
    server.then(told(400, "odd"))
    with Http() as http, pytest.raises(Retry, match="odd is fine"):
        http.ask(Call(server.url, judge=lambda heard: Retry(f"{heard.body.decode()} is fine")))


@pytest.mark.parametrize("url", ["", "nowhere", "ftp://127.0.0.1/", "http://"])
def test_an_address_that_is_none_is_a_setting_to_mend(url: str):
    with Http() as http, pytest.raises(Reject, match="settings"):
        http.ask(Call(url))


def test_a_secret_with_a_line_break_is_a_setting_to_mend(server: Server):
    with Http() as http, pytest.raises(Reject, match="secrets"):
        http.ask(Call(server.url, headers={"Authorization": "Bearer rahasia\n"}))


def test_no_cookie_is_carried_from_one_account_to_the_next(server: Server):
    server.then(told(200, "", set_cookie="sesi=1; Path=/"))
    with Http() as http:
        http.ask(Call(server.url))
        http.ask(Call(server.url))
    assert [asked.headers.get("cookie") for asked in server.asked] == [None, None]


def test_a_call_shows_nothing_of_itself():
    assert "sandi" not in repr(Call("http://h/?password=sandi", headers={"a": "sandi"}, json="sandi"))


def test_faults_of_the_world_are_not_retried_for_ever(server: Server):
    server.then(told(500, ""))
    with Http() as http, pytest.raises(Retry) as caught:
        http.ask(Call(server.url))
    assert caught.value.limit == 8


def test_a_kind_is_the_name_of_its_file():
    assert {kind: channel_type(kind).kind for kind in kinds()} == {kind: kind for kind in kinds()}


def test_an_unknown_kind_is_told_what_there_is():
    with pytest.raises(ValueError, match="there are file, sms"):
        channel_type("faks")
