"""Long texts whose parts come one by one: in any order, over several links, twice, late or never.

Each part is stored when it comes, and acknowledged then. The Raw of a part that waits for others holds that part alone
and says so (`WAITS`): nothing is read in it. The Raw of the part that completes a text holds all parts. A text that is
not complete after `wait` seconds is stored with the parts that are there, and read with the gaps marked; a part that
comes within `LATE` after that brings a Raw with all parts again, read as an edit of the first (`RELEASED`).

`PartialTexts` is the memory between the parts. It is saved in the account's cursor, after the Raws and before anything
is acknowledged: what a crash takes from it, the centre brings again. A text ends here, so it may be forgotten as a
whole, but two texts are never mixed: a part with other bytes under a number that is there begins a new text.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from hashlib import sha256

import msgspec

from connectors._request import Request
from connectors._smpp_user_data import ConcatenationInfo, UserData

WAITS, BEGAN, RELEASED = "smpp-waits", "smpp-began", "smpp-released"
"""Headers of a Request: this part waits; when the text's first part came (milliseconds; part of its id); the numbers of
the parts with which it was released before."""
LATE = 3600.0
"""Seconds after which a part of a released text is a text by itself. References come round, so it is not longer."""
REMEMBERED = 600.0
"""Seconds in which a part of a complete text is known to be a repetition."""
MOST_WAITING = 2000
"""Texts; beyond, the oldest is released at once."""
MOST_RELEASED = 500
MOST_COMPLETE = 20_000
SAVED_COMPLETE = 500
"""Of the complete texts, those that are saved: more than a centre can bring again after a crash."""

Key = tuple[str, str, str, int, int]
"""Sender, recipient, scheme, reference, how many parts."""


def parts_key(sender: str, recipient: str, segment: ConcatenationInfo) -> Key:
    """Which text a part belongs to. Two senders never share one."""
    return (sender, recipient, segment.scheme, segment.reference, segment.total)


def content_hash(data: UserData) -> bytes:
    """8 bytes that two parts share only if they say the same."""
    return sha256(bytes((data.coding,)) + data.data).digest()[:8]


class PartialText(msgspec.Struct):
    """A text of which some parts are there."""

    key: Key
    began: float
    """Unix time of the first part."""
    contents: dict[int, bytes] = msgspec.field(default_factory=dict)
    """By number."""
    frames: dict[int, bytes] = msgspec.field(default_factory=dict)
    """The PDUs by number; empty once the text is complete."""
    released: tuple[int, ...] = ()
    """The numbers with which it was released."""

    @property
    def is_complete(self) -> bool:
        return len(self.contents) == self.key[4]

    def request(self) -> Request:
        """All its parts, in order."""
        headers = {BEGAN: str(round(self.began * 1000))}
        if self.released:
            headers[RELEASED] = ",".join(map(str, self.released))
        return Request(headers=headers, body=b"".join(frame for _, frame in sorted(self.frames.items())))


class PartialTexts:
    """The texts of one account. `wait` is the seconds after which one is released."""

    def __init__(self, wait: float, saved: tuple[PartialText, ...] = ()) -> None:
        self._wait = wait
        self._waiting: OrderedDict[Key, PartialText] = OrderedDict()
        self._released: OrderedDict[Key, PartialText] = OrderedDict()
        self._complete: OrderedDict[Key, PartialText] = OrderedDict()
        for text in saved:
            self._store_of(text)[text.key] = text

    def take(self, key: Key, number: int, data: UserData, frame: bytes, now: float) -> Iterator[Request]:
        """What is to be stored for a part that came."""
        content = content_hash(data)
        text = self._waiting.get(key) or self._released.get(key) or self._complete.get(key)
        if text and text.contents.get(number) == content:
            yield Request(headers={WAITS: "again"}, body=frame)
            return
        if text and number in text.contents:
            yield from self._end(text)
            text = None
        if text is None:
            text = self._waiting[key] = PartialText(key, now)
        text.contents[number], text.frames[number] = content, frame
        if text.is_complete or text.released:
            yield text.request()
        else:
            yield Request(headers={WAITS: "parts"}, body=frame)
        if text.is_complete:
            self._completed(text)
        if len(self._waiting) > MOST_WAITING:
            yield self._release(next(iter(self._waiting.values())))

    def expired(self, now: float) -> Iterator[Request]:
        """The texts that waited long enough; what is over is forgotten."""
        while self._waiting and _is_over(text := next(iter(self._waiting.values())), self._wait, now):
            yield self._release(text)
        for texts, kept in ((self._released, self._wait + LATE), (self._complete, REMEMBERED)):
            while texts and _is_over(next(iter(texts.values())), kept, now):
                texts.popitem(last=False)

    def due_in(self, now: float) -> float | None:
        """Seconds until `expired` has something to store; None: nothing waits."""
        first = next(iter(self._waiting.values()), None)
        return None if first is None else max(0.0, first.began + self._wait - now)

    def saved(self) -> tuple[PartialText, ...]:
        """What a restart needs."""
        complete = list(self._complete.values())[-SAVED_COMPLETE:]
        return (*complete, *self._released.values(), *self._waiting.values())

    def _store_of(self, text: PartialText) -> OrderedDict[Key, PartialText]:
        return self._complete if text.is_complete else self._released if text.released else self._waiting

    def _release(self, text: PartialText) -> Request:
        request = text.request()
        del self._waiting[text.key]
        text.released = tuple(sorted(text.frames))
        self._released[text.key] = text
        if len(self._released) > MOST_RELEASED:
            self._released.popitem(last=False)
        return request

    def _end(self, text: PartialText) -> Iterator[Request]:
        """Another text has its key from now on."""
        if self._waiting.pop(text.key, None):
            yield text.request()
        self._released.pop(text.key, None)
        self._complete.pop(text.key, None)

    def _completed(self, text: PartialText) -> None:
        self._waiting.pop(text.key, None)
        self._released.pop(text.key, None)
        text.frames = {}
        self._complete[text.key] = text
        if len(self._complete) > MOST_COMPLETE:
            self._complete.popitem(last=False)


def _is_over(text: PartialText, kept: float, now: float) -> bool:
    """Also where it began by a clock that was far ahead and is right by now: it would keep back all behind it."""
    return not text.began - kept <= now < text.began + kept
