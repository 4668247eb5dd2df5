"""A folder on another machine, by SFTP: a server of asyncssh's on a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import asyncssh
import pytest

from connectors._folder_sftp import SftpFolder
from connectors._settings import Secret
from connectors.file import FileChannel, FileSettings
from schemas import AccountFault, Attachment, Message, Reject, Retry
from tests.channels.recording import raw, read

USER, PASSWORD = "hub", "rahasia-uji"
HOST_KEY, OTHER_KEY, USER_KEY = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(3))
NOBODY: Any = None


def public(key: asyncssh.SSHKey) -> str:
    return key.export_public_key().decode().strip()


class Login(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and key.public_data == USER_KEY.public_data


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    (tmp_path / "masuk").mkdir()

    def served(connection: Any) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(connection, chroot=str(tmp_path).encode())

    server = await asyncssh.create_server(Login, "127.0.0.1", 0, server_host_keys=[HOST_KEY], sftp_factory=served)
    async with server:
        yield server.get_port()


def account(port: int, path: str = "/masuk", **settings: Any) -> FileChannel:
    own = {"host_keys": (public(HOST_KEY),), "password": Secret(PASSWORD)} | settings
    return FileChannel(
        "rekap", "32.73", FileSettings(folder=f"sftp://{USER}@127.0.0.1:{port}{path}", settled="0", **own)
    )


async def texts(channel: FileChannel) -> list[str]:
    cursor, taken = None, []
    for _ in range(6):
        found = await channel.poll(cursor, NOBODY)
        cursor, taken = found.cursor, [*taken, *found.requests]
    return [item.text for one in taken for item in read(channel, raw("file", one)) if isinstance(item, Message)]


KEY = {"password": Secret(""), "private_key": Secret(USER_KEY.export_private_key().decode())}


@pytest.mark.parametrize("login", [{}, KEY], ids=["password", "key"])
async def test_a_file_is_taken_once_and_moved(login: dict[str, Any], port: int, tmp_path: Path):
    (tmp_path / "masuk" / "mei.csv").write_text("id,text\n1,Macet\n2,Air\n")
    (tmp_path / "masuk" / "kosong").mkdir()
    assert await texts(account(port, **login)) == ["Macet", "Air"]
    assert not (tmp_path / "masuk" / "mei.csv").exists()
    (moved,) = (tmp_path / "masuk" / "selesai").iterdir()
    assert moved.read_text().startswith("id,text")


async def test_a_file_that_goes_away_while_it_is_taken_is_no_fault_of_the_account(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    copied = SftpFolder._copy

    async def too_late(folder: SftpFolder, path: bytes, *args: Any) -> None:
        (tmp_path / "masuk" / "mei.csv").unlink()
        await copied(folder, path, *args)

    monkeypatch.setattr(SftpFolder, "_copy", too_late)
    (tmp_path / "masuk" / "mei.csv").write_text("text\nMacet\n")
    channel = account(port)
    cursor = (await channel.poll(None, NOBODY)).cursor
    with pytest.raises(Retry, match="went away"):
        await channel.poll(cursor, NOBODY)
    assert not (await channel.poll(cursor, NOBODY)).requests


async def test_a_file_whose_move_is_cut_off_is_moved_later(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "masuk" / "mei.csv").write_text("text\nMacet\n")
    channel, cursor = account(port), None
    for _ in range(2):
        cursor = (await channel.poll(cursor, NOBODY)).cursor
    with monkeypatch.context() as patch:
        patch.setattr(asyncssh.SFTPClient, "rename", AsyncMock(side_effect=asyncssh.SFTPConnectionLost("cut off")))
        with pytest.raises(Retry):
            await channel.poll(cursor, NOBODY)
    await channel.poll(cursor, NOBODY)
    assert not (tmp_path / "masuk" / "mei.csv").exists()


async def test_a_machine_with_another_key_is_not_spoken_to(port: int):
    with pytest.raises(AccountFault, match="another key"):
        await account(port, host_keys=(public(OTHER_KEY),)).poll(None, NOBODY)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"host_keys": ()}, "set host_keys"),
        ({"host_keys": ("ssh-ed25519 bukan-kunci",)}, "no key of SSH"),
        ({"password": Secret("salah")}, "refuses the login"),
    ],
    ids=["no key", "no such key", "wrong password"],
)
async def test_what_is_wrong_is_said(settings: dict[str, Any], words: str, port: int):
    with pytest.raises(AccountFault, match=words):
        await account(port, **settings).poll(None, NOBODY)


async def test_a_folder_that_is_not_there_is_said(port: int):
    with pytest.raises(AccountFault, match="none of this name"):
        await account(port, "/lain").poll(None, NOBODY)


async def test_a_machine_that_is_away_is_tried_again(unused_tcp_port: int):
    with pytest.raises(Retry, match="SFTP failed"):
        await account(unused_tcp_port).poll(None, NOBODY)


@pytest.mark.parametrize("url", ["sftp://host/path", "sftp://a:b@host/path", "ftp://a@host/path"])
def test_an_address_that_cannot_be_is_a_wrong_setting(url: str):
    with pytest.raises(ValueError, match="sftp://user@host/path"):
        FileChannel("rekap", "32.73", FileSettings(folder=url))


async def test_a_file_that_a_row_names_is_read_and_none_outside(port: int, tmp_path: Path):
    (tmp_path / "masuk" / "foto").mkdir()
    (tmp_path / "masuk" / "foto" / "1.jpg").write_bytes(b"foto")
    (tmp_path / "lain").mkdir()
    (tmp_path / "lain" / "2.jpg").write_bytes(b"rahasia")
    (tmp_path / "masuk" / "keluar").symlink_to("../lain")
    channel = account(port)
    found = await channel.fetch(Attachment(native_id="foto/1.jpg"), NOBODY)
    assert (found.body, found.media_type) == (b"foto", "image/jpeg")
    for name in ("keluar/2.jpg", "../lain/2.jpg", "/lain/2.jpg", "foto/3.jpg"):
        with pytest.raises(Reject):
            await channel.fetch(Attachment(native_id=name), NOBODY)
