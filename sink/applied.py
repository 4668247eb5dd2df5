"""An action of a batch, and its effect."""

from __future__ import annotations

from dataclasses import dataclass

from schemas import Action, Owed, Routed
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
    def owed(self) -> Owed | None:
        """The answer that is owed to the reporter now or once the complaint is recorded: the one that the router
        planned; of a status that the complaint did not get, or not so, what is true of it."""
        planned, action = self.routed.owed, self.action
        if planned is None or not self.effect.applied or action.what != "status":
            return planned if self.effect.applied else None
        words = {name: value for name, value in planned.params.items() if name != "status"}
        words |= {"office": action.office.name} if action.office is not None and action.office.name else {}
        if self.effect.status_moved:
            other = self.case is not None and self.case.status == "done" != action.status
            return Owed(template="finished", params=words) if other else planned
        return Owed(template="officer_answer", params=words) if self.effect.part and action.text else None
