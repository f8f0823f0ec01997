"""The last seconds of a connection that the server ends: say why, then let what is under way run out.

Closing a TCP socket with unread input makes the kernel send a reset, and a reset may overtake the very answer that
explains the close.  So the answer is written, the sending side shut, and input swallowed until the peer closes too, up
to a bound in bytes and time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

__all__ = ["Drain"]

#: input that is swallowed before the connection is cut
DRAIN_BYTES: Final = 64 * 1024 * 1024


class Drain(asyncio.Protocol):
    """Swallows what still comes in.  :meth:`begin` puts it onto a transport.

    :param transport: the connection; what explains the close has been written to it.
    :param timeout_s: the connection is cut after this time.
    :param on_lost: told when the connection has ended.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        *,
        timeout_s: float,
        on_lost: Callable[[Exception | None], None] | None = None,
    ) -> None:
        self._transport = transport
        self._on_lost = on_lost
        self._left_bytes = DRAIN_BYTES
        self._timer = asyncio.get_running_loop().call_later(timeout_s, transport.abort)

    def begin(self) -> None:
        """Take the connection over."""
        transport = self._transport
        if transport.is_closing():
            return
        transport.set_protocol(self)
        transport.resume_reading()
        if transport.can_write_eof():
            transport.write_eof()

    def data_received(self, data: bytes) -> None:
        """Swallow."""
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            self._transport.abort()

    def eof_received(self) -> bool:
        """The peer has closed its side too."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The end."""
        self._timer.cancel()
        if self._on_lost is not None:
            self._on_lost(exc)
            self._on_lost = None
