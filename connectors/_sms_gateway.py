"""The port of SMS gateways with HTTP: how one brings messages and reports, and how it takes an answer.

`parts` and `read` are pure, as a channel's are. What is the same for all, such as the token in the address, numbers,
segments and fingerprints, stands in `sms.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from datetime import UTC, tzinfo
from typing import Any, NamedTuple

from connectors._demo import DemoItem
from connectors._http import HttpRequest
from connectors._request import ACCEPTED, IngressResponse, Part, Payload, Request
from connectors._sms_settings import SmsSettings
from schemas import ReceiptState, Unanswered

_NO_ID = frozenset({"", "null", "none", "nil", "undefined", "00000000-0000-0000-0000-000000000000"})
NO_ANSWER = "the answer is not one of the gateway's: it may have taken the message"


class IncomingSms(NamedTuple):
    """A message as a gateway brought it."""

    sender: str
    """A number as it was written, or a name."""
    to: str
    text: str
    id: str
    """Empty: the gateway gives none."""
    time: str
    """As it was written."""
    distinct: tuple[bytes, ...]
    """What tells it from others where it has no id; empty where the gateway gives no time: without one, two equal texts
    may be two messages."""
    extra: Mapping[str, str]


class SmsReport(NamedTuple):
    """A delivery report."""

    state: ReceiptState
    word: str
    """The gateway's own word for the state."""
    reply: str | None
    """Our own reference."""
    id: str | None
    """The gateway's id of what was sent."""


class OutgoingSms(NamedTuple):
    """An answer to be sent."""

    id: str
    to: str
    text: str
    is_gsm: bool
    """False: it needs UCS-2."""
    report_url: str
    """Empty: no reports are asked for."""


class SmsGateway(ABC):
    """One gateway, by the settings of an account. Raises ValueError, naming the setting, where they make no sense."""

    accepted: IngressResponse = ACCEPTED
    """The answer that it expects; no words of it may reach the citizen."""
    signature: str = ""
    """The header of its signature; empty: it signs nothing."""
    zone: tzinfo = UTC
    """Of a time that came without one."""

    def __init__(self, settings: SmsSettings) -> None:
        self.settings = settings

    @abstractmethod
    def setup_help(self, url: str) -> str:
        """As `Channel.setup_help`."""

    def verify(self, request: Request, url: str) -> None:
        """Checks what the gateway proves beside the token in the address; `url` is the address that it called. Raises
        Forbidden."""
        return

    def demo_query(self, item: DemoItem) -> Mapping[str, str] | None:
        """The query of an invented citizen's message. None: the demo has none for this gateway."""
        return None

    @abstractmethod
    def parts(self, payload: Payload) -> Iterator[Part]:
        """As `Channel.parts`."""

    @abstractmethod
    def read(self, item: Any) -> IncomingSms | SmsReport:
        """The message or report in a part's payload. Raises Reject."""

    @abstractmethod
    def request(self, sms: OutgoingSms) -> HttpRequest:
        """The request that sends."""

    def longest(self, *, is_gsm: bool) -> int | None:
        """Characters, or units of UTF-16, of one message; None: a text of any length."""
        return None

    def sent_id(self, answer: bytes) -> str | None:
        """The gateway's id of a message that it took. Raises Reject or AccountFault where it did not take it, and
        Unanswered where the answer does not say so."""
        if is_page(answer):
            raise Unanswered(NO_ANSWER)
        return None


def id_of(written: str) -> str:
    """Empty: it is a word for none."""
    return "" if written.lower() in _NO_ID else written


def is_page(answer: bytes) -> bool:
    """It is a page for people, as a proxy before the gateway answers with."""
    return answer.lstrip().startswith(b"<")
