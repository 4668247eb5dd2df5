"""One reply as the parts of a short message, and their way out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

from connectors._gsm import split_into_segments
from connectors._session import BeforeArrival, unmarked
from connectors._smpp_alphabets import encode_gsm7, is_same_in_all_alphabets
from connectors._smpp_codes import BUSY, OK, submit_verdict
from connectors._smpp_link import SmppConnection
from connectors._smpp_pdu import RESPONSE, SUBMIT_SM, UDHI, Pdu, ShortMessage, encode_message, first_string
from connectors._smpp_session import SmppSession
from connectors._smpp_settings import SmppSettings
from connectors._smpp_text import UCS2
from schemas import AccountFault, Reject, Reply, Retry, Unanswered

MOST_PARTS = 255
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds after which a part is sent again that the centre was too busy for, once others of its text are there."""
_INTERNATIONAL, _NATIONAL, _SHORT, _NAME = 1, 2, 3, 5
_ISDN = 1
_SHORT_CODE = 6
"""Digits; up to so many are a short code."""


async def send_parts(
    reply: Reply, session: SmppSession, settings: SmppSettings, before_arrival: BeforeArrival
) -> tuple[str, ...]:
    """The ids of all parts. Raises Retry, Unanswered, AccountFault or Reject; what fails after the first part was taken
    leaves open what arrived."""
    link = session.link_to_send()
    ids: list[str] = []
    for number, message in enumerate(split_reply(reply, settings, session.next_reference)):
        await session.pace()
        try:
            body, before = encode_message(message), unmarked if number else before_arrival
            response = await _submitted(link, body, before, pauses=PAUSES if number else ())
        except (Retry, AccountFault, Reject) as fault:
            if not number:
                raise
            raise Unanswered(f"{number} parts were taken, the next was not: {fault.reason}") from None
        if id := first_string(response.body):
            session.sent(id)
            ids.append(id)
    return tuple(ids)


def split_reply(reply: Reply, settings: SmppSettings, next_reference: Callable[[], int]) -> Iterator[ShortMessage]:
    """The parts of a reply. Raises Reject where there can be none."""
    if not any(c.isdigit() for c in reply.to) or any(c.isalpha() for c in reply.to):
        raise Reject("sender_is_a_name", "the sender is a name, not a number: nothing can be answered")
    texts, coding = _encoded(reply.text, settings)
    if len(texts) > MOST_PARTS:
        raise Reject("text_too_long", f"{len(texts)} parts: a short message has at most {MOST_PARTS}")
    source_ton, source_npi = _type_of(settings.address)
    ton, npi = _type_of(reply.to)
    whole = ShortMessage(
        settings.address.removeprefix("+"),
        reply.to.removeprefix("+"),
        source_ton if settings.address_ton is None else settings.address_ton,
        source_npi if settings.address_npi is None else settings.address_npi,
        ton,
        npi,
        registered_delivery=1,
        data_coding=coding,
    )
    if len(texts) == 1:
        yield whole._replace(text=texts[0])
        return
    reference = next_reference()
    for number, text in enumerate(texts, 1):
        header = bytes((5, 0, 3, reference, len(texts), number))
        yield whole._replace(esm_class=UDHI, text=header + text)


def _encoded(text: str, settings: SmppSettings) -> tuple[list[bytes], int]:
    """The bytes of each part, and their data coding. Coding 0 is the operator's own alphabet: without knowing it, only
    what all alphabets share goes by it."""
    ucs2 = settings.alphabet != "gsm7" and not is_same_in_all_alphabets(text)
    cut = split_into_segments(text, ucs2=ucs2)
    if cut.encoding == "UCS-2":
        return [part.encode("utf-16-be", "surrogatepass") for part in cut.parts], UCS2
    return [encode_gsm7(part) for part in cut.parts], 0


def _type_of(address: str) -> tuple[int, int]:
    """Type of number and numbering plan, by the form of an address; unknown where the centre puts in its own."""
    if not address:
        return 0, 0
    if any(c.isalpha() for c in address):
        return _NAME, 0
    if address.startswith("+"):
        return _INTERNATIONAL, _ISDN
    return (_SHORT, 0) if len(address) <= _SHORT_CODE else (_NATIONAL, _ISDN)


async def _submitted(link: SmppConnection, body: bytes, before: BeforeArrival, pauses: Sequence[float]) -> Pdu:
    """The response of a centre that took the part. Raises as `send_parts`."""
    for pause in (*pauses, None):
        response = await link.submit(body, before)
        if response.status == OK and response.command == SUBMIT_SM | RESPONSE:
            return response
        if response.status not in BUSY or pause is None:
            raise submit_verdict(response.status).error()
        await asyncio.sleep(pause)
    raise AssertionError
