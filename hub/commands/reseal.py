"""`reseal`: an older sealing key may leave the keys file once nothing is sealed with it."""

from __future__ import annotations

import click

from hub.commands import print_json, print_message, with_record


@click.command()
@click.option("--apply", is_flag=True, help="Do it. Without it, only count.")
def reseal(*, apply: bool) -> None:
    """Seal with the newest key of keys.toml what an older one sealed. Give the newest key to every process first, and
    repeat it until it names the keys that are retired: those may leave the file.

    \b
    Example:
      satupintu reseal --apply
    """
    from sink.resealing import reseal as seal_anew

    done = with_record(lambda record: seal_anew(record, apply=apply))
    print_json({"columns": done.columns, "retired": done.retired, "applied": apply})
    if not apply:
        print_message("nothing was done: add --apply to do it")
