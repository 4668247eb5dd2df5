"""Delivery receipts in the dialects of centres (SMPP 3.4, appendix B, which binds nobody).

The id of our message stands in the text, in an optional parameter, or in both; as it was given, or padded, or as the
decimal number of what was given in hex, or the reverse. The text may lack fields, be in UCS-2, have dates of 10, 12 or
14 digits and an error that is a word. A message is a receipt by the type in esm_class, or by both parameters, or by the
whole form of the text: a citizen does not write it by chance.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from connectors._smpp_pdu import MESSAGE_STATE, NETWORK_ERROR, RECEIPTED_ID, ShortMessage
from connectors._smpp_text import Alphabet, decode_text
from connectors._smpp_user_data import parse_user_data
from schemas import ReceiptState

_TYPE, _RECEIPT, _INTERMEDIATE = 0x3C, 0x04, 0x20
_FIELDS = {
    "id": re.compile(r"\bid:\s*([^\s:]+)", re.IGNORECASE),
    "stat": re.compile(r"\bstat(?:us)?:\s*([a-z]+)", re.IGNORECASE),
    "err": re.compile(r"\berr(?:or)?:\s*([\w.-]{1,12})", re.IGNORECASE),
    "done": re.compile(r"\bdone[ _]date:\s*(\d{10,14})", re.IGNORECASE),
}
_BEGINS = re.compile(r"id:\s*\S+ ")
_WHOLE_FORM = tuple(map(re.compile, (r"submit[ _]date:\s*\d", r"done[ _]date:\s*\d", r"stat:\s*[A-Z]{4,8}\b", r"err:")))
"""One after the other, with anything between them."""
_WORDS: dict[str, ReceiptState] = {
    "DELIV": "delivered", "READ": "read", "EXPIR": "failed", "DELET": "failed", "UNDEL": "failed", "REJEC": "failed",
    "FAILE": "failed", "SKIPP": "failed", "ACCEP": "sent", "ENROU": "sent", "BUFFR": "sent", "BUFFE": "sent",
    "SCHED": "sent", "UNKNO": "unknown",
}  # fmt: skip
"""The words of the text by their first five letters: centres write DELIVRD and DELIVERED."""
_NUMBERS: dict[int, ReceiptState] = {
    0: "sent", 1: "sent", 2: "delivered", 3: "failed", 4: "failed", 5: "failed", 6: "sent", 7: "unknown", 8: "failed",
    9: "failed",
}  # fmt: skip
"""message_state, SMPP 5.2.28 and 5.0."""
_FORMATS = {10: ("%y%m%d%H%M",), 12: ("%y%m%d%H%M%S", "%Y%m%d%H%M"), 14: ("%Y%m%d%H%M%S",)}
"""By the number of digits."""
_LONG_ID = 6
_CREDIBLE = timedelta(days=2)


class DeliveryReceipt(NamedTuple):
    """What a receipt says."""

    ids: tuple[str, ...]
    """Of our message; the optional parameter's first."""
    state: ReceiptState
    reason: str | None
    done: str
    """Digits of the time, without a zone."""

    def at(self, received_at: datetime | None, zone: tzinfo) -> datetime | None:
        """When it happened, as far as that is credible. `received_at` None: nobody knows when the receipt came."""
        for form in _FORMATS.get(len(self.done), ()):
            try:
                at = datetime.strptime(self.done, form).replace(tzinfo=zone)
            except ValueError:
                continue
            if received_at is None or abs(at - received_at) < _CREDIBLE:
                return at.astimezone(UTC)
        return received_at


def parse_receipt(message: ShortMessage, alphabet: Alphabet = "auto") -> DeliveryReceipt | None:
    """What the receipt says; None where the message is none."""
    tlvs = message.tlvs
    stated = message.esm_class & _TYPE in {_RECEIPT, _INTERMEDIATE} or (MESSAGE_STATE in tlvs and RECEIPTED_ID in tlvs)
    data = parse_user_data(message).data
    if not stated and b"id:" not in data.replace(b"\0", b"")[:4].lower():
        return None
    text = decode_text(data, message.data_coding, alphabet).text
    if not stated and not _has_whole_form(text):
        return None
    words = {name: found[1] for name, form in _FIELDS.items() if (found := form.search(text))}
    named = _printable(tlvs.get(RECEIPTED_ID, b"")), words.get("id", "")
    return DeliveryReceipt(
        tuple(dict.fromkeys(filter(None, named))), _state(words, tlvs), _reason(words, tlvs), words.get("done", "")
    )


def _has_whole_form(text: str) -> bool:
    found = _BEGINS.match(text)
    for form in _WHOLE_FORM:
        found = found and form.search(text, found.end())
    return found is not None


def _printable(value: bytes) -> str:
    return value.partition(b"\0")[0].decode("latin-1").strip()


def _state(words: Mapping[str, str], tlvs: Mapping[int, bytes]) -> ReceiptState:
    by_word = _WORDS.get(words.get("stat", "")[:5].upper())
    return by_word or _NUMBERS.get(int.from_bytes(tlvs.get(MESSAGE_STATE, b"\x07"), "big"), "unknown")


def _reason(words: Mapping[str, str], tlvs: Mapping[int, bytes]) -> str | None:
    """For failures and unknown words: the centre's own, to be looked up in its documents."""
    if _state(words, tlvs) not in {"failed", "unknown"}:
        return None
    network = tlvs.get(NETWORK_ERROR, b"")
    parts = (
        words.get("stat", f"state {tlvs.get(MESSAGE_STATE, b'').hex()}")[:16],
        f"err {words['err']}" if words.get("err", "000").strip("0") else "",
        f"network {network.hex()}" if network.strip(b"\0" + b"0") else "",
    )
    return ", ".join(filter(None, parts))


class SentIds:
    """The ids that responses gave lately, known again in receipts; and the dialect that was learned from them."""

    def __init__(self, dialect: str | None = None, at_most: int = 20_000) -> None:
        self.dialect = dialect
        """How receipts write the id that a response gave. hex: it was decimal, and they write it in hex. A format, as
        08X: it was hex in that format, and they write it in decimal. None: as it was, or nothing was learned yet."""
        self._at_most = at_most
        self._ids: OrderedDict[str, str] = OrderedDict()

    def add(self, id: str) -> None:
        """A response gave this id."""
        self._ids[_folded(id)] = id
        if len(self._ids) > self._at_most:
            self._ids.popitem(last=False)

    def known_as(self, ids: Iterable[str]) -> str | None:
        """The id as its response gave it; None where no receipt names one."""
        ids = tuple(ids)
        for id in ids:
            if given := self._ids.get(_folded(id)):
                return given
            for dialect in ("hex", "x"):
                given = self._ids.get(_folded(_as_given(id, dialect)))
                if given and _is_certain(given if dialect == "x" else id):
                    self.dialect = dialect if dialect == "hex" else _format_of(given, self.dialect)
                    return given
        return next((_as_given(id, self.dialect) for id in ids), None)


def _folded(id: str) -> str:
    """Some centres pad, and some change the case."""
    return id.lower().lstrip("0")


def _is_certain(hex_id: str) -> bool:
    """A few digits may be another message's id by chance."""
    return len(hex_id) >= _LONG_ID or not hex_id.isdigit()


def _as_given(id: str, dialect: str | None) -> str:
    try:
        return id if dialect is None else str(int(id, 16)) if dialect == "hex" else f"{int(id):{dialect}}"
    except ValueError:
        return id


def _format_of(given: str, known: str | None) -> str:
    """The format of a hex number; one that is padded shows how wide they all are."""
    width = f"0{len(given)}" if given.startswith("0") else (known or "x")[:-1] if known != "hex" else ""
    return f"{width}{'x' if given == given.lower() else 'X'}"
