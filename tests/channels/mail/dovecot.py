"""A real Dovecot on the loopback, with one mailbox."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient

from tests.services.ports import free_ports

PASSWORD = "sandi-surel"
USER = "pengaduan@example.go.id"
_CONF = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
auth_mechanisms = plain login{oauth_mechanisms}
mail_location = maildir:{folder}/mail
mail_fsync = never
first_valid_uid = 1
first_valid_gid = 1
default_vsz_limit = 1024M
{oauth}passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""

_OAUTH = """
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
"""


class Dovecot:
    """`port` is its IMAP; `inbox` the folder of the mailbox's files."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self.inbox = folder / "mail"

    def open(self) -> IMAPClient:
        """A second program that uses the mailbox."""
        client = IMAPClient("127.0.0.1", self.port, ssl=False)
        client.login(USER, PASSWORD)
        return client

    def bring(self, *mails: bytes, folder: str = "INBOX") -> None:
        """More mails in a folder."""
        with self.open() as client:
            for mail in mails:
                client.append(folder, mail)

    def status(self, folder: str = "INBOX") -> dict[bytes, Any]:
        """What another program sees."""
        with self.open() as client:
            return dict(client.folder_status(folder))


def missing() -> bool:
    """Is it not installed? In CI that is a failure."""
    if shutil.which("dovecot"):
        return False
    assert not os.environ.get("CI"), "Dovecot is not installed: apt-get install dovecot-imapd"
    return True


@contextmanager
def a_dovecot(token_info: str = "") -> Iterator[Dovecot]:
    """As `running_dovecot`, in a folder of its own. Skips the test where it is not installed."""
    if missing():
        pytest.skip("needs Dovecot")
    with tempfile.TemporaryDirectory() as where, running_dovecot(Path(where), token_info) as server:
        yield server


@contextmanager
def running_dovecot(folder: Path, token_info: str = "") -> Iterator[Dovecot]:
    """The server itself. Its mail belongs to another user, who must reach the folder. `token_info` tells which access
    tokens are good, the token behind it; with it XOAUTH2 logs in too."""
    folder.chmod(0o755)
    (port,) = free_ports(1)
    owner = pwd.getpwnam("mail")
    for name in ("run", "state", "mail", "home"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        if name in {"mail", "home"}:
            os.chown(folder / name, owner.pw_uid, owner.pw_gid)
    conf = folder / "dovecot.conf"
    oauth = {
        "oauth_mechanisms": " xoauth2" if token_info else "",
        "oauth": _OAUTH.format(folder=folder) if token_info else "",
    }
    known = {"port": port, "password": PASSWORD, "uid": owner.pw_uid, "gid": owner.pw_gid}
    conf.write_text(_CONF.format(folder=folder, **known, **oauth), encoding="utf-8")
    (folder / "oauth2.conf").write_text(f"tokeninfo_url = {token_info}\nusername_attribute = email\n")
    process = subprocess.Popen([shutil.which("dovecot") or "", "-F", "-c", str(conf)], stderr=subprocess.DEVNULL)
    try:
        _wait_until_it_answers(port, folder, process)
        yield Dovecot(folder, port)
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_it_answers(port: int, folder: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            IMAPClient("127.0.0.1", port, ssl=False).logout()
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                log = (folder / "log").read_text() if (folder / "log").exists() else ""
                raise RuntimeError(f"Dovecot does not answer: {log[-500:]}") from None
            time.sleep(0.02)
        else:
            return
