"""Commands on their way from one agent to another.

A send is brought to its agent in memory, right after the turn that made it.  Whatever has not had its effect when the
commit group is cut gets a record in that same batch; the batch that later holds the effect deletes it.  So after a crash each command
either has its effect in the state or stands in the outbox, never both and never neither.

A send that leaves this kernel, to another partition, a work queue or the hub of an edge, waits until its record is durable; then a
*carrier* gets it, and gets it again after each restart until it has been dropped.  Its number, with the identity of the store, is
the same each time and never that of another send, so the far side can tell what it has had.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from natant.codec import recon
from natant.codec.recon.value import Extant, Record, Slot
from natant.errors import LinkError
from natant.kernel import key
from natant.kernel.turn import Send

if TYPE_CHECKING:
    from natant.kernel.kernel import Kernel

__all__ = ["HUB", "Carrier", "Note", "Outbox"]

#: what an agent gives as host to send to the hub of its edge; of a plane that is no edge it is the plane itself
HUB: Final = "hub:"
#: sends that may be under way before connections stop reading
CONGESTED_AT: Final = 50_000
#: sends that may wait for one carrier
CARRIED_LIMIT: Final = 100_000
#: bits of a send's number below the number of the commit group in which it began to count
NUMBER_BITS: Final = 24

Carrier = Callable[[Send], None]


class Outbox:
    """The sends of one kernel.

    :ivar identity: the name of the store, unlike any other.
    :ivar remote: brings a command to another host over WARP, where the plane can reach any.
    :ivar carriers: take what leaves the kernel once its record is durable, by what stands before the colon in :attr:`Send.host`.
    :ivar longest: how many bytes a command may have for a carrier; those not named take any.
    :ivar is_away: tells of a node of this plane that it lives in another partition; None where there is one.
    :ivar across: takes what goes to another partition once its record is durable.
    """

    def __init__(self, host: Kernel) -> None:
        self._host = host
        #: made since the last cut and perhaps not done
        self._fresh: deque[Send] = deque()
        #: with a record in the group that is being written: they leave when it is durable
        self._leaving: list[Send] = []
        #: those with a record whose number holds back what brings work: for this kernel and for other partitions
        self._recorded = 0
        #: those with a record that carriers have, by their names
        self._carried: dict[str, int] = {}
        self._number = host.journal.sequence << NUMBER_BITS
        self.remote: Any = None
        self.carriers: dict[str, Carrier] = {}
        self.longest: dict[str, int] = {}
        self.is_away: Callable[[str], bool] | None = None
        self.across: Carrier | None = None
        stored = host.store.get(key.IDENTITY)
        self._is_named = stored is not None
        self.identity = format(host.env.random.getrandbits(64), "016x") if stored is None else stored.decode()

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
            carrier = self._carrier(send)
            if carrier is None:
                self._post(send)
            else:
                self._hand_over(carrier, send)

    def add(self, sends: list[Send]) -> None:
        """Take over the sends of a turn that ended well."""
        self._host.counter.sends += len(sends)
        is_volatile = self._host.is_volatile
        for send in sends:
            carrier = None if send.host is None and self.is_away is None else self._carrier(send)
            if not is_volatile:
                self._fresh.append(send)
            if carrier is None:
                self._post(send)
            elif is_volatile:
                self._carry_volatile(carrier, send)

    def take_in(self, send: Send) -> None:
        """Bring an item of a source to its agent now; it is done, or in the outbox, when the group is cut.

        :raises StoreError: where the agent cannot be had; the item has then not been taken.
        """
        host = self._host
        carrier = self._carrier(send)
        if carrier is None:
            host.find(send.node)
        if not host.is_volatile:
            self._fresh.append(send)
        if carrier is None:
            host.send(send)
        elif host.is_volatile:
            self._carry_volatile(carrier, send)
        if not host.is_volatile and not host.journal.has_open:
            host.journal.add(Note([]))  # the position must be journaled even where the item changed nothing

    def has_carrier(self, host: str) -> bool:
        """True where commands to ``host`` are carried.

        :raises LinkError: ``NT-LINK-009`` where too many of them wait to be taken.
        """
        scheme = host.partition(":")[0]
        if scheme not in self.carriers:
            return False
        if self._carried.get(scheme, 0) >= CARRIED_LIMIT:
            raise LinkError(
                "NT-LINK-009",
                f"{CARRIED_LIMIT} commands wait for {scheme}, which is away or too slow; try again later",
                http_status=503,
            )
        return True

    def check_size(self, send: Send) -> None:
        """See that a command whose record has been made is not too long for its carrier.

        :raises LinkError: ``NT-LINK-011``.
        """
        if send.host is None or send.text is None or not self.longest:
            return
        longest = self.longest.get(send.host.partition(":")[0])
        if longest is not None and len(send.text) > longest:
            raise LinkError(
                "NT-LINK-011",
                f'a command to {send.host} {send.node} "{send.lane}" takes {len(send.text)} bytes, and at most {longest} can be '
                "carried; send it in parts, or put what is large elsewhere and send where it is",
                http_status=413,
            )

    def _carrier(self, send: Send) -> Carrier | None:
        """What takes ``send`` on, None where it is brought to its agent (or its host) from memory."""
        if send.host is not None:
            return self.carriers.get(send.host.partition(":")[0]) if self.carriers else None
        if self.is_away is not None and self.is_away(send.node):
            return self.across
        return None

    def _post(self, send: Send) -> None:
        host = self._host
        if send.host is None:
            host.post(lambda: host.send(send))
        else:
            host.post(lambda: self.remote(send))

    def _carry_volatile(self, carrier: Carrier, send: Send) -> None:
        self._number += 1
        send.number = self._number
        self._count(send, 1)
        self._host.post(lambda: self._hand_over(carrier, send))

    def carry(self) -> None:
        """A commit group is durable: hand over what leaves the kernel with it, in the order of the numbers."""
        leaving, self._leaving = self._leaving, []
        for send in leaving:
            carrier = self._carrier(send)
            if carrier is not None and not send.is_done:
                self._hand_over(carrier, send)

    def _hand_over(self, carrier: Carrier, send: Send) -> None:
        try:
            carrier(send)
        except Exception as error:  # its record stays, so the next start tries again
            self._host.broken(f"carrying a command to {send.host or ''} {send.node} {send.lane}", error)

    def done(self, send: Send, records: list[tuple[int, bytes, bytes]]) -> None:
        """The unit that owns ``records`` holds the effect of ``send``."""
        send.is_done = True
        if send.number:
            self._count(send, -1)
            records.append((1, key.outbox_key(send.number), b""))

    def drop(self, send: Send) -> None:
        """The command cannot be delivered (or somebody else has it durably): forget it."""
        self.drop_all((send,))

    def drop_all(self, sends: Iterable[Send]) -> None:
        """Forget several at once; see :meth:`drop`."""
        records: list[tuple[int, bytes, bytes]] = []
        for send in sends:
            if not send.is_done:
                self.done(send, records)
        if records and not self._host.is_volatile:
            self._host.journal.add(Note(records))

    def record(self, batch: list[tuple[int, bytes, bytes]]) -> None:
        """Add to the batch a record for each send that is not done."""
        if not self._is_named:
            self._is_named = True
            batch.append((0, key.IDENTITY, self.identity.encode()))
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
            if self.carriers or self.is_away is not None:
                self._leaving.append(send)

    def _count(self, send: Send, change: int) -> None:
        host = send.host
        if host is None:
            self._recorded += change
        elif self.carriers:
            scheme = host.partition(":")[0]
            self._carried[scheme] = self._carried.get(scheme, 0) + change

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
