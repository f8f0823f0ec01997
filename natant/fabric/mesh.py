"""Messages between workers over a ground that may lose some: in order, or known to be lost.  Sans-io.

Between two workers there is a *channel*.  Each side numbers its frames; a receiver that misses a number begins a new *lap*: both sides
forget where they were, tell it upwards (``on_gap``), and count from one again.  A side that sees a higher lap adopts it, frames of a
lower one are dropped and answered with the newer lap, so both always end in the same.  What was sent last has no successor whose
number would tell of its loss, so :meth:`Mesh.tick` sends a *mark* with the last number until the other side says that it has *seen* it.

A frame is: kind (1 byte), lap (4), number (8), length of the sender's id (1), the id, the payload.  Numbers are big-endian.
Called by the fabrics.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Final

from natant.errors import FabricError

__all__ = ["MAX_MESSAGE_BYTES", "Mesh"]

#: a longer message goes in several frames; below the smallest ``max_payload`` that servers have by default
PART_BYTES: Final = 512 * 1024
#: the longest message between workers
MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024
#: workers that ceased to be members and are remembered, so that nothing late of theirs is taken for new
GONE_WORKERS: Final = 1000

_HEAD: Final = Struct(">BIQB")
_WHOLE: Final = 0
_PART: Final = 1
_RESET: Final = 2
_MARK: Final = 3
_SEEN: Final = 4


class _Channel:
    __slots__ = ("confirmed", "is_known", "lap", "part_bytes", "parts", "seen", "sent")

    def __init__(self, lap: int) -> None:
        #: False while the other side may not know of this lap
        self.is_known = True
        self.begin(lap)

    def begin(self, lap: int) -> None:
        self.lap = lap
        self.sent = self.confirmed = self.seen = 0
        self.parts: list[bytes] = []
        self.part_bytes = 0


class Mesh:
    """The channels of one worker.

    :param worker: its id, at most 255 bytes.
    :param write: ``(worker, frame)`` puts a frame on the way to a worker; it may be lost, not reordered.
    :ivar gaps: how often messages were lost.
    """

    def __init__(
        self,
        worker: str,
        write: Callable[[str, bytes], None],
        on_message: Callable[[str, bytes], None],
        on_gap: Callable[[str], None],
    ) -> None:
        self.gaps = 0
        self._sender = worker.encode("utf-8")
        assert len(self._sender) < 256, worker
        self._write = write
        self._on_message = on_message
        self._on_gap = on_gap
        self._channels: dict[str, _Channel] = {}
        self._members: set[str] = set()
        self._gone: dict[str, int] = {}

    @property
    def is_waiting(self) -> bool:
        """True where :meth:`tick` has something to do."""
        return any(not channel.is_known or channel.sent != channel.confirmed for channel in self._channels.values())

    def send(self, worker: str, payload: bytes) -> None:
        """Send to a worker; nothing happens where it is neither a member nor one that we have heard of.

        :raises FabricError: ``NT-FABRIC-201`` where the message is longer than ``MAX_MESSAGE_BYTES``.
        """
        if worker not in self._members and worker not in self._channels:
            return
        size = len(payload)
        if size > MAX_MESSAGE_BYTES:
            raise FabricError(
                "NT-FABRIC-201",
                f"a message of {size} bytes to worker {worker}; at most {MAX_MESSAGE_BYTES} can be sent. Send it in pieces.",
            )
        channel = self._channel(worker)
        for start in range(0, max(size, 1), PART_BYTES):
            channel.sent += 1
            is_last = start + PART_BYTES >= size
            piece = payload if size <= PART_BYTES else payload[start : start + PART_BYTES]
            self._frame(worker, _WHOLE if is_last else _PART, channel.lap, channel.sent, piece)

    def receive(self, frame: bytes) -> str:
        """Take a frame.

        :returns: the worker that sent it.
        :raises FabricError: ``NT-FABRIC-202`` where it is none; nothing was done.
        """
        try:
            kind, lap, number, size = _HEAD.unpack_from(frame)
            start = _HEAD.size + size
            worker = frame[_HEAD.size : start].decode("utf-8")
            if kind > _SEEN or not worker or len(frame) < start:
                raise ValueError
        except ValueError:
            raise _malformed(frame) from None
        except Exception as error:
            raise _malformed(frame) from error
        if worker in self._gone:
            return worker
        channel = self._channel(worker)
        if lap < channel.lap:
            self._frame(worker, _RESET, channel.lap, 0)
            return worker
        channel.is_known = True
        if lap > channel.lap:
            self._adopt(worker, channel, lap)
        if kind <= _PART:
            self._take(worker, channel, number, frame[start:], kind == _WHOLE)
        elif kind == _SEEN:
            channel.confirmed = max(channel.confirmed, min(number, channel.sent))
        elif kind == _MARK and number != channel.seen:
            self._lost(worker, channel)
        else:
            self._frame(worker, _SEEN, channel.lap, channel.seen)
        return worker

    def tick(self) -> None:
        """Ask those who have not confirmed what was sent last; call it a few times a second."""
        for worker, channel in self._channels.items():
            if not channel.is_known:
                self._frame(worker, _RESET, channel.lap, 0)
            elif channel.sent != channel.confirmed:
                self._frame(worker, _MARK, channel.lap, channel.sent)

    def lose(self, worker: str) -> None:
        """Frames to ``worker`` were not sent after all: begin anew with it."""
        channel = self._channels.get(worker)
        if channel is not None:
            self._lost(worker, channel)

    def drop(self, worker: str) -> None:
        """``worker`` is no member any more: forget it, hear nothing of it."""
        channel = self._channels.pop(worker, None)
        self._members.discard(worker)
        self._gone[worker] = channel.lap + 1 if channel else 1
        if len(self._gone) > GONE_WORKERS:
            del self._gone[next(iter(self._gone))]
        # Also where nothing was sent: what waits to be sent has gone, too.
        self._on_gap(worker)

    def admit(self, worker: str) -> None:
        """``worker`` is a member, perhaps again."""
        self._members.add(worker)
        lap = self._gone.pop(worker, None)
        if lap is not None:
            channel = self._channels[worker] = _Channel(lap)
            channel.is_known = False
            self._frame(worker, _RESET, lap, 0)

    def _channel(self, worker: str) -> _Channel:
        channel = self._channels.get(worker)
        if channel is None:
            channel = self._channels[worker] = _Channel(0)
        return channel

    def _frame(self, worker: str, kind: int, lap: int, number: int, payload: bytes = b"") -> None:
        sender = self._sender
        self._write(worker, b"".join((_HEAD.pack(kind, lap, number, len(sender)), sender, payload)))

    def _take(self, worker: str, channel: _Channel, number: int, piece: bytes, is_last: bool) -> None:
        if number != channel.seen + 1:
            self._lost(worker, channel)
            return
        channel.seen = number
        if is_last and not channel.parts:
            self._on_message(worker, piece)
            return
        channel.parts.append(piece)
        channel.part_bytes += len(piece)
        if channel.part_bytes > MAX_MESSAGE_BYTES:
            self._lost(worker, channel)
        elif is_last:
            whole = b"".join(channel.parts)
            channel.parts, channel.part_bytes = [], 0
            self._on_message(worker, whole)

    def _adopt(self, worker: str, channel: _Channel, lap: int) -> None:
        had_state = channel.sent or channel.seen
        channel.begin(lap)
        if had_state:
            self.gaps += 1
            self._on_gap(worker)

    def _lost(self, worker: str, channel: _Channel) -> None:
        channel.begin(channel.lap + 1)
        channel.is_known = False
        self._frame(worker, _RESET, channel.lap, 0)
        self.gaps += 1
        self._on_gap(worker)


def _malformed(frame: bytes) -> FabricError:
    return FabricError(
        "NT-FABRIC-202",
        f"{len(frame)} bytes came on the trunk that are no frame of a worker; they were dropped. Only workers of the plane may "
        "publish to its trunk.",
    )
