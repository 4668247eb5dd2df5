"""What the bytes of a request hold: PDUs, messages whose parts stand together, the text with its gaps marked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from connectors._numbers import normalize_number
from connectors._smpp_parts import Key, content_hash, parts_key
from connectors._smpp_pdu import MESSAGES, Pdu, ShortMessage, decode_message, decode_pdu, take_frames
from connectors._smpp_receipts import DeliveryReceipt, parse_receipt
from connectors._smpp_text import Alphabet, DecodedText, decode_joined
from connectors._smpp_user_data import UserData, parse_user_data
from schemas import Reject

_INTERNATIONAL, _NAME = 1, 5
"""Types of number."""


@dataclass(frozen=True, slots=True)
class LongText:
    """A message of one person, with those of its parts that are here."""

    command: int
    message: ShortMessage
    """The PDU of one of its parts, for what all share."""
    total: int = 1
    pieces: dict[int, UserData] = field(default_factory=dict)
    """By number, from 1."""

    def id(self, numbers: Iterable[int], began: str) -> str:
        """The id of the text with these parts: what they say, and when the first came."""
        return f"{self.digest(numbers)[:24]}-{began}"

    def digest(self, numbers: Iterable[int], more: str = "") -> str:
        """Equal for the same parts of the same sender, brought again."""
        segments = [self.pieces[n] for n in sorted(numbers) if n in self.pieces]
        names = [normalize_number(self.message.source), normalize_number(self.message.destination), more]
        names += [str(piece.segment) for piece in segments]
        contents = (content_hash(piece) for piece in segments)
        return sha256(b"\0".join((*(name.encode() for name in names), *contents))).hexdigest()


Found = LongText | DeliveryReceipt | Reject
"""One item of a request."""


def split_frames(body: bytes) -> Iterator[bytes | Reject]:
    """The PDUs of a body: as bytes, one after the other, or in hex, one a line."""
    if body.startswith(b"\0"):  # the first byte of a length; no text begins so
        buffer = bytearray(body)
        try:
            yield from take_frames(buffer)
            if buffer:
                raise Reject("pdu_cut", f"{len(buffer)} bytes at the end are no whole PDU")
        except Reject as reject:
            yield reject
        return
    for line in filter(None, map(bytes.strip, body.split(b"\n"))):
        try:
            yield bytes.fromhex(line.removeprefix(b"0x").decode("ascii"))
        except ValueError:
            yield Reject("not_hex", "a line is one PDU in hex")


def items_in_body(body: bytes, alphabet: Alphabet) -> list[tuple[ShortMessage | None, Found]]:
    """Messages, receipts and faults, in the order of their first PDU; PDUs that carry neither are left out."""
    found: list[tuple[ShortMessage | None, Found]] = []
    begun: dict[Key, LongText] = {}
    for frame in split_frames(body):
        try:
            if isinstance(frame, Reject):
                raise frame
            pdu = decode_pdu(frame)
            if pdu.command not in MESSAGES:
                continue
            message = decode_message(pdu)
        except Reject as reject:
            found.append((None, reject))
            continue
        if report := parse_receipt(message, alphabet):
            found.append((message, report))
        elif text := _begun(begun, pdu, message):
            found.append((message, text))
    return found


def _begun(begun: dict[Key, LongText], pdu: Pdu, message: ShortMessage) -> LongText | None:
    """The text that this PDU begins; None where it is a part of one that is there."""
    data = parse_user_data(message)
    segment = data.segment
    if segment is None:
        return LongText(pdu.command, message, pieces={1: data})
    key = long_text_key(message, data)
    text = begun.get(key)
    if text is None or content_hash(text.pieces.get(segment.number, data)) != content_hash(data):
        text = begun[key] = LongText(pdu.command, message, segment.total, {segment.number: data})
        return text
    text.pieces[segment.number] = data
    return None


def long_text_key(message: ShortMessage, data: UserData) -> Key:
    """Which text a part belongs to, however its link writes the numbers."""
    assert data.segment is not None
    return parts_key(conversation_number(message), normalize_number(message.destination), data.segment)


def conversation_number(message: ShortMessage) -> str:
    """The sender, as a conversation is named: one citizen, one conversation."""
    return normalize_number(phone_of(message) or message.source)


def phone_of(message: ShortMessage) -> str | None:
    """The sender's number; None where the sender is a name."""
    source = message.source.strip()
    if message.source_ton == _NAME or not any(c.isdigit() for c in source) or any(c.isalpha() for c in source):
        return None
    is_whole = message.source_ton == _INTERNATIONAL and not source.startswith(("+", "0"))
    return f"+{source}" if is_whole else source


def decode_parts(pieces: Mapping[int, UserData], total: int, alphabet: Alphabet) -> DecodedText:
    """The text of the parts; each gap is marked in its place."""
    runs: list[list[UserData]] = []
    marks: list[str] = []
    at = 1
    for here in sorted(pieces):
        if here > at or not runs:
            marks.append(_gap(at, here - 1, total))
            runs.append([])
        runs[-1].append(pieces[here])
        at = here + 1
    decoded = [decode_joined(run, alphabet) for run in runs]
    words = [word for mark, one in zip(marks, decoded, strict=True) for word in (mark, one.text)]
    text = " ".join(filter(None, [*words, _gap(at, total, total)]))
    return DecodedText(text, sum(one.strangeness for one in decoded))


def _gap(first: int, last: int, total: int) -> str:
    if first > last:
        return ""
    numbers = str(first) if first == last else f"{first} sampai {last}"
    return f"[bagian {numbers} dari {total} belum diterima]"
