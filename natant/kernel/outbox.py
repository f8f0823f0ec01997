"""Commands on their way from one agent to another.

A send is brought to its agent in memory, right after the turn that made it.  Whatever has not had its effect when the
commit group is cut gets a record in that same batch; the batch that later holds the effect deletes it.  So after a crash each command
either has its effect in the state or stands in the outbox, never both and never neither.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from natant.codec import recon
from natant.codec.recon.value import Extant, Record, Slot
from natant.kernel import key
from natant.kernel.turn import Send

if TYPE_CHECKING:
    from natant.kernel.kernel import Kernel

__all__ = ["Note", "Outbox"]

#: sends that may be under way before connections stop reading
CONGESTED_AT: Final = 50_000


class Outbox:
    """The sends of one host."""

    def __init__(self, host: Kernel) -> None:
        self._host = host
        #: made since the last cut and perhaps not done
        self._fresh: deque[Send] = deque()
        #: those with a record that are for this host; what waits for another one holds nobody up here
        self._recorded = 0
        self._number = 0
        #: brings a command to another host; set by the plane where that is possible
        self.remote: Any = None

    @property
    def is_busy(self) -> bool:
        """True where any send is under way."""
        return bool(self._fresh) or self._recorded > 0

    @property
    def is_congested(self) -> bool:
        """True where so many sends are under way that no more should be taken in."""
        return len(self._fresh) + self._recorded >= CONGESTED_AT

    def load(self) -> None:
        """Send again what an earlier life did not get done."""
        for stored, text in list(self._host.store.scan(key.OUTBOX)):
            number = int.from_bytes(stored[1:], "big")
            self._number = max(self._number, number)
            record = recon.decode(text)
            assert isinstance(record, Record)
            host = record.get("host")
            send = Send(
                str(record.get("node")), str(record.get("lane")), record.get("body", Extant),
                None if host is None else str(host), number,
            )  # fmt: skip
            self._count(send, 1)
            self._post(send)

    def add(self, sends: list[Send]) -> None:
        """Take over the sends of a turn that ended well."""
        self._host.counter.sends += len(sends)
        is_volatile = self._host.is_volatile
        for send in sends:
            if not is_volatile:
                self._fresh.append(send)
            self._post(send)

    def take_in(self, send: Send) -> None:
        """Bring an item of a source to its agent now; it is done, or in the outbox, when the group is cut.

        :raises StoreError: where the agent cannot be had; the item has then not been taken.
        """
        host = self._host
        host.find(send.node)
        if not host.is_volatile:
            self._fresh.append(send)
        host.send(send)
        if not host.is_volatile and not host.journal.has_open:
            host.journal.add(Note([]))  # the position must be journaled even where the item changed nothing

    def _post(self, send: Send) -> None:
        host = self._host
        if send.host is None:
            host.post(lambda: host.send(send))
        else:
            host.post(lambda: self.remote(send))

    def done(self, send: Send, records: list[tuple[int, bytes, bytes]]) -> None:
        """The unit that owns ``records`` holds the effect of ``send``."""
        send.is_done = True
        if send.number:
            self._count(send, -1)
            records.append((1, key.outbox_key(send.number), b""))

    def drop(self, send: Send) -> None:
        """The command cannot be delivered (or has been given to another host): forget it."""
        send.is_done = True
        if send.number:
            self._count(send, -1)
            self._host.journal.add(Note([(1, key.outbox_key(send.number), b"")]))

    def record(self, batch: list[tuple[int, bytes, bytes]]) -> None:
        """Add to the batch a record for each send that is not done."""
        fresh = self._fresh
        while fresh:
            send = fresh.popleft()
            if send.is_done:
                continue
            try:
                text = send.text or self.text(send)
            except Exception as error:  # it goes on in memory, and a crash before it is done loses it
                self._host.broken(f"the record of a command to {send.node} {send.lane}", error)
                continue
            self._number += 1
            send.number = self._number
            self._count(send, 1)
            self._host.counter.outbox_records += 1
            batch.append((0, key.outbox_key(send.number), text))

    def _count(self, send: Send, change: int) -> None:
        if send.host is None:
            self._recorded += change

    @staticmethod
    def text(send: Send) -> bytes:
        """The record of a send.

        :raises CodecError: where its body cannot be written.
        """
        slots = [Slot("node", send.node), Slot("lane", send.lane), Slot("body", send.body)]
        if send.host is not None:
            slots.append(Slot("host", send.host))
        return recon.encode(Record(slots), exact=True).encode()


class Note:
    """A unit with nothing to publish."""

    __slots__ = ("records",)

    def __init__(self, records: list[tuple[int, bytes, bytes]]) -> None:
        self.records = records

    def release(self, sequence: int) -> None:
        """Nothing waits for it."""
