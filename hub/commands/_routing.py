"""What routes in this hub, as a command needs it: rules, offices and model, without anything that runs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

from hub.clock import utc_now
from hub.commands import load_call_settings, require_initialised
from hub.edited_files import LiveModels, model_files, offices_file, rules_file
from hub.editions import EditedFile, Editions, LiveEdition
from hub.opening import open_record
from hub.settings import Settings, UsageError
from router import OfficeModel, OfficeRegistry, Rules
from router.offices import shipped_registry


class Routing(NamedTuple):
    """The newest editions, or the files and what is shipped where no hub was started."""

    rules: Rules
    offices: OfficeRegistry
    model: OfficeModel | None = None


def load_routing() -> Routing:
    """Raises UsageError for files that are wrong."""
    own = load_call_settings()
    rules = LiveEdition(Rules.load(None))
    _begin(own, (rules_file(own.data / "rules.toml", rules),))
    return Routing(rules.value, load_registry(own), load_models().office_model())


def load_registry(own: Settings) -> OfficeRegistry:
    """The offices. Raises UsageError for a file that is wrong."""
    offices = LiveEdition(shipped_registry())
    _begin(own, (offices_file(own.data / "offices.csv", offices),))
    return offices.value


def load_models() -> LiveModels:
    """The newest models, or the word lists where nothing was learned."""
    own, models = load_call_settings(), LiveModels()
    _begin(own, model_files(own.data / "models", models))
    return models


def _begin(own: Settings, files: Sequence[EditedFile[Any]]) -> None:
    with open_record(own) if _is_started(own) else nullcontext() as record:
        Editions(files, publisher=None, now=utc_now).begin(record)


def _is_started(own: Settings) -> bool:
    try:
        require_initialised(own)
    except UsageError:
        return False
    return True
