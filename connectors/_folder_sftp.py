"""A folder of another machine, by SFTP (asyncssh). Its host keys are pinned: a machine that shows another one is not
spoken to. One connection a poll; no agent, no file of this user's is asked for keys."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import unquote, urlsplit

from connectors._folder import FolderFile
from connectors._rows import UnreadableFile
from connectors._settings import Secret
from schemas import AccountFault, Reject, Retry

if TYPE_CHECKING:
    from asyncssh import SFTPAttrs, SFTPClient

WITHIN = 30.0
"""Seconds for the login, and for each answer."""


class SftpAddress:
    """`sftp://user@host:port/path`."""

    def __init__(self, url: str) -> None:
        """Raises ValueError."""
        parts = urlsplit(url)
        if not (parts.scheme == "sftp" and parts.hostname and parts.username) or parts.password:
            raise ValueError("folder: takes a path, or sftp://user@host/path, with the password in `password`")
        self.host, self.port, self.user = parts.hostname, parts.port or 22, unquote(parts.username)
        self.path = unquote(parts.path).encode() or b"."


@asynccontextmanager
async def open_sftp(
    address: SftpAddress, host_keys: Sequence[str], password: Secret, private_key: Secret
) -> AsyncIterator[SftpFolder]:
    """The folder while connected. Raises Retry or AccountFault."""
    import asyncssh

    try:
        trusted = [asyncssh.import_public_key(key) for key in host_keys]
        keys = [asyncssh.import_private_key(private_key.reveal())] if private_key else []
    except (asyncssh.KeyImportError, ValueError):
        raise AccountFault("wrong_key", "host_keys or private_key: one of them is no key of SSH") from None
    if not trusted:
        raise AccountFault("setting_missing", "set host_keys of this account: ssh-keyscan HOST shows them")
    options: dict[str, Any] = {
        "username": address.user, "known_hosts": (trusted, [], []), "client_keys": keys or None, "agent_path": None,
        "password": password.reveal() or None, "config": None, "connect_timeout": WITHIN, "login_timeout": WITHIN,
        "keepalive_interval": WITHIN,
    }  # fmt: skip
    with _faults():
        async with (
            asyncssh.connect(address.host, address.port, **options) as connection,
            connection.start_sftp_client() as client,
        ):
            yield SftpFolder(client, address.path)


class SftpFolder:
    """As `Folder`."""

    def __init__(self, client: SFTPClient, path: bytes) -> None:
        self._client, self._path = client, path

    async def files(self) -> list[FolderFile]:
        """As `Folder`."""
        async with asyncio.timeout(WITHIN):
            entries = await self._client.readdir(self._path)
        return [found for entry in entries if (found := _file(_bytes(entry.filename), entry.attrs))]

    async def copy(self, name: bytes, out: BinaryIO, limit: int) -> None:
        """As `Folder`."""
        import asyncssh

        try:
            await self._copy(self._path + b"/" + name, out, limit + 1)
        except asyncssh.SFTPPermissionDenied:
            raise UnreadableFile("the hub may not read the file: give its user the right") from None
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            raise Retry("a file of the folder went away while it was taken") from None

    async def _copy(self, path: bytes, out: BinaryIO, left: int) -> None:
        async with self._client.open(path, "rb") as file:
            while left > 0:
                async with asyncio.timeout(WITHIN):
                    chunk = _bytes(await file.read(min(left, 256 * 1024)))
                if not chunk:
                    return
                out.write(chunk)
                left -= len(chunk)

    async def read(self, path: Sequence[bytes], limit: int) -> bytes | None:
        """As `Folder`."""
        import asyncssh

        out = io.BytesIO()
        try:
            async with asyncio.timeout(WITHIN):
                inside = _bytes(await self._client.realpath(self._path))
                found = _bytes(await self._client.realpath(b"/".join([self._path, *path])))
                attrs = await self._client.stat(found)
            if not found.startswith(inside.rstrip(b"/") + b"/") or not S_ISREG(attrs.permissions or 0):
                return None
            await self._copy(found, out, limit + 1)
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            return None
        except asyncssh.SFTPPermissionDenied:
            raise Reject("no_file", "the user may not read a file of the folder") from None
        return out.getvalue()

    async def move(self, name: bytes, into: bytes, as_name: bytes) -> bool:
        """As `Folder`."""
        import asyncssh

        target = self._path + b"/" + into
        with suppress(asyncssh.SFTPError):  # it is there
            await self._client.mkdir(target)
        try:
            with suppress(asyncssh.SFTPError):  # of an earlier time, with the same content
                await self._client.remove(target + b"/" + as_name)
            await self._client.rename(self._path + b"/" + name, target + b"/" + as_name)
        except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection):
            raise  # it may be moved, at the next poll
        except asyncssh.SFTPError:
            return False
        return True


def _bytes(found: bytes | str) -> bytes:
    return found.encode() if isinstance(found, str) else found


def _file(name: bytes, attrs: SFTPAttrs) -> FolderFile | None:
    if attrs.permissions is None or not S_ISREG(attrs.permissions):
        return None
    return FolderFile(name, attrs.size or 0, attrs.mtime or 0)


@contextmanager
def _faults() -> Iterator[None]:
    """SSH's faults as ours."""
    import asyncssh

    try:
        yield
    except asyncssh.HostKeyNotVerifiable:
        raise AccountFault("host_key", "host_keys: the machine shows another key: ask its operator") from None
    except asyncssh.PermissionDenied:
        raise AccountFault("login", "the machine refuses the login: see user, password, private_key") from None
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        raise AccountFault("no_folder", "folder: there is none of this name on the machine") from None
    except asyncssh.SFTPPermissionDenied:
        raise AccountFault("no_folder", "folder: the user may not read it") from None
    except (asyncssh.Error, OSError, TimeoutError) as fault:
        raise Retry(f"SFTP failed ({type(fault).__name__})") from None
