"""The planner of answers, second step: by which other address of a citizen a reply goes that could not be delivered.

First the conversation's own channel: it was tried, with its windows, tokens and quotas. Then, once, another address for
which its channel vouches, and whose window is open. Then nobody: the reply stands on the list for officers. An
anonymous or secret report is answered only where its reporter wrote about it; no answer is moved to where everybody can
read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from schemas import UndeliveredReply, VerifiedAddress

MOVED = frozenset({
    "number_given", "emergency", "reopened_late", "officer_answer", "question", "status_changed", "finished",
})  # fmt: skip
"""Answers that a citizen needs wherever they arrive. The others (a question for CEK, thanks for an addition) belong to
the talk in which they were asked for."""
OF_OUR_OWN = frozenset({"no_words"})
"""Codes of faults of ours: another address does not mend them."""


def choose_address(reply: UndeliveredReply, addresses: Sequence[VerifiedAddress]) -> VerifiedAddress | None:
    """The best of these, which are all of the same citizen; None: none will do."""
    if reply.template not in MOVED or reply.code in OF_OUR_OWN:
        return None
    open = [one for one in addresses if not one.public and not one.closed]
    fit = [one for one in open if one.of_this_report or not reply.withheld]
    return max(fit, key=_preference, default=None)


def _preference(one: VerifiedAddress) -> tuple[bool, bool, bool, datetime]:
    return not one.refused, one.of_this_report, not one.costly, one.heard_at
