"""The files that people edit, each a kind of edition: channels.toml, rules.toml, offices.csv, templates.toml."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from hub.accounts import Account, Accounts, AccountsSnapshot
from hub.accounts_file import files_named, parse_accounts
from hub.editions import EditedFile, LiveEdition
from hub.settings import UsageError
from normalizer.knowledge.learned_places import NOTHING, LearnedPlaces, load_places
from normalizer.knowledge.shipped import ShippedKnowledge
from normalizer.models import Classified, TextClassifier, cold_classifier, load_classifier
from normalizer.models.office import LearnedOffices, load_office_model
from router import OfficeCandidate, OfficeRegistry, Rules, Templates
from router.due import Calendars
from router.offices import shipped_registry
from router.offices_csv import load_offices
from sink.aside import release_accounts
from sink.record import Record

T = TypeVar("T")
CLASSIFIER, OFFICE_MODEL, PLACES = "models/classifier", "models/office", "models/places"
"""Names of the editions of what was learned."""


@dataclass(frozen=True, slots=True)
class LiveModels:
    """The newest models; the classifier is one for the reader, whatever edition it is of."""

    classifier: LiveEdition[TextClassifier] = field(default_factory=lambda: LiveEdition(cold_classifier()))
    office: LiveEdition[LearnedOffices[OfficeCandidate] | None] = field(default_factory=lambda: LiveEdition(None))
    places: LiveEdition[LearnedPlaces] = field(default_factory=lambda: LiveEdition(NOTHING))

    @property
    def version(self) -> str:
        """Of the classifier."""
        return self.classifier.value.version

    def classify(self, texts: Sequence[str]) -> list[Classified]:
        """By the newest classifier."""
        return self.classifier.value.classify(texts)

    def knowledge(self) -> ShippedKnowledge:
        """The gazetteer, with the newest learned places. Loads it."""
        return ShippedKnowledge(lambda: self.places.value)

    def office_model(self) -> LearnedOffices[OfficeCandidate] | None:
        """The newest; None until one is published."""
        return self.office.value


def channels_file(path: Path, accounts: Accounts, zone: str | None) -> EditedFile[AccountsSnapshot]:
    """The edition `accounts`, as `channels.toml` holds it."""

    def parse(text: str) -> AccountsSnapshot:
        if not text:
            raise UsageError(f"the channels file {path} is missing or empty: satupintu channels new web >> {path}")
        snapshot = parse_accounts(text, source=str(path), zone=zone)
        if not snapshot.accounts and accounts.snapshot.accounts:  # cut off, perhaps: a full disk, a copy in hand
            raise UsageError(f'{path} has no account any more: bring them back; state = "closed" stops one')
        for name, account in snapshot.accounts.items():
            _require_same_kind(path, account, accounts.snapshot.accounts.get(name))
        return snapshot

    to_release: set[str] = set()

    def release(record: Record, at: datetime) -> None:
        to_release.update(accounts.changed)  # with those of a call that could not reach the record
        release_accounts(record, to_release, at)
        to_release.clear()

    def apply(snapshot: AccountsSnapshot, _: int) -> None:
        accounts.swap(snapshot)

    return EditedFile("accounts", path, parse, apply, named=files_named, published=release)


def rules_file(path: Path, rules: LiveEdition[Rules]) -> EditedFile[Rules]:
    """`rules.toml`; without one, the rules that are shipped."""
    return _shipped("rules", path, Rules.load, rules)


def offices_file(path: Path, offices: LiveEdition[OfficeRegistry]) -> EditedFile[OfficeRegistry]:
    """`offices.csv`, or what was imported; without either, the front desks that are shipped."""
    return _shipped("offices", path, lambda text: load_offices(text) if text else shipped_registry(), offices)


def calendars_file(path: Path, calendars: LiveEdition[Calendars]) -> EditedFile[Calendars]:
    """`calendars.csv`, or what was imported, after the holidays that are shipped."""
    return _shipped("calendars", path, Calendars.load, calendars)


def model_files(folder: Path, models: LiveModels) -> tuple[EditedFile[Any], ...]:
    """What `satupintu train` published; files of these names in `models/` count too."""
    return (
        _shipped(CLASSIFIER, folder / "classifier.json", _classifier, models.classifier),
        _shipped(OFFICE_MODEL, folder / "office.json", _office_model, models.office),
        _shipped(PLACES, folder / "places.json", _places, models.places),
    )


def _classifier(text: str | None) -> TextClassifier:
    return load_classifier(text) if text else cold_classifier()


def _office_model(text: str | None) -> LearnedOffices[OfficeCandidate] | None:
    return load_office_model(text, OfficeCandidate) if text else None


def _places(text: str | None) -> LearnedPlaces:
    return load_places(text) if text else NOTHING


def templates_file(path: Path, templates: LiveEdition[Templates]) -> EditedFile[Templates]:
    """`templates.toml`; without one, the texts that are shipped."""
    return _shipped("templates", path, Templates.load, templates)


def _shipped(name: str, path: Path, load: Callable[[str | None], T], live: LiveEdition[T]) -> EditedFile[T]:
    def parse(text: str) -> T:
        try:
            return load(text or None)
        except ValueError as error:
            raise UsageError(f"{path}: {error}") from None

    def apply(value: T, version: int) -> None:
        live.value, live.version = value, version

    return EditedFile(name, path, parse, apply)


def _require_same_kind(path: Path, new: Account, old: Account | None) -> None:
    if old is not None and old.channel.kind != new.channel.kind:
        name, was = new.channel.account, old.channel.kind
        raise UsageError(f"[{name}] in {path}: kind was {was!r}: a name is never reused, give the account another one")
