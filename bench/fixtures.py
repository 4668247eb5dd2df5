"""Payloads of others, read by the channels: how many items each source holds by our count and by the channel's.

    python -m bench.fixtures FOLDER

Each folder inside is a source and begins with a kind: `whatsapp`, `email_mime`. A file of JSON whose values are
payloads holds several; a table with a column `hex` holds a PDU a row; a text or HTML without a mail's head is put into
a mail. Our count walks the payload by itself and knows nothing of the channel. It ends with 1 where a channel fails on
an input, or the two differ.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any, NamedTuple

from connectors import Request, kinds
from schemas import Action, Message, Receipt, Reject
from tests.channels.recording import channel, raw, read

COLUMNS = ("files", "payloads", "items", "expected", "message", "receipt", "action", "reject", "refused", "faults")
LISTS = ("messages", "statuses", "message_echoes")
"""Of a change of WhatsApp's: what it lists; a change without them is one item."""
TEXTS = {"deliver_sm", "data_sm", "submit_sm"}
"""PDUs that hold a text or a receipt; a `submit_sm` is an echo of ours."""
_OF_THE_ACCOUNT = re.compile(r"account_|message_template_|template_|user_preferences")
"""Changes of WhatsApp's that no citizen made: they hold no item."""
_HEAD = re.compile(rb"\A(?:From |[!-9;-~]+:)")


class Payload(NamedTuple):
    """One request, and how many items we count in it. None: it is none of the kind's, and one Reject."""

    name: str
    body: bytes
    expected: int | None


def _mails(file: Path) -> Iterator[Payload]:
    body = file.read_bytes()
    if not _HEAD.match(body):
        mail = EmailMessage()
        mail["From"], mail["Subject"], mail["Message-ID"] = "sari@warga.example", "Laporan", f"<{file.name}@x>"
        words = body.decode("utf-8", "replace").replace("\r\n", "\n")
        mail.set_content(words, subtype="html" if file.suffix == ".html" else "plain")
        body = mail.as_bytes()
    message_from_bytes(body)
    yield Payload(file.name, body, 1)


def _pdus(file: Path) -> Iterator[Payload]:
    with file.open(newline="") as lines:
        for row in csv.DictReader(lines):
            yield Payload(row["test"], bytes.fromhex(row["hex"]), int(row["command"] in TEXTS))


def _posts(file: Path) -> Iterator[Payload]:
    body = file.read_bytes()
    yield Payload(file.name, body, sum(_posts_of(line) for line in body.splitlines() if line.strip()))


def _posts_of(line: bytes) -> int:
    """A line that is no JSON is one Reject."""
    try:
        one = json.loads(line)
    except ValueError:
        return 1
    data = one.get("data", [one] if "text" in one else [])
    return len(data) if isinstance(data, list) else 1


def _by_json(
    count: Callable[[Any], int | None], is_payload: Callable[[Any], bool]
) -> Callable[[Path], Iterator[Payload]]:
    def payloads(file: Path) -> Iterator[Payload]:
        whole = json.loads(file.read_bytes())
        several = isinstance(whole, dict) and not is_payload(whole) and all(map(is_payload, whole.values()))
        for name, one in whole.items() if several else [(file.name, whole)]:
            yield Payload(f"{file.name} {name}", json.dumps(one).encode(), count(one))

    return payloads


def _changes(webhook: Any) -> int:
    changes = [change for entry in webhook["entry"] for change in entry["changes"]]
    values = [change["value"] for change in changes if not _OF_THE_ACCOUNT.match(change["field"])]
    return sum(sum(len(value.get(name, ())) for name in LISTS) or 1 for value in values)


def _updates(answer: Any) -> int | None:
    listed = answer if isinstance(answer, list) else [answer]
    if isinstance(answer, dict) and "ok" in answer:
        if not isinstance(answer.get("result"), list):
            return None
        listed = answer["result"]
    return sum(sum(isinstance(value, dict) for value in update.values()) for update in listed)


READERS: dict[str, Callable[[Path], Iterator[Payload]]] = {
    "email": _mails, "smpp": _pdus, "x": _posts,
    "whatsapp": _by_json(_changes, lambda one: isinstance(one, dict) and "entry" in one),
    "telegram": _by_json(_updates, lambda one: isinstance(one, dict) and ("update_id" in one or "ok" in one)),
    "line": _by_json(lambda one: len(one["events"]), lambda one: isinstance(one, dict) and "events" in one),
}  # fmt: skip


def measure(kind: str, files: Sequence[Path]) -> tuple[Counter[str], list[str]]:
    """The row of a source, and what is wrong with which payload."""
    row, wrong, door = Counter(files=len(files)), [], channel(kind)
    for payload in (one for file in files for one in READERS[kind](file)):
        row["payloads"] += 1
        row["expected"] += payload.expected or 0
        try:
            items = read(door, raw(kind, Request(body=payload.body)))
        except Reject as reject:
            items = [reject]
        except Exception as fault:
            row["faults"] += 1
            wrong.append(f"{payload.name}: {type(fault).__name__}: {fault}")
            continue
        bugs = [item.detail for item in items if isinstance(item, Reject) and item.code == "channel_bug"]
        row["faults"] += len(bugs)
        wrong += [f"{payload.name}: {bug}" for bug in bugs]
        row.update(_kind_of(item) for item in items)
        row["refused"] += sum(isinstance(item, Message) and item.refusal is not None for item in items)
        found = len(items) if payload.expected is not None else 0
        row["items"] += found
        if payload.expected is not None and found != payload.expected:
            wrong.append(f"{payload.name}: {found} items, {payload.expected} expected")
    return row, wrong


def _kind_of(item: Any) -> str:
    names = {Message: "message", Receipt: "receipt", Action: "action"}
    return names.get(type(item), "reject")


def main() -> None:
    """Print the table, then what is wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    folder, wrong = parser.parse_args().folder, []
    print(f"{'source':20}" + "".join(f"{name:>10}" for name in COLUMNS))
    for source in sorted(path for path in folder.iterdir() if path.is_dir()):
        kind = source.name.partition("_")[0]
        if kind not in READERS or kind not in kinds():
            print(f"{source.name:20} no kind of this name is read here")
            continue
        row, faults = measure(kind, sorted(path for path in source.rglob("*") if path.is_file()))
        print(f"{source.name:20}" + "".join(f"{row[name]:10,}" for name in COLUMNS), flush=True)
        wrong += [f"{source.name}/{fault}" for fault in faults]
    print(*wrong, sep="\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
