"""The writing end of one connection.

What a session has to send goes straight into the socket where nothing waits in the transport, which takes the rest; with TLS,
and where sockets are no files, the transport takes all of it.  Once the connection is ended nothing goes out any more, so nothing is written behind a
close frame.  Hot: types for Cython are in ``outflow.pxd``.
"""

from __future__ import annotations

import os
from typing import Any

from natant.server import send

__all__ = ["Outflow"]


class Outflow:
    """Writes frames to one transport."""

    __slots__ = ("_backlog", "_file", "_is_ended", "_write")

    def __init__(self, transport: Any) -> None:
        self._write: Any = transport.write
        self._backlog: Any = transport.get_write_buffer_size
        self._file = _file_of(transport)
        self._is_ended = False

    def end(self) -> None:
        """Write nothing from now on; the socket may be another's soon."""
        self._is_ended = True
        self._file = -1
        self._write = self._backlog = None

    def write(self, payloads: list[bytes]) -> None:
        """Send frames in one write."""
        if self._is_ended:
            return
        data = payloads[0] if len(payloads) == 1 else b"".join(payloads)
        if self._file >= 0 and not self._backlog():
            sent = send.send(self._file, data)
            if sent == len(data):
                return
            data = data[sent:]
        self._write(data)


def _file_of(transport: Any) -> int:
    """The file number of a transport's socket, -1 where it cannot be written directly."""
    if os.name != "posix" or transport.get_extra_info("sslcontext") is not None:
        return -1
    found = transport.get_extra_info("socket")
    number: int = -1 if found is None else found.fileno()
    return number
