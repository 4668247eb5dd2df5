"""What keeps a connection to a mail server from opening, in words that say what to do."""

from __future__ import annotations

import socket
import ssl

from connectors._email_settings import EmailSettings
from schemas import AccountFault

_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (
        ssl.SSLCertVerificationError,
        "the certificate of the {server} is not trusted: check the server's name, or set tls_ca to its issuer's",
    ),
    (ssl.SSLError, "the {server} speaks no TLS at this port: check the port, or write {scheme}:// without s"),
    (socket.gaierror, "the name of the {server} is not known: check the address"),
    (ConnectionRefusedError, "the {server} takes no connections at this port: check address and port"),
    (TimeoutError, "the {server} does not answer: check address, port and firewall"),
)
"""The first that fits; a certificate's fault is one of TLS too."""


def connection_fault(error: Exception, server: str, scheme: str) -> str:
    """Why there is no connection to this server; `scheme` is its protocol without encryption."""
    words = next((words for kind, words in _WORDS if isinstance(error, kind)), "no connection to the {server}")
    return words.format(server=server, scheme=scheme)


def tls_context(settings: EmailSettings) -> ssl.SSLContext:
    """Raises AccountFault where `tls_ca` cannot be used."""
    try:
        return ssl.create_default_context(cafile=settings.tls_ca or None)
    except OSError:
        raise AccountFault("wrong_tls_ca", "tls_ca is no file of certificates") from None


def unusable_password() -> AccountFault:
    """For a login that cannot be written in the letters of the protocol."""
    return AccountFault("wrong_password", "username and password take letters, digits and signs of ASCII alone")
