"""Why there is no connection to a mail server: the words say what to do."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator

import pytest

from connectors._email_imap import Mailbox
from connectors._email_settings import EmailSettings
from connectors._email_smtp import open_connection
from connectors._settings import Secret
from schemas import AccountFault, Retry


@pytest.fixture
def plain() -> Iterator[int]:
    """The port of a server that speaks no TLS: it hangs up on what it does not know."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    peer.sendall(b"* OK ready\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def settings(port: int, **more: str) -> EmailSettings:
    servers = {"imap": f"imaps://127.0.0.1:{port}", "smtp": f"smtps://127.0.0.1:{port}"}
    return EmailSettings(address="pengaduan@example.go.id", password=Secret("p"), **(servers | more))


def test_a_server_without_tls_is_told_from_one_that_is_away(plain: int) -> None:
    with pytest.raises(Retry, match=re.escape("speaks no TLS at this port: check the port, or write imap://")):
        Mailbox(settings(plain))
    with pytest.raises(Retry, match=re.escape("speaks no TLS at this port: check the port, or write smtp://")):
        open_connection(settings(plain), "")


def test_a_port_where_nothing_listens_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Retry, match="takes no connections at this port"):
        Mailbox(settings(port))
    with pytest.raises(Retry, match="takes no connections at this port"):
        open_connection(settings(port), "")


def test_a_wrong_file_of_certificates_is_a_fault_of_the_account(plain: int) -> None:
    for connect in (Mailbox, lambda own: open_connection(own, "")):
        with pytest.raises(AccountFault, match="tls_ca is no file of certificates"):
            connect(settings(plain, tls_ca="/nowhere/ca.pem"))
