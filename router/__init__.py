"""The router: `route` names the offices that shall act on a new report, by rules that are data, and says why. It plans
the answer that is owed; `render` words it when it is sent.
"""

from router._port import OfficeCandidate, OfficeModel
from router.answers import plan_answer
from router.decide import decide
from router.handover import Handover, PassedOn, hand_over
from router.offices import OfficeRegistry
from router.offices_types import RegisteredOffice
from router.route import route
from router.rules import Rules
from router.templates import Templates, public_form, render

__all__ = [
    "Handover",
    "OfficeCandidate",
    "OfficeModel",
    "OfficeRegistry",
    "PassedOn",
    "RegisteredOffice",
    "Rules",
    "Templates",
    "decide",
    "hand_over",
    "plan_answer",
    "public_form",
    "render",
    "route",
]  # fmt: skip
