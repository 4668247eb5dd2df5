"""Long answers: cut to the length that a provider takes, counted as providers count in units of UTF-16, and sent as
several messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TypeVar

from connectors._http import TRIES
from connectors._results import SentReply
from schemas import PipelineError, Unanswered

T = TypeVar("T")


def cut_text(text: str, longest: int) -> Iterator[str]:
    """The text in parts of at most `longest` units, cut at a line, else at a blank, never within a character."""
    rest = text
    while len(rest.encode("utf-16-le", "surrogatepass")) > 2 * longest:
        fitting = rest[:longest].encode("utf-16-le", "surrogatepass")[: 2 * longest].decode("utf-16-le", "ignore")
        at = max(fitting.rfind("\n", len(fitting) // 2), 0) or max(fitting.rfind(" ", len(fitting) // 2), 0)
        at = at or len(fitting)
        yield rest[:at].rstrip()
        rest = rest[at:].lstrip()
    yield rest


async def send_pieces(pieces: Iterable[T], send: Callable[[T], Awaitable[str | None]]) -> SentReply:
    """Send the pieces in order; `send` returns the provider's id. Raises what `send` raises for the
    first one, and Unanswered where a later one fails: the beginning has arrived."""
    sent: list[str | None] = []
    for piece in pieces:
        try:
            sent.append(await send(piece))
        except PipelineError:
            if not sent:
                raise
            raise Unanswered("only the beginning of a long answer was sent", limit=TRIES) from None
    return SentReply(tuple(filter(None, sent)))
