"""Views of a database that a region has already, read and never written (`_database_manifest.py`).

A stored request is one row as JSON; the header `database-view` names its view, and `database-gone` says that the row is
there no more.
"""

from __future__ import annotations

import asyncio
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import urljoin

from connectors._database_check import check_views
from connectors._database_manifest import DatabaseManifest, as_portal, load_database_manifest
from connectors._database_polling import GONE, VIEW, ViewPoller, poll_views
from connectors._database_session import DatabaseSessions, read_address
from connectors._durations import seconds_of
from connectors._http import HttpRequest, judge_unproven, require_host
from connectors._json import decode_lenient
from connectors._port import CheckResult, FetchedFile, Fetches, Item, PollResult, Polls, ProviderConnections
from connectors._portal_calls import LIMIT
from connectors._portal_expressions import names_of_stream, plain_text
from connectors._portal_items import PortalPart, StreamReader, Words
from connectors._portal_manifest import Stream
from connectors._portal_rows import NotRows, Row, decode_answer, rows_in
from connectors._request import Part, Payload
from connectors._settings import Secret, Settings
from schemas import AccountFault, Actor, Attachment, Raw, Reject


class DatabaseSettings(Settings, frozen=True, kw_only=True):
    file_settings: ClassVar[tuple[str, ...]] = ("manifest",)
    manifest: str = ""
    """A file, or the name of one that comes with Satu Pintu."""
    url: Secret = Secret("")
    """postgresql://user@host/database, or mariadb, mysql, oracle, sqlite. A login that may read the views only."""
    password: Secret = Secret("")
    """Of the login, where the address has none."""
    poll_every: str = ""
    """Instead of the manifest's."""
    files_url: str = ""
    """Before the names of files that the rows hold."""
    file_hosts: tuple[str, ...] = ()
    """Other hosts where files lie."""


class Database(Polls, Fetches):
    kind = "database"
    settings_type = DatabaseSettings
    url_settings = ("files_url",)
    counts_for_guard = False
    keeps_unknown_fields = True
    template = """\
manifest = "basis-data"                 # or a file of yours: docs/channels/database.md
url = "postgresql://hub_baca@db.example.go.id/aduan"    # or mariadb://…; env:NAME and file:PATH work as well
# password = "env:HOTLINE_PASSWORD"
# poll_every = "5m"
# files_url = "https://aduan.example.go.id/unggahan/"   # before the names of files in rows
# file_hosts = ["berkas.example.go.id"]
"""

    def __init__(self, account: str, owner: str, settings: Any) -> None:
        super().__init__(account, owner, settings)
        self.manifest = load_database_manifest(settings.manifest) if settings.manifest else None
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._sessions: DatabaseSessions | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database")  # one that hangs keeps no account waiting
        self._readers: dict[str, StreamReader] = {}
        self._pollers: dict[str, ViewPoller] = {}
        self._address = read_address(settings.url.reveal(), settings.password.reveal()) if settings.url else None
        if settings.poll_every:
            seconds_of(settings.poll_every, "poll_every")
        if self.manifest:
            self._prepare(self.manifest)

    def _prepare(self, manifest: DatabaseManifest) -> None:
        if self._address:
            self._sessions = DatabaseSessions(self._address, manifest.zone, seconds_of(manifest.timeout, "timeout"))
            weakref.finalize(self, self._sessions.close)  # also where a sweep goes on elsewhere
        meaning = as_portal(manifest)
        words = Words(meaning, self.account)
        self._readers = {name: StreamReader(name, stream, words) for name, stream in meaning.streams.items()}
        self._pollers = {
            name: ViewPoller(name, view, manifest.zone, self.account) for name, view in manifest.views.items()
        }

    @property
    def missing_setting(self) -> str | None:
        return next((name for name in ("manifest", "url") if not getattr(self.settings, name)), None)

    @property
    def outbound_urls(self) -> Sequence[str]:
        return (self._address.shown,) if self._address and self._address.shown else ()

    @property
    def poll_every(self) -> float:
        written = self.settings.poll_every or (self.manifest.poll_every if self.manifest else "5m")
        return seconds_of(written, "poll_every")

    def setup_help(self, url: str) -> str:
        return "docs/channels/database.md; satupintu channels test reads some rows and says what they would become"

    async def poll(self, cursor: str | None, outbound: ProviderConnections) -> PollResult:
        requests, following, more = await asyncio.get_running_loop().run_in_executor(self._thread, self._poll, cursor)
        return PollResult(requests, following, more=more)

    def _poll(self, cursor: str | None) -> tuple[Sequence[Any], str, bool]:
        """The connection stays open while there is more."""
        sessions, more = self._required(), False
        try:
            with sessions.open() as connection:
                requests, following, more = poll_views(self._pollers, cursor, connection, self.now().astimezone(UTC))
        finally:
            if not more:
                sessions.close()
        return requests, following, more

    async def check(self, outbound: ProviderConnections) -> Sequence[CheckResult]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._check)

    def _check(self) -> Sequence[CheckResult]:
        with self._required().open() as connection:
            assert self.manifest is not None
            return check_views(self.manifest, self.account, connection)

    async def fetch(self, attachment: Attachment, outbound: ProviderConnections) -> FetchedFile:
        """From the hosts that are named: an address in a row may lead anywhere."""
        own, named = self.settings.files_url, attachment.url or ""
        url = named if "://" in named else urljoin(own, named.lstrip("/"))
        hosts = self.settings.file_hosts
        require_host(url, own or (f"https://{hosts[0]}" if hosts else ""), hosts)
        answer = await outbound.http.send(HttpRequest(url, limit=LIMIT, judge=judge_unproven))
        return FetchedFile(answer.body, answer.headers.get("content-type") or attachment.media_type)

    def parts(self, payload: Payload) -> Iterator[Part]:
        if self.manifest is None:
            raise Reject("no_manifest", "set manifest of this account, or name one with --manifest")
        named = payload.headers.get(VIEW) or payload.path.strip("/")
        reader = self._readers.get(named) if named else next(iter(self._readers.values()))
        if reader is None:
            raise Reject("no_view", "the manifest has no view of this name any more: put it back, then replay")
        for row in _rows(payload.body):
            if payload.headers.get(GONE):
                yield Part(row, plain_text(row.get("id")) or None)
                continue
            for part, of in reader.parts(row):
                yield Part(part, of or None)

    @property
    def streams(self) -> Sequence[str]:
        """The names of the manifest's views."""
        return tuple(self._readers)

    def rows_of_sample(self, body: bytes, name: str) -> tuple[str, list[Row]]:
        """The view that an export is of, the first where none is named, and its rows. Raises Reject."""
        return name or self.streams[0], _rows(body)

    def unused_fields(self, name: str, rows: Sequence[Row]) -> dict[str, int]:
        """The columns that no expression of the view reads, and how many rows have each."""
        assert self.manifest is not None
        view = self.manifest.views[name]
        used = names_of_stream(as_portal(self.manifest).streams[name]) | {view.key, view.time}
        return dict(Counter(key for row in rows for key in row if key not in used).most_common())

    def read(self, part: Part, raw: Raw) -> Item:
        if not isinstance(part.payload, PortalPart):
            return self._gone(part.payload, raw)
        return self._readers[part.payload.stream].item(self, part, raw)

    def _gone(self, row: Row, raw: Raw) -> Item:
        id, at = plain_text(row.get("id")), plain_text(row.get("at"))
        if not id:
            raise Reject("no_id", "it is not said which row is gone")
        name = self.manifest.name if self.manifest else self.account
        return self.action(
            raw, f"{id}/gone/{at}", what="note", of={self.account: id}, actor=Actor(kind="system", id=self.account),
            text=f"Laporan ini tidak ada lagi di {name}.",
        )  # fmt: skip

    def _required(self) -> DatabaseSessions:
        if self._sessions is None:
            raise AccountFault("setting_missing", f"set {self.missing_setting} of this account")
        return self._sessions


def _rows(body: bytes) -> list[Row]:
    """One row, or a list of them; of an export also as CSV."""
    try:
        is_json = body.lstrip()[:1] in {b"{", b"[", b""}
        return rows_in(decode_lenient(body) if is_json else decode_answer(_EXPORT, body))
    except (NotRows, ValueError):
        raise Reject("not_a_row", "the body is no JSON object, no list of such, and no CSV") from None


_EXPORT = Stream(format="csv")
