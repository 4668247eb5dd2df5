"""A way to a hub that breaks: the first connections that carry more than so many bytes are cut."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class BrittleWay:
    """Counts the connections that it cut, and how often a client asked how far its upload is."""

    def __init__(self, hub: tuple[str, int], cuts: int, after: int) -> None:
        self._hub, self._cuts, self._after = hub, cuts, after
        self.cut = 0
        self.asked = 0

    def carry(self, client: socket.socket) -> None:
        """One connection, until one side ends it or it is cut."""
        with client, socket.create_connection(self._hub) as server:
            back = threading.Thread(target=_pump, args=(server, client))
            back.start()
            self._forth(client, server)
            for side in (client, server):
                with suppress(OSError):
                    side.shutdown(socket.SHUT_RDWR)
            back.join()

    def _forth(self, client: socket.socket, server: socket.socket) -> None:
        carried = 0
        with suppress(OSError):
            while data := client.recv(65536):
                self.asked += data.startswith(b"HEAD /api/v1/uploads/")
                server.sendall(data)
                carried += len(data)
                if carried > self._after and self.cut < self._cuts:
                    self.cut += 1
                    return


@contextmanager
def brittle_way(url: str, *, cuts: int, after: int) -> Iterator[tuple[str, BrittleWay]]:
    """Its address, before that hub."""
    host, _, port = url.removeprefix("http://").partition(":")
    way = BrittleWay((host, int(port)), cuts, after)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_accept, args=(listener, way))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", way
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listener: socket.socket, way: BrittleWay) -> None:
    with suppress(OSError):
        while True:
            threading.Thread(target=way.carry, args=(listener.accept()[0],), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
