"""Files are checked once their bytes are here: scanned by clamd where one is set, and pictures are stripped and made
smaller. Until then, and where the check fails, nothing of a file is shown and nothing leaves."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from bus import fault_location
from hub.running.backend import Backend
from hub.running.scanning_clamd import Clamd, ScanResult
from sink.attachments_checks import (
    CheckedFile,
    FileToCheck,
    claim_checks,
    has_rescans,
    queue_rescans,
    store_checks,
)
from sink.outbox_results import next_attempt

AT_ONCE = 8
"""Files of one claim; they are checked one after the other, since a large picture takes much memory."""
POLL_EVERY = 1.0
"""Seconds between two claims where the first found nothing."""
MAX_CHECKS = 12
"""After so many checks without an answer about a file, "no verdict" is the last word."""
UNAVAILABLE = "scanner_unavailable"
log = logging.getLogger(__name__)


class BlobCalls(NamedTuple):
    """How bytes are got and stored, both blocking. Raise OSError."""

    get: Callable[[str], bytes]
    put: Callable[[bytes], str]


class FileChecker:
    """Checks the files of all accounts; any number of processes share them. `clamd` None: nothing is scanned."""

    def __init__(self, backend: Backend, blobs: BlobCalls, clamd: Clamd | None) -> None:
        self._backend, self._blobs, self._clamd = backend, blobs, clamd

    async def run(self) -> None:
        """For ever. Raises Retry."""
        while True:
            if not await self.step():
                await self._backend.timing.sleep(POLL_EVERY)

    async def step(self) -> int:
        """Check what is due; how many files that were. Where nothing is, a few that were checked before a clamd was set
        become due once it answers. Raises Retry."""
        now = self._backend.timing.now()
        claimed = await self._backend(claim_checks, AT_ONCE, now)
        if not claimed:  # nothing newer waits
            return await self._rescans(now)
        checked = [await self._checked(file) for file in claimed]
        await self._backend(store_checks, checked, self._backend.timing.now())
        return len(checked)

    async def _rescans(self, now: datetime) -> int:
        if self._clamd is None or not await self._backend(has_rescans):
            return 0
        try:
            await self._clamd.version()
        except OSError:
            return 0
        return await self._backend(queue_rescans, AT_ONCE, now)

    async def _checked(self, file: FileToCheck) -> CheckedFile:
        try:
            return await self._check(file)
        except FileNotFoundError:
            return CheckedFile(file.id, "no_verdict", "file_missing")
        except OSError as error:
            log.warning("file %s is checked later: %s", file.id, type(error).__name__)
            return CheckedFile(file.id, "no_verdict", "disk", again_at=self._again(file))
        except Exception as error:  # a bug in one check must not end the others
            log.error("file %s: %s", file.id, fault_location(error))
            return CheckedFile(file.id, "no_verdict", "check_failed", again_at=self._again(file))

    async def _check(self, file: FileToCheck) -> CheckedFile:
        body = await self._backend.io(self._blobs.get, file.sha256)
        scan = await self._scan(body)
        if scan.verdict not in ("clean", "unscanned"):
            if scan.final or (scan.why != UNAVAILABLE and file.checks + 1 >= MAX_CHECKS):
                log.warning("file %s is not shown: %s, %s", file.id, scan.verdict, scan.why)
                return CheckedFile(file.id, scan.verdict, scan.why)
            return CheckedFile(file.id, scan.verdict, scan.why, again_at=self._again(file))
        return await self._backend.io(self._made, file, body, scan)

    async def _scan(self, body: bytes) -> ScanResult:
        if self._clamd is None:
            return ScanResult("unscanned")
        try:
            return await self._clamd.scan(body)
        except OSError:
            return ScanResult("no_verdict", UNAVAILABLE, final=False)

    def _made(self, file: FileToCheck, body: bytes, scan: ScanResult) -> CheckedFile:
        """Blocking."""
        from hub.running import previews  # Pillow is loaded with the first file: most processes check none

        if not previews.is_picture(body, file.media_type):
            return CheckedFile(file.id, scan.verdict, shown=file.sha256, shown_type=file.media_type)
        try:
            picture = previews.read_picture(body)
        except previews.PictureFault as fault:
            log.warning("file %s is not shown: %s", file.id, fault)
            return CheckedFile(file.id, scan.verdict, str(fault))
        shown, preview = self._blobs.put(picture.shown), self._blobs.put(picture.preview)
        return CheckedFile(
            file.id, scan.verdict, shown=shown, shown_type=picture.media_type, preview=preview,
            position=picture.position,
        )  # fmt: skip

    def _again(self, file: FileToCheck) -> datetime:
        return next_attempt(self._backend.timing.now(), file.checks)
