"""The router: `route` names the offices that shall act on a new report, by rules that are data, and says why. It plans
the answer that is owed; `render` words it when it is sent.
"""

from router.answers import plan_answer
from router.route import FRONT_DESK, front_desk_of, route
from router.rules import Rules
from router.templates import Templates, public_form, render

__all__ = ["FRONT_DESK", "Rules", "Templates", "front_desk_of", "plan_answer", "public_form", "render", "route"]
