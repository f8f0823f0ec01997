"""Guests: sessions that live here, in the partitions of this worker, for peers that are connected to another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from natant.cluster.leg import WINDOW_BYTES
from natant.cluster.message import ACK, CREDIT, IN, LOST, OPEN, PAUSE, SHUT, unpack_identity
from natant.errors import NatantError
from natant.link.identity import ANONYMOUS, Identity
from natant.link.near import tune

if TYPE_CHECKING:
    from natant.cluster.leg import Message
    from natant.cluster.trunk import Trunk
    from natant.host import Host
    from natant.kernel.env import Env

__all__ = ["Guests"]


class _Guest:
    """One of them; the sink of its session."""

    __slots__ = (
        "about",
        "is_framed",
        "is_told",
        "outstanding",
        "owner",
        "partition",
        "session",
        "taken",
        "waiting",
        "way",
        "worker",
    )

    def __init__(self, owner: Guests, worker: str, way: int, partition: int, is_framed: bool) -> None:
        self.owner = owner
        self.worker = worker
        self.way = way
        self.partition = partition
        self.is_framed = is_framed
        #: address, request URI and identity of the peer
        self.about: tuple[str, str, Identity] = ("", "/", ANONYMOUS)
        self.session: Any = None
        self.taken = 0
        #: the gate has been told that so many were taken, or will be at the end of this tick
        self.is_told = True
        #: bytes under way to the gate
        self.outstanding = 0
        #: from the gate, while the partition is being taken up; the gate sends no more than its own bound
        self.waiting: list[Message] = []

    @property
    def is_paused(self) -> bool:
        return self.outstanding >= WINDOW_BYTES

    def write(self, payloads: list[bytes]) -> None:
        trunk = self.owner.trunk
        for payload in payloads:
            self.outstanding += len(payload)
            trunk.send_event(self.worker, payload, self.way)

    def close(self, code: int, reason: str) -> None:
        self.owner.lose(self, code, reason)

    def pause_reading(self) -> None:
        self.owner.trunk.send(self.worker, (PAUSE, self.way, True))

    def resume_reading(self) -> None:
        self.owner.trunk.send(self.worker, (PAUSE, self.way, False))


class Guests:
    """All guests of a worker.

    :param hosts: by partition: those that run here and take work.
    :param is_coming: tells of a partition that a host for it is being made here.
    """

    def __init__(self, trunk: Trunk, env: Env, *, hosts: Mapping[int, Host], is_coming: Callable[[int], bool]) -> None:
        self.trunk = trunk
        self._env = env
        self._hosts = hosts
        self._is_coming = is_coming
        self._guests: dict[tuple[str, int], _Guest] = {}
        self._untold: list[_Guest] = []
        #: by partition that is about to leave: sessions that still speak
        self._leaving: dict[int, list[Any]] = {}
        trunk.handlers[OPEN] = self._open
        trunk.handlers[IN] = self._in
        trunk.handlers[CREDIT] = self._credit
        trunk.handlers[SHUT] = self._shut

    def __len__(self) -> int:
        return len(self._guests)

    # --- from gates -----------------------------------------------------------------------------------------------

    def _open(self, worker: str, item: list[Any]) -> None:
        _, way, partition, remote, request_uri, is_framed, packed = item
        identity = unpack_identity(packed)
        guest = self._guests.get((worker, way))
        if guest is not None and guest.session is not None:
            guest.session.identity = identity  # the peer has said who it is
            return
        if guest is None:
            guest = _Guest(self, worker, way, partition, is_framed)
        guest.about = (remote, request_uri, identity)
        host = self._hosts.get(partition)
        if host is not None:
            self._guests[worker, way] = guest
            self._begin(guest, host)
        elif self._is_coming(partition):
            self._guests[worker, way] = guest
        else:
            self.trunk.send(worker, (LOST, way, 0, 0, "it is not here"))

    def _begin(self, guest: _Guest, host: Host) -> None:
        remote, request_uri, identity = guest.about
        guest.session = host.connect(guest, remote=remote, request_uri=request_uri)
        if identity.is_internal:
            tune(guest.session)
        guest.session.identity = identity
        waiting, guest.waiting = guest.waiting, []
        for message in waiting:
            self._take(guest, message)

    def _in(self, worker: str, item: list[Any]) -> None:
        guest = self._guests.get((worker, item[1]))
        if guest is None:
            return  # it was lost, and the gate has been told
        if guest.session is None:
            guest.waiting.append(item[2])
        else:
            self._take(guest, item[2])

    def _take(self, guest: _Guest, message: Message) -> None:
        guest.taken += 1
        if guest.is_told:
            guest.is_told = False
            self._untold.append(guest)
            if len(self._untold) == 1:
                self._env.call_soon(self._tell)
        try:
            guest.session.receive(message)
        except NatantError as error:
            session, guest.session = guest.session, None
            self.lose(guest, error.context.get("close_code", 1002), str(error))
            session.close(str(error))

    def _tell(self) -> None:
        untold, self._untold = self._untold, []
        for guest in untold:
            guest.is_told = True
            if self._guests.get((guest.worker, guest.way)) is guest:
                self.trunk.send(guest.worker, (ACK, guest.way, guest.taken))

    def _credit(self, worker: str, item: list[Any]) -> None:
        guest = self._guests.get((worker, item[1]))
        if guest is not None:
            was_paused = guest.is_paused
            guest.outstanding = max(guest.outstanding - item[2], 0)
            if was_paused and not guest.is_paused and guest.session is not None:
                guest.session.resume()

    def _shut(self, worker: str, item: list[Any]) -> None:
        guest = self._guests.pop((worker, item[1]), None)
        if guest is not None and guest.session is not None:
            guest.session.close("the peer is gone")

    # --- from this worker -----------------------------------------------------------------------------------------

    def lose(self, guest: _Guest, code: int, reason: str) -> None:
        """Tell the gate that a session is over here."""
        if self._guests.pop((guest.worker, guest.way), None) is not None:
            self.trunk.send(guest.worker, (LOST, guest.way, guest.taken, code, reason))

    def came(self, partition: int) -> None:
        """A host has taken up a partition: those who waited for it are let in."""
        host = self._hosts[partition]
        for guest in [each for each in self._guests.values() if each.partition == partition and each.session is None]:
            self._begin(guest, host)

    def suspend(self, partition: int) -> None:
        """A partition is about to leave: take nothing more for it; what it says still goes out."""
        for guest in self._guests.values():
            if guest.partition == partition:
                guest.waiting = []
                guest.session, session = None, guest.session
                if session is not None:
                    self._leaving.setdefault(partition, []).append(session)

    def leave(self, partition: int, reason: str) -> None:
        """A partition has left this worker."""
        for guest in [each for each in self._guests.values() if each.partition == partition]:
            self.lose(guest, 0, reason)
        for session in self._leaving.pop(partition, ()):
            session.close(reason)

    def forget(self, worker: str) -> None:
        """What was shared with a worker is gone."""
        for key in [key for key in self._guests if key[0] == worker]:
            guest = self._guests.pop(key)
            if guest.session is not None:
                guest.session.close("its worker is gone")
