"""Rows of NDJSON, CSV and XLSX, as `satupintu ingest` reads them (`_rows`): one Raw a row, its body one JSON object.

`Raw.headers` may carry `row-id`, the native id of a row that has no `id`; `row-line`, the row's line in its file, for
people; `row-note`, what is odd about it; `row-fault`, what is wrong with it as a row; `row-files`, its attachments as
they lie with the blobs. A reason for a refusal names the line and what to mend. Values may all be text, as CSV gives
them. Beside its message a row may tell what an office did (`_row_actions.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any

import msgspec

from connectors._demo import DemoItem, DemoRequest
from connectors._durations import seconds_of
from connectors._folder import NOTE, Folder, FolderPoller
from connectors._folder_attachments import fetch_from_folder
from connectors._folder_local import LocalFolder
from connectors._folder_sftp import SftpAddress, open_sftp
from connectors._port import CheckResult, FetchedFile, Fetches, Item, PollResult, Polls, ProviderConnections
from connectors._request import Part, Payload
from connectors._row_actions import (
    RowAction,
    action_fields,
    actions_of,
    is_report,
    number_in,
    own_id,
    without_actions,
)
from connectors._row_values import READERS, as_text, attachments_of, party_of, place_of, plain_text, text_of, time_of
from connectors._rows import FAULTS, ROW_FIELDS, Dates, Fields, decode_row, is_total, wrong_field
from connectors._settings import Secret, Settings, require_zone
from schemas import Action, Attachment, Message, Raw, Reject, Status, message_id

_KIND = re.compile(r"[a-z][a-z0-9_-]{0,31}")


class FileSettings(Settings, frozen=True, kw_only=True):
    zone: str = "Asia/Jakarta"
    """Zone of a `sent_at` that has none."""
    dates: Dates = "strict"
    """How 05/08/2025 is read: "day-first", "month-first", or "strict": not at all."""
    columns: dict[str, str] = {}  # noqa: RUF012 - msgspec copies it
    """Field to heading, for tables with headings of their own: { text = "Cerita warga" }. `satupintu file map` proposes
    them. Such a table in which the column of `sender` or `id` is missing, as it was renamed, is not taken in."""
    folder: str = ""
    """Where files are put to be taken: a path, or sftp://user@host:port/path. Empty: only `satupintu ingest` brings
    files."""
    statuses: dict[str, Status] = {}  # noqa: RUF012 - as above
    """Words of your own for the status of a report: { "Beres" = "done" }."""
    poll_every: str = "1m"
    """How often the folder is looked at."""
    settled: str = "30s"
    """How long a file's size and time must have stood still."""
    host_keys: tuple[str, ...] = ()
    """SFTP: the keys of the machine, as ssh-keyscan shows them: "ssh-ed25519 AAAA"."""
    password: Secret = Secret("")
    """SFTP: the user's."""
    private_key: Secret = Secret("")
    """SFTP: the user's, instead of a password: file:PATH."""

    def __post_init__(self) -> None:
        if unknown := sorted(self.columns.keys() - ROW_FIELDS.keys() - {"clock"}):
            raise ValueError(f"columns: {unknown[0]} is no field of a row: write one of {', '.join(ROW_FIELDS)}")
        require_zone(self.zone)


class FileChannel(Polls, Fetches):
    kind = "file"
    settings_type = FileSettings
    needs_contract = False
    counts_for_guard = False
    keeps_unknown_fields = True
    template = """\
# Files of reports: satupintu ingest FILE
# zone = "Asia/Jakarta"     # zone of times that come without one
# dates = "day-first"       # how 05/08/2025 is read
# columns = { text = "Cerita warga", sender = "Kontak" }     # headings of your own: satupintu file map FILE
# statuses = { "Beres" = "done" }       # words of your own for the status of a report
# folder = "/srv/rekap"     # or sftp://hub@sftp.example.go.id/rekap: files put here are taken: docs/integrasi.md
# host_keys = ["ssh-ed25519 AAAA..."]              # as its operator says; ssh-keyscan shows them
# password = "env:SFTP_PASSWORD"                   # or private_key = "file:/etc/satupintu/sftp_key"
"""

    def __init__(self, account: str, owner: str, settings: Any) -> None:
        super().__init__(account, owner, settings)
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._every = seconds_of(settings.poll_every, "poll_every")
        self._settled = seconds_of(settings.settled, "settled")
        self._remote = SftpAddress(settings.folder) if "://" in settings.folder else None
        self._statuses = {" ".join(word.lower().split()): status for word, status in settings.statuses.items()}
        self._poller = FolderPoller(settings.columns, self._settled, lambda: self.now())  # noqa: PLW0108 - tests set it

    @property
    def polling(self) -> bool:
        return bool(self.settings.folder)

    @property
    def poll_every(self) -> float:
        return self._every

    async def poll(self, cursor: str | None, outbound: ProviderConnections) -> PollResult:
        async with self._opened() as folder:
            return await self._poller.poll(cursor, folder)

    def _opened(self) -> AbstractAsyncContextManager[Folder]:
        own = self.settings
        if self._remote is None:
            return nullcontext(LocalFolder(own.folder))
        return open_sftp(self._remote, own.host_keys, own.password, own.private_key)

    async def fetch(self, attachment: Attachment, outbound: ProviderConnections) -> FetchedFile:
        """A file that lies beside the tables of the folder."""
        if not self.polling:
            raise Reject("no_file", "it did not lie beside the file when that was taken in")
        async with self._opened() as folder:
            return await fetch_from_folder(attachment.native_id or "", folder)

    async def check(self, outbound: ProviderConnections) -> Sequence[CheckResult]:
        return (CheckResult(f"the folder is {self.settings.folder}"),) if self.polling else ()

    def demo_request(self, item: DemoItem) -> DemoRequest | None:
        row = {
            "id": item.id,
            "text": item.text,
            "sender": f"+{item.phone}",
            "name": item.name,
            "sent_at": item.at.isoformat(),
            "region": item.region or None,
            "latitude": item.lat,
            "longitude": item.lon,
        }
        return DemoRequest(body=json.dumps(row, ensure_ascii=False).encode()) if item.form == "text" else None

    def parts(self, payload: Payload) -> Iterator[Part]:
        try:
            if fault := payload.headers.get("row-fault"):
                raise Reject(fault, FAULTS.get(fault, "the row cannot be read"))
            row = decode_row(payload.body)
            if is_total(row):
                yield Part(row, payload.headers.get("row-id"))
                return
            number, opens = number_in(row), is_report(row, self._statuses)
        except Reject as reject:
            raise _at_line(payload, reject) from None
        own = (row.get("conversation"), row.get("id"), number, payload.headers.get("row-id"))
        conversation = next((text for text in map(plain_text, own) if text), None)
        if opens:
            yield Part(row, conversation)
        for action in actions_of(row, self._statuses):
            yield Part(action, conversation)

    def read(self, part: Part, raw: Raw) -> Item:
        try:
            if isinstance(part.payload, RowAction):
                return self._action(raw, part.payload)
            if is_total(part.payload):
                return self._total(raw, part.payload, part.conversation)
            return self._message(raw, dict(part.payload), part.conversation)
        except Reject as reject:
            raise _at_line(raw, reject) from None

    def _action(self, raw: Raw, found: RowAction) -> Action:
        row, own = dict(found.row), self.settings
        number = number_in(row)
        native = text_of(row, "id") or (None if number else raw.headers.get("row-id"))
        fields = action_fields(found, self.account, self._statuses, own.zone, own.dates)
        systems = READERS["external_ids"](row, "external_ids")
        about = {**systems, **self._own_number(native)}
        beside = is_report(found.row, self._statuses)
        words = plain_text(found.row.get("text")) if beside and not systems else ""  # ids of the list itself begin anew
        id = own_id(found, number or native or raw.id, words)
        return self.action(raw, id, of=about, number=number, beside_report=beside, **fields)

    def _own_number(self, native: str | None) -> dict[str, str]:
        """The number of a report by which a later row of this account names it."""
        return {self.account: native} if native else {}

    def _total(self, raw: Raw, row: Fields, conversation: str | None) -> Message:
        words, native = " ".join(str(value) for value in row.values() if value), raw.headers.get("row-id")
        return self.message(raw, native, conversation or raw.id, text=words, refusal="total of a table")

    def _message(self, raw: Raw, row: Fields, conversation: str | None) -> Message:
        text = row.pop("text", None)
        if not isinstance(text, str) or not text.strip():
            raise wrong_field("text")
        native = text_of(row, "id") or raw.headers.get("row-id")
        channel = text_of(row, "channel")
        if channel and not _KIND.fullmatch(channel):
            raise wrong_field("channel")
        text_of(row, "conversation")
        known = {
            "text": text,
            "sent_at": time_of(row, self.settings.zone, self.settings.dates),
            "sender": party_of(row),
            "place": place_of(row),
            "attachments": attachments_of(row, raw.headers.get("row-files")),
            **{name: read(row, name) for name, read in READERS.items() if name in row},
        }
        if "answer" in row:  # an office may say later what it did
            known["external_ids"] = {**known.get("external_ids", {}), **self._own_number(native)}
        without_actions(row, self._statuses)
        extra = {name: as_text(value) for name, value in row.items() if value is not None}
        if note := raw.headers.get(NOTE):  # for the officer: why there is no phone
            extra[NOTE] = note
        message = self.message(
            raw,
            native,
            conversation or raw.id,
            opens_report=True,
            ids_proven=True,
            ids_restart=True,
            extra=extra,
            **known,
        )
        if not channel:
            return message
        id = message_id(channel, self.account, native) if native else ""
        return msgspec.structs.replace(message, id=id, channel=channel)


def _at_line(payload: Payload, reject: Reject) -> Reject:
    line = payload.headers.get("row-line")
    return Reject(reject.code, f"line {line}: {reject.detail}") if line else reject
