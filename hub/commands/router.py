"""`router`: rules and offices checked, and rules tried on what came in."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.commands import (
    DateTimeParam,
    OutOfBalance,
    PayloadRefused,
    load_call_settings,
    print_json,
    print_message,
    require_initialised,
)
from hub.settings import UsageError

if TYPE_CHECKING:
    from router import OfficeRegistry, Rules
    from router.trial import Trial

SHOWN_CELLS = 50


@click.group()
def router() -> None:
    """Rules of routing: checked before they are published, and tried on what came in.

    \b
    Example:
      satupintu router lint
      satupintu router try new-rules.toml --since 2026-10-01
    """


@router.command()
@click.argument("rules", required=False)
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each fault.")
def lint(rules: str | None, *, as_json: bool) -> None:
    """Rules that can never fire, offices that do not exist or are closed, regions without a ladder, aliases of several
    offices. RULES is a file; left out, the rules of this hub are checked. Exit code 1 where something must be mended.

    \b
    Example:
      satupintu router lint new-rules.toml
    """
    from hub.commands._routing import load_routing
    from router.lint import lint as faults_of

    routing = load_routing()
    faults = faults_of(_rules(rules) if rules else routing.rules, routing.offices)
    for fault in faults:
        print_json(fault._asdict()) if as_json else click.echo(f"{fault.about}: {fault.fault}")
    serious = sum(fault.serious for fault in faults)
    if serious:
        raise OutOfBalance(f"{serious} of {len(faults)} findings must be mended")
    print_message("nothing must be mended in these rules and offices")


@router.command("try")
@click.argument("rules")
@click.option("--since", type=DateTimeParam(), required=True, help="Received at or after: a date, or an RFC 3339 time.")
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each pair of offices.")
def try_(rules: str, since: datetime, *, as_json: bool) -> None:
    """What would have become of the reports that came in, had the rules of that file held: from which office to which,
    how many, and the numbers of twenty each. Officers' later decisions are the judge. Nothing is changed, and no report
    moves when the rules are published.

    \b
    Example:
      satupintu router try new-rules.toml --since 2026-10-01
    """
    from hub.commands._routing import load_routing
    from hub.opening import open_record
    from router.trial import PastReport, Trial
    from sink.offices_routed import recorded_reports

    own = load_call_settings()
    require_initialised(own)
    new, routing = _rules(rules), load_routing()
    trial = Trial(routing.rules, new, routing.offices, routing.model)
    with open_record(own) as record:
        for page in recorded_reports(record, since):
            trial.add([PastReport(*report) for report in page])
    _print(trial, routing.offices, as_json=as_json)


def _rules(file: str) -> Rules:
    from router import Rules

    try:
        return Rules.load(Path(file).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{file} cannot be read ({error.strerror}): name a file of rules") from None
    except ValueError as error:
        raise PayloadRefused(f"{file}: {error}") from None


def _print(trial: Trial, offices: OfficeRegistry, *, as_json: bool) -> None:
    cells = trial.moved
    for cell in cells if as_json else cells[:SHOWN_CELLS]:
        before, after = (_names(ids, offices) for ids in (cell.before, cell.after))
        if as_json:
            print_json({"from": before, "to": after, "count": cell.reports, "numbers": cell.numbers})
        else:
            click.echo(f"{cell.reports:7,}  {_shown(before)}  ->  {_shown(after)}")
            click.echo(f"         {' '.join(cell.numbers)}")
    if not as_json and len(cells) > SHOWN_CELLS:
        print_message(f"and {len(cells) - SHOWN_CELLS} more pairs of offices: --json shows all")
    for line in _summary(trial):
        print_message(line)


def _names(ids: tuple[str, ...], offices: OfficeRegistry) -> list[dict[str, str]]:
    return [{"id": id, "name": offices[id].name if id in offices else id} for id in ids]


def _shown(offices: list[dict[str, str]]) -> str:
    return ", ".join(office["name"] for office in offices)


def _summary(trial: Trial) -> list[str]:
    moved, judged = sum(cell.reports for cell in trial.moved), trial.judged
    lines = [
        f"{moved:,} of {trial.reports:,} reports would go elsewhere; {trial.newly_sure:,} leave the ladder, "
        f"{trial.newly_unsure:,} fall back to it"
    ]
    if judged.reports:
        lines.append(
            f"officers decided on {judged.reports:,}: {judged.right_then:,} would have been right at once, "
            f"{judged.right_now:,} are by the rules of today"
        )
    never = trial.never_fired()
    if never:
        shown = ", ".join(never[:10]) + (f" and {len(never) - 10} more" if len(never) > 10 else "")
        lines.append(f"these rules chose no office: {shown}")
    return lines
