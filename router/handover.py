"""Bukan wewenang: where a complaint goes that an office passes on. Pure: decided from what happened to it before.

It goes to the office that was named, where that office has not passed it on itself and the complaint was not passed on
too often; else to the coordinator above. An office's own coordinator may send it down again, once to each: then it has
decided. So no handover from one office to another happens twice, save to the desk of the nation, the last to have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from router.offices import OfficeRegistry
from router.offices_types import RegisteredOffice
from schemas import Action, Office

NATIONAL_RECORD = "sp4n:"
"""Before LAPOR!'s id or name of an institution, as an action of its account names it. One that the registry does not
hold is LAPOR!'s to choose: the complaint stands there with it."""
MOST_PASSES = 3
"""So often an office may pass a complaint to another that is not below it."""


class PassedOn(NamedTuple):
    """An earlier handover of the complaint."""

    by: str | None
    """The office that had it. None: somebody without an office."""
    to: str


class Handover(NamedTuple):
    """Where it goes, and why, for people."""

    office: Office
    why: str
    redirected: bool
    """It does not go where the action wanted."""


def hand_over(
    history: Sequence[PassedOn], action: Action, offices: OfficeRegistry, *, holders: Sequence[str] = ()
) -> Handover:
    """The next office. `history` is in order. `holders` are the offices that have it; the last of them passes it on
    where the action's own actor is no office, and names none."""
    holder = holders[-1] if holders else None
    by = action.actor.id if action.actor.kind == "office" else None
    by = holder if by is None and action.office is None else by
    wanted = _wanted(action, offices)
    if wanted is None and action.office is not None and action.office.id.startswith(NATIONAL_RECORD):
        return Handover(action.office, f"LAPOR! meneruskan laporan ke {action.office.name}.", False)
    why_not = _why_not(history, by, wanted, offices)
    if wanted is not None and (why_not is None or (by is None and wanted.id in holders)):
        if by is None:
            return Handover(wanted.as_value, f"Petugas meneruskan laporan ke {wanted.name}.", False)
        return Handover(wanted.as_value, _passed(by, offices) + f" dan meneruskannya ke {wanted.name}.", False)
    above = _coordinator(history, by or holder, offices)
    reason = _passed(by, offices) if by else "Laporan belum dapat diteruskan"
    return Handover(
        above.as_value, f"{reason}; {why_not}, sehingga {above.name} yang menentukan.", action.office is not None
    )


def _wanted(action: Action, offices: OfficeRegistry) -> RegisteredOffice | None:
    """The office that the action names: by its id, by LAPOR!'s id of it, or by its name in the account's region."""
    if action.office is None:
        return None
    named = action.office.id
    if named.startswith(NATIONAL_RECORD):
        found = offices.of_institution(named.removeprefix(NATIONAL_RECORD))
    else:
        found = offices.find(named)
    return found or offices.find(action.office.name or "", action.owner)


def _passed(by: str, offices: OfficeRegistry) -> str:
    name = offices[by].name if by in offices else by
    return f"{name} menyatakan laporan ini bukan wewenangnya"


def _why_not(
    history: Sequence[PassedOn], by: str | None, wanted: RegisteredOffice | None, offices: OfficeRegistry
) -> str | None:
    """Why it does not go to the wanted office. None: it does."""
    if wanted is None:
        return "instansi tujuan belum disebutkan atau tidak dikenal"
    if wanted.closed:
        return f"{wanted.name} sudah tidak menerima laporan"
    if wanted.id == by:
        return "instansi tujuan sama dengan pengirimnya"
    if PassedOn(by, wanted.id) in history:
        return f"laporan sudah pernah diteruskan dari sana ke {wanted.name}"
    if by is not None and _is_above(by, wanted.id, offices):
        return None
    return _why_not_aside(history, by, wanted, offices)


def _why_not_aside(
    history: Sequence[PassedOn], by: str | None, wanted: RegisteredOffice, offices: OfficeRegistry
) -> str | None:
    """The same for an office that is not below the one that passes it on."""
    if any(past.by == wanted.id for past in history):
        return f"{wanted.name} sudah menyatakan hal yang sama"
    if by is not None and _passes(history, offices) >= MOST_PASSES:
        return f"laporan sudah {MOST_PASSES} kali berpindah instansi"
    return None


def _passes(history: Sequence[PassedOn], offices: OfficeRegistry) -> int:
    """How often it was passed on to an office that is not below the one that passed it on."""
    return sum(past.by is not None and not _is_above(past.by, past.to, offices) for past in history)


def _is_above(upper: str, lower: str, offices: OfficeRegistry) -> bool:
    return any(office.id == upper for office in offices.ladder_up(lower))


def _coordinator(history: Sequence[PassedOn], by: str | None, offices: OfficeRegistry) -> RegisteredOffice:
    """The nearest office above to which this one has not passed it before; in the end the nation's desk."""
    above = offices.ladder_up(by) if by is not None and by in offices else ()
    return next((office for office in above if PassedOn(by, office.id) not in history), offices.coordinator(""))
