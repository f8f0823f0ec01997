"""Keeping what agents send to the hub: from the outbox of their host into the edge's stream.

A command is durable in the outbox before it comes here and leaves the outbox when the stream has it.  It is stored once: the newest
bundle of an outbox says up to which number it has been kept, and bundles are appended one at a time behind it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from natant.edge.batch import FORMAT, Bundle, Command, decode_bundle, encode, of_send
from natant.errors import EdgeError
from natant.fabric.nats.wire import Displaced, Log

if TYPE_CHECKING:
    from natant.edge.name import EdgeNames
    from natant.edge.status import EdgeStatus
    from natant.host import Host
    from natant.kernel.outbox import Outbox
    from natant.kernel.turn import Send

__all__ = ["Keeper"]

#: one bundle: commands and bytes at most, but for a single command that is longer
BUNDLE_COMMANDS: Final = 1000
BUNDLE_BYTES: Final = 128 * 1024
#: the longest command: it has to fit into a message at the hub, with what goes around it
LONGEST: Final = 512 * 1024
#: between two tries while the stream is full or its server is away
RETRY_S: Final = 0.25

_log = logging.getLogger("natant.edge")


class _Box:
    """One outbox and what of it waits to be kept."""

    def __init__(self, outbox: Outbox, subject: str) -> None:
        self.outbox = outbox
        self.subject = subject
        self.waiting: deque[Send] = deque()
        #: sequence of the newest bundle; None while that is not known
        self.after: int | None = None
        #: number of its last command
        self.kept = 0


class Keeper:
    """Takes what the outboxes of this process hold for the hub.

    :param log: the edge's stream.
    :param status: what is counted.
    """

    def __init__(self, log: Log, names: EdgeNames, status: EdgeStatus) -> None:
        self._stream = log
        self._names = names
        self._status = status
        self._boxes: list[_Box] = []
        self._wake = asyncio.Event()
        self._job: asyncio.Task[None] | None = None
        #: set when a bundle has been kept
        self.kept = asyncio.Event()

    def attach(self, host: Host) -> None:
        """Carry what agents of this host send to ``hub:``."""
        outbox = host.kernel.outbox
        box = _Box(outbox, self._names.bundles(outbox.identity))
        self._boxes.append(box)
        host.closers.append(lambda: self._boxes.remove(box))

        def take(send: Send) -> None:
            box.waiting.append(send)
            self._wake.set()

        outbox.carriers["hub"] = take
        outbox.longest["hub"] = LONGEST

    def start(self) -> None:
        """Begin."""
        self._job = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Keep no more; what waits stays in its outbox."""
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
            await asyncio.gather(job, return_exceptions=True)

    @property
    def waiting(self) -> int:
        """Commands that are durable in an outbox and not yet in the stream."""
        return sum(len(box.waiting) for box in self._boxes)

    async def _run(self) -> None:
        told = ""
        while True:
            await self._wake.wait()
            self._wake.clear()
            for box in list(self._boxes):
                while box.waiting:
                    try:
                        await self._keep(box)
                        told = ""
                    except EdgeError as error:
                        self._status.count("keep_failures")
                        if told != error.code:
                            told = error.code
                            _log.warning("what is meant for the hub waits in the outbox: %s", error)
                        await asyncio.sleep(RETRY_S)

    async def _keep(self, box: _Box) -> None:
        if box.after is None:
            newest = await self._stream.last(box.subject)
            box.after = 0 if newest is None else newest.sequence
            box.kept = 0 if newest is None else decode_bundle(newest.data).last
        waiting = box.waiting
        had = []
        while waiting and waiting[0].number <= box.kept:  # kept in an earlier life, or its acknowledgement was lost
            had.append(waiting.popleft())
        box.outbox.drop_all(had)
        if not waiting:
            return
        sends, commands = _gather(waiting)
        last = sends[-1].number
        try:
            box.after = await self._stream.append(box.subject, encode(Bundle(FORMAT, last, commands)), after=box.after)
        except Displaced:
            box.after = None  # by ourselves: an answer was lost
            return
        except BaseException:
            box.after = None
            raise
        box.kept = last
        for _ in sends:
            waiting.popleft()
        box.outbox.drop_all(sends)
        self._status.count("kept", len(sends))
        self.kept.set()


def _gather(waiting: Any) -> tuple[list[Send], list[Command]]:
    """The next commands that fit into one bundle, and what they are there."""
    sends: list[Send] = []
    commands: list[Command] = []
    size = 0
    for send in waiting:
        node, lane, body = command = of_send(send)
        size += len(node) + len(lane) + len(body or b"")
        if sends and (size > BUNDLE_BYTES or len(sends) >= BUNDLE_COMMANDS):
            break
        sends.append(send)
        commands.append(command)
    return sends, commands
