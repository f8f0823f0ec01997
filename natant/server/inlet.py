# cython: boundscheck=False, wraparound=False
"""What a peer sends, cut into messages.

Nearly every frame of a peer is a whole, masked text message of no great size: those are taken here, straight from where the read
put them.  All others (control frames, fragments, large ones, and what breaks RFC 6455) are given to picows, whole or piece
by piece, which knows everything about them; it never sees the others.

Invariant: while ``owed`` is 0 picows stands between two frames.  Called by :mod:`natant.server.wire` for each read; hot: types
for Cython are in ``inlet.pxd``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from natant.server import mask

if TYPE_CHECKING:
    from natant.server.peer import Peer

__all__ = ["Inlet"]

#: room for what one read brings, and the largest message that is taken here
READ_BYTES: Final = 16 * 1024
#: the longest header of a frame (RFC 6455, 5.2): two bytes, eight of length, four of mask
_HEAD: Final = 14
#: first byte of a whole message (RFC 6455, 5.2)
_TEXT: Final = 0x81
_BINARY: Final = 0x82
#: more than any payload that is taken
_HUGE: Final = 1 << 60


class Inlet:
    """The reading end of one connection.

    :param peer: gets the messages.
    :param wire: gives picows what is passed on.
    :param largest: bytes of a message that the server takes.
    :ivar owed: bytes that belong to a frame which picows is reading.
    """

    __slots__ = ("_data", "_end", "_largest", "_peer", "_view", "_wire", "owed")

    def __init__(self, peer: Peer, wire: Any, largest: int) -> None:
        self._peer: Any = peer
        self._wire = wire
        self._largest = min(largest, READ_BYTES - _HEAD)
        self._data = bytearray(READ_BYTES)
        self._view = memoryview(self._data)
        self._end = 0
        self.owed = 0

    def release(self) -> None:
        """The connection is gone: hold it no more."""
        self._peer = self._wire = None

    def room(self) -> memoryview:
        """Where the next read goes; behind what is left of the last one."""
        return self._view[self._end :]

    def take(self, count: int) -> None:
        """``count`` bytes have come."""
        data = self._data
        end = self._end + count
        at = 0
        while end - at >= 2:
            kind = data[at]
            size = data[at + 1] & 127
            start = at + 2
            if size == 126:
                start += 2
                if start > end:
                    break
                size = data[at + 2] << 8 | data[at + 3]
            elif size == 127:
                start += 8
                if start > end:
                    break
                size = self._length(at + 2)
            is_masked = data[at + 1] >= 128
            if is_masked:
                start += 4
            stop = start + size
            if is_masked and kind in (_TEXT, _BINARY) and size <= self._largest:
                if stop > end:
                    break
                self._give(start, size)
            elif not self._pass_on(at, min(stop, end)):
                stop = end  # the connection has failed: what follows means nothing
            elif stop > end:
                self.owed = stop - end
                stop = end
            at = stop
        self._end = end - at
        if at and at < end:
            data[: end - at] = data[at:end]

    def _length(self, at: int) -> int:
        size = 0
        for place in range(at, at + 8):
            size = size << 8 | self._data[place]
            if size >= _HUGE >> 8:
                return _HUGE
        return size

    def _give(self, start: int, size: int) -> None:
        peer = self._peer
        try:
            text = mask.unmask(self._data, start, size)
        except UnicodeDecodeError:
            peer.refuse_bytes()
        else:
            peer.take(text)

    def _pass_on(self, start: int, stop: int) -> bool:
        """Give bytes to picows; False where it has ended the connection because of them."""
        wire = self._wire
        wire.pass_on(self._view[start:stop])
        return bool(self._peer.is_ended or not wire.transport.is_close_frame_sent)
