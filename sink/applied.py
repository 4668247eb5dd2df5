"""An action of a batch, and its effect."""

from __future__ import annotations

from dataclasses import dataclass

from schemas import Action, Routed
from sink.action_rules import ActionEffect, ComplaintState


@dataclass(frozen=True, slots=True)
class AppliedAction:
    """An action of the batch, and what it did. `case.recorded` is False where its complaint is not in the record
    yet."""

    routed: Routed
    action: Action
    case: ComplaintState | None
    effect: ActionEffect

    @property
    def owes_answer(self) -> bool:
        """Whether the answer that the router planned is owed now or once the complaint is recorded."""
        if self.routed.owed is None or not self.effect.applied:
            return False
        return self.action.what != "status" or self.effect.status_moved
