"""The switchboard: `route` names the office that shall act on a new report, by rules that are data, and says why."""

from router.route import FRONT_DESK, front_desk_of, route
from router.rules import Rules, WrongRules

__all__ = ["FRONT_DESK", "Rules", "WrongRules", "front_desk_of", "route"]
