"""The trunk: what goes to one worker within one tick leaves as one parcel, or a few.

The same event for many peers of one worker is sent once, with the list of its ways.  What comes in is given to the one
handler of its kind; one that raises is reported and harms no other message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from natant.cluster import message
from natant.cluster.message import BEAT, OUT
from natant.errors import NatantError
from natant.fabric.contract import Fabric
from natant.kernel.env import Env, Handle

__all__ = ["Trunk"]

#: bytes of payload in one parcel, well below what a server takes in one message
PARCEL_BYTES: Final = 256 * 1024
#: how often each worker tells the others that it lives, where it has nothing else to say
BEAT_EVERY_S: Final = 1.0

Handler = Callable[[str, list[Any]], None]


class _Parcel:
    """What gathers for one worker."""

    __slots__ = ("events", "last", "messages", "size")

    def __init__(self) -> None:
        self.messages: list[tuple[Any, ...]] = []
        self.size = 0
        #: by identity of the payload, which its message keeps alive: where the message stands, and the ways that it goes to
        self.events: dict[int, tuple[int, list[int]]] = {}
        #: by way: where its last payload stands
        self.last: dict[int, int] = {}


class Trunk:
    """Messages between this worker and the others.

    :param broken: told what a handler raised.
    :ivar handlers: by kind of message: called with the sender and the message.
    :ivar heard_s: by worker: when it was last heard of.
    """

    def __init__(self, fabric: Fabric, env: Env, broken: Callable[[str, BaseException], None]) -> None:
        self._fabric = fabric
        self._env = env
        self._broken = broken
        self.handlers: dict[int, Handler] = {BEAT: lambda _worker, _message: None}
        self.heard_s: dict[str, float] = {}
        #: parcels sent and received, and messages in them
        self.parcels_out = self.parcels_in = self.messages_out = self.messages_in = 0
        self._parcels: dict[str, _Parcel] = {}
        self._is_flush_due = False
        self._beat: Handle | None = None

    def start(self) -> None:
        """Begin to beat."""
        self._beat = self._env.call_at(self._env.now() + BEAT_EVERY_S, self._tick)

    def stop(self) -> None:
        """Send what there is, and beat no more."""
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
        self.flush()

    def _tick(self) -> None:
        self._beat = self._env.call_at(self._env.now() + BEAT_EVERY_S, self._tick)
        for worker in self._fabric.members:
            if worker != self._fabric.worker:
                self.send(worker, (BEAT,))

    def send(self, worker: str, item: tuple[Any, ...], size: int = 32) -> None:
        """Put a message into the parcel for ``worker``.

        :param size: about how many bytes it takes.
        """
        parcel = self._parcels.get(worker)
        if parcel is None:
            parcel = self._parcels[worker] = _Parcel()
        parcel.messages.append(item)
        parcel.size += size
        if parcel.size >= PARCEL_BYTES:
            self._send_parcel(worker, parcel)
        elif not self._is_flush_due:
            self._is_flush_due = True
            self._env.call_soon(self.flush)

    def send_event(self, worker: str, payload: bytes, way: int) -> None:
        """Put one payload for one way into the parcel; one object for several ways goes once."""
        parcel = self._parcels.get(worker)
        if parcel is not None:
            found = parcel.events.get(id(payload))
            if found is not None and parcel.last.get(way, -1) < found[0]:  # else it would overtake an earlier one
                parcel.last[way] = found[0]
                found[1].append(way)
                return
        ways = [way]
        self.send(worker, (OUT, payload, ways), len(payload) + 16)
        parcel = self._parcels.get(worker)
        if parcel is not None:
            at = len(parcel.messages) - 1
            parcel.events[id(payload)] = (at, ways)
            parcel.last[way] = at

    def flush(self) -> None:
        """Send all parcels."""
        self._is_flush_due = False
        parcels, self._parcels = self._parcels, {}
        for worker, parcel in parcels.items():
            self._post(worker, parcel)

    def _send_parcel(self, worker: str, parcel: _Parcel) -> None:
        del self._parcels[worker]
        self._post(worker, parcel)

    def _post(self, worker: str, parcel: _Parcel) -> None:
        self.parcels_out += 1
        self.messages_out += len(parcel.messages)
        try:
            self._fabric.send(worker, message.pack(parcel.messages))
        except Exception as error:
            self._broken(f"a parcel for worker {worker}", error)

    def forget(self, worker: str) -> None:
        """Nothing that waits for ``worker`` shall reach it."""
        self._parcels.pop(worker, None)

    def receive(self, worker: str, parcel: bytes) -> None:
        """Take a parcel."""
        self.heard_s[worker] = self._env.now()
        try:
            messages = message.unpack(parcel)
        except NatantError as error:
            self._broken(f"a parcel of worker {worker}", error)
            return
        self.parcels_in += 1
        self.messages_in += len(messages)
        handlers = self.handlers
        for item in messages:
            try:
                handlers[item[0]](worker, item)
            except Exception as error:
                self._broken(f"message {item[0]} of worker {worker}", error)
