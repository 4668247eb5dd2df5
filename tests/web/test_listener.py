from __future__ import annotations

import errno
import socket

import pytest

from hub.running.listener import bind_socket
from hub.settings import UsageError


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.EADDRINUSE, "stop what uses it, or choose another with --listen 127.0.0.1:81"),
        (errno.EACCES, "use --listen 127.0.0.1:8080, and a proxy before it"),
        (errno.EADDRNOTAVAIL, "it is no address of this machine"),
        (socket.EAI_NONAME, "it is no address of this machine"),
    ],
)
def test_an_address_that_cannot_be_used_is_answered_with_what_helps(
    code: int, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refusing(socket.socket):
        def bind(self, address: object) -> None:
            raise OSError(code, "why")

    monkeypatch.setattr("hub.running.listener.socket.socket", Refusing)
    with pytest.raises(UsageError, match=advice):
        bind_socket("127.0.0.1", 80, "listen")
