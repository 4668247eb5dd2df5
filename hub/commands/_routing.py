"""What routes in this hub, as a command needs it: rules, offices and model, without anything that runs."""

from __future__ import annotations

from contextlib import nullcontext
from typing import NamedTuple

from hub.clock import utc_now
from hub.commands import load_call_settings, require_initialised
from hub.edited_files import offices_file, rules_file
from hub.editions import Editions, LiveEdition
from hub.opening import open_record
from hub.settings import Settings, UsageError
from router import OfficeModel, OfficeRegistry, Rules


class Routing(NamedTuple):
    """The newest editions, or the files and what is shipped where no hub was started."""

    rules: Rules
    offices: OfficeRegistry
    model: OfficeModel | None = None


def load_routing() -> Routing:
    """Raises UsageError for files that are wrong."""
    own = load_call_settings()
    rules, offices = LiveEdition(Rules.load(None)), LiveEdition(OfficeRegistry())
    files = (rules_file(own.data / "rules.toml", rules), offices_file(own.data / "offices.csv", offices))
    with open_record(own) if _is_started(own) else nullcontext() as record:
        Editions(files, publisher=None, now=utc_now).begin(record)
    return Routing(rules.value, offices.value)


def _is_started(own: Settings) -> bool:
    try:
        require_initialised(own)
    except UsageError:
        return False
    return True
