"""The command line, `satupintu COMMAND`: its words, exit codes and formats stand in the interface document.

    0 done    1 failed, or out of balance    2 payload refused    64 wrong call    130 interrupted

Commands live in `hub/commands`, one file a command or family, and are imported when called. A fault is one line on
standard error that says what to do; the traceback of a bug goes to the log at level DEBUG.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from hub.commands import OutOfBalance, PayloadRefused, remember_flag
from hub.settings import DEFAULTS, KINDS, UsageError, did_you_mean
from schemas import PipelineError

COMMANDS = {
    "up": ("up", "Everything on this machine."),
    "run": ("up", "One stage alone, or some."),
    "demo": ("demo", "Realistic messages through the real accounts."),
    "parse": ("parse", "What a payload means."),
    "ingest": ("ingest", "A file through the whole pipeline."),
    "file": ("file_map", "What the columns of a table mean."),
    "act": ("act", "What an officer does to a report."),
    "due": ("due", "What is due or overdue."),
    "calendar": ("calendar", "Holidays and decrees."),
    "numbers": ("numbers", "Statistics and open data."),
    "export": ("export", "Complaints as NDJSON."),
    "ledger": ("ledger", "What came in, and what became of it."),
    "dead": ("dead", "The dead letters."),
    "replay": ("replay", "What reading again would change."),
    "replies": ("replies", "The answers to citizens: owed, failed, unknown."),
    "forwards": ("forwards", "What is on its way into LAPOR! and other systems."),
    "reconcile": ("reconcile", "Our view against LAPOR!'s, and what repairs a difference."),
    "find": ("find", "A report by number, phone, id or words."),
    "channels": ("channels", "The accounts, and what to enter at the provider."),
    "offices": ("offices", "The registry of offices."),
    "router": ("router", "Rules checked, and tried on what came in."),
    "rewind": ("rewind", "Consumer groups, back to a time."),
    "reseal": ("reseal", "Personal values under the newest key."),
    "forget": ("forget", "A consumer group that is no longer used."),
    "doctor": ("doctor", "What is wrong here, and what to do."),
    "read": ("read", "Rows to messages, nothing stored."),
    "match": ("match", "Rows to complaints, nothing stored."),
    "route": ("route", "Rows to offices, nothing stored."),
    "train": ("train", "Models from what officers decided."),
    "quality": ("quality", "How well words are read, on labelled complaints."),
}
"""Each command's module in `hub/commands` and its line in the list."""

EXIT_CODES: dict[type[Exception], int] = {UsageError: 64, PayloadRefused: 2, OutOfBalance: 1}
"""Errors whose text says what to do, with their exit codes."""
UNUSABLE = frozenset({"WrongKeys", "UnusableLog"})
"""Such errors of rooms that are not imported only to know them: a file cannot be used; 64."""


def _settings_options(*, hidden: bool) -> list[click.Parameter]:
    kinds = {**KINDS, "config": "a TOML file with these settings"}
    return [
        click.Option(
            [f"--{name.replace('_', '-')}"],
            metavar=name.upper(),
            help=f"{kinds[name]} [{DEFAULTS.get(name, 'none')}]",
            callback=remember_flag,
            expose_value=False,
            hidden=hidden,
        )
        for name in (*DEFAULTS, "config")
    ]


class Commands(click.Group):
    """The commands, imported when they are called; every one takes the settings as well."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None if cmd_name.startswith("-") else ctx.fail(_no_command(cmd_name))
        module = import_module(f"hub.commands.{COMMANDS[cmd_name][0]}")
        return _with_settings(getattr(module, cmd_name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _no_command(name: str) -> str:
    return f"{name} is no command{did_you_mean(name, COMMANDS)}: use one of {', '.join(COMMANDS)}"


def _with_settings(command: click.Command) -> click.Command:
    if not any(p.name == "config" for p in command.params):
        command.params.extend(_settings_options(hidden=True))
        command.context_settings.setdefault("help_option_names", ["-h", "--help"])
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _with_settings(inner)
    return command


@click.command(
    cls=Commands, params=_settings_options(hidden=False), context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="satupintu", prog_name="satupintu")
def satupintu() -> None:
    """Satu Pintu: one door for citizens' complaints. Settings may stand before or after the command, in the
    environment as SATUPINTU_DATA and so on, or in a TOML file.

    \b
    Example:
      satupintu up
      satupintu --data /srv/satupintu ledger --json
    """


def main() -> None:
    """The entry point."""
    _open_closed_streams()
    sys.exit(run_command(sys.argv[1:]))


def _open_closed_streams() -> None:
    """A caller may have closed a standard stream: no file or socket of ours may take its number."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, os.fdopen(number, mode))


def run_command(arguments: Sequence[str]) -> int:
    """The command's exit code; a fault is printed as one line."""
    try:
        code = _invoke(list(arguments))
        sys.stdout.flush()
        return code
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:
        # the reader of our output has gone; the interpreter would complain when it closes standard output
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # one line for people, the rest in the log
        code, words = _in_words(error)
        click.echo(f"satupintu: {' '.join(words.split())}", err=True)
        logging.getLogger(__name__).debug("the traceback", exc_info=error)
        return code


def _invoke(arguments: list[str]) -> int:
    try:
        with satupintu.make_context("satupintu", arguments or ["--help"]) as context:
            return satupintu.invoke(context) or 0
    except click.exceptions.Exit as end:
        return end.exit_code


def _in_words(error: Exception) -> tuple[int, str]:
    """Exit code and line."""
    if isinstance(error, click.ClickException):
        return 64, _wrong_call(error, getattr(error, "ctx", None))
    if type(error) in EXIT_CODES:
        return EXIT_CODES[type(error)], str(error)
    if type(error).__name__ in UNUSABLE:
        return 64, str(error)
    if isinstance(error, PipelineError):
        return 1, f"{error}; see satupintu doctor"
    return 1, _file_fault(error) or _bug(error)


def _wrong_call(error: click.ClickException, context: click.Context | None) -> str:
    path = context.command_path if context else "satupintu"
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        words = _words_of(context)
    else:
        words = error.format_message().rstrip(".")
        if words.startswith("No such command"):
            words += f"{' ' if words.endswith('?') else ': '}{_words_of(context)}"
    return f"{words}{'' if words.endswith(('?', '?)')) else '.'} Try: {path} --help"


def _words_of(context: click.Context | None) -> str:
    group = context.command if context else None
    names = ", ".join(group.list_commands(context)) if context and isinstance(group, click.Group) else ""
    return f"{group.name if group else 'satupintu'} takes one of {names}"


def _file_fault(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}; see satupintu doctor"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"nothing can be written any more ({error.strerror}): make room where the output goes"
    return ""


def _bug(error: Exception) -> str:
    """Class and line, never the text: that may hold a citizen's words."""
    from bus import fault_location

    return f"{fault_location(error)}; see satupintu doctor, or run with logging at DEBUG and report it"
