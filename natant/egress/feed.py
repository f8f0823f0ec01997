"""What the buckets of one host do not show yet, and showing it.

A turn that writes an entry of a lane with a bucket journals a *mark* with it.  Once that is durable the entry's committed value is put
into the bucket, together with others, the newest value only; the mark is taken away when the bucket has it.  So after a crash, or while
the bucket cannot be reached, the marks say what is still to be shown; nothing is forgotten, and nothing waits for the bucket.

=============  =====================================================================================
an entry is    where
=============  =====================================================================================
touched        in :attr:`Feed._touched`, until its unit is durable
due            in a line's ``due``, until the bucket has it
shown          nowhere: the mark is taken away by the next commit
=============  =====================================================================================

A bucket is *fed* from a store while a record says so; where there is none (the lane had no bucket before, or the plane ran without NATS)
the whole lane is compared with the bucket first.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, Protocol

from natant.egress.show import Show, split
from natant.errors import FabricError, NatantError
from natant.fabric.nats.bucket import node_of_key
from natant.kernel import key as keys
from natant.kernel.outbox import Note

if TYPE_CHECKING:
    from natant.kernel.kernel import Kernel

__all__ = ["Bucket", "Feed"]

#: entries that are put in one batch; the server takes 1000
BATCH_ENTRIES: Final = 500
#: and their size together
BATCH_BYTES: Final = 512 * 1024
#: records looked at in one go where a whole lane is compared
COMPARE_CHUNK: Final = 500
#: how often a bucket is told that it is up to date
STATE_S: Final = 10.0
#: between two attempts to reach a bucket, from the first to the longest
RETRY_S: Final = (0.1, 5.0)

_LOG = logging.getLogger("natant.egress")


class Bucket(Protocol):
    """Where entries are shown; one for each host and bucket, which refuses what comes from an earlier owner."""

    async def open(self, source: str) -> bool:
        """Take the bucket over for a store's name; True where it had to be made.

        :raises FabricError: where it cannot be had now.
        """

    async def put(self, entries: list[tuple[str, bytes | None]], sequence: int, state: bytes | None) -> None:
        """Put entries (None deletes one), all or none, and with them where the store stands.

        :raises FabricError: ``NT-FABRIC-401`` where another owner has taken over; others may pass.
        """

    async def keys(self) -> list[str]:
        """All keys of lanes in the bucket."""


class _Line:
    """One bucket of one host."""

    def __init__(self, bucket: Bucket, show: Show) -> None:
        self.bucket = bucket
        self.show = show
        #: entries to be put, oldest first; the value counts how often each was touched
        self.due: dict[bytes, int] = {}
        self.task: Any = None
        self.is_open = False
        self.is_deposed = False
        self.shown_s = 0.0


class Feed:
    """The buckets of one host.

    :param buckets: by their names as lanes declare them, each with the way its lane is shown.
    :ivar counts: what it did, by name.
    """

    def __init__(self, kernel: Kernel, buckets: dict[str, tuple[Bucket, Show]], counts: dict[str, int]) -> None:
        self._kernel = kernel
        self._lines = {name: _Line(bucket, show) for name, (bucket, show) in buckets.items()}
        self._touched: list[bytes] = []
        #: how often each entry that is not shown was touched
        self._versions: dict[bytes, int] = {}
        self._sequence = 0
        self._is_closed = False
        self._timer: Any = None
        self.counts = counts

    @property
    def behind(self) -> int:
        """Entries that a bucket does not show as they are."""
        return len(self._versions)

    def start(self) -> None:
        """Take up what an earlier life left to be shown; called when the host has started."""
        kernel = self._kernel
        self._sequence = kernel.journal.sequence
        fed = {stored[1:].decode() for stored, _ in kernel.store.scan(keys.FED)}
        for stored, _ in list(kernel.store.scan(keys.DIRTY)):
            self._want(keys.LANE + stored[1:])
        for name, line in self._lines.items():
            if name not in fed:
                line.task = kernel.env.spawn(self._compare(name, line))
            elif line.due:
                self._go(line)
        self._beat()

    def touch(self, entry: bytes) -> None:
        """A turn has written the entry; its unit is about to be added to the open group."""
        if not self._touched:
            self._kernel.env.call_soon(self._gather)
        self._touched.append(entry)
        self._versions[entry] = self._versions.get(entry, 0) + 1

    def close(self) -> None:
        """Show no more; what is marked is shown by the next life."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        for line in self._lines.values():
            if line.task is not None:
                line.task.cancel()

    # --- what is due ----------------------------------------------------------------------------------------------

    def _gather(self) -> None:
        touched, self._touched = self._touched, []
        self._kernel.journal.after(lambda sequence: self._durable(touched, sequence))

    def _durable(self, touched: list[bytes], sequence: int) -> None:
        self._sequence = max(self._sequence, sequence)
        for entry in touched:
            line = self._want(entry)
            if line is not None:
                self._go(line)

    def _want(self, entry: bytes) -> _Line | None:
        """Have an entry shown."""
        line = self._line_of(entry)
        if line is None:  # the lane has no bucket any more
            self._versions.pop(entry, None)
            self._kernel.journal.add(Note([(1, keys.dirty_key(entry), b"")]))
            return None
        self._versions.setdefault(entry, 0)
        line.due[entry] = self._versions[entry]
        return line

    def _line_of(self, entry: bytes) -> _Line | None:
        node, name, _ = split(entry)
        kind = self._kernel.router.find(node)
        lane: Any = None if kind is None else kind._schema.lanes.get(name)
        bucket = getattr(lane, "bucket", None)
        return None if bucket is None else self._lines.get(bucket)

    def _go(self, line: _Line) -> None:
        if not self._is_closed and not line.is_deposed and (line.task is None or line.task.done()):
            line.task = self._kernel.env.spawn(self._run(line))

    def _beat(self) -> None:
        """Tell quiet buckets that they are up to date."""
        now_s = self._kernel.env.now()
        for line in self._lines.values():
            if now_s - line.shown_s >= STATE_S / 2:
                self._go(line)
        self._timer = self._kernel.env.call_at(now_s + STATE_S, self._beat)

    # --- showing it -----------------------------------------------------------------------------------------------

    async def _run(self, line: _Line) -> None:
        """Show all that is due, and try again as long as that fails."""
        delay_s, longest_s = RETRY_S
        while not self._is_closed:
            try:
                if not line.is_open:
                    is_new = await line.bucket.open(self._kernel.outbox.identity)
                    line.is_open = True
                    if is_new:  # somebody deleted it, or it is the first time
                        await self._fill(line)
                await self._show(line)
                delay_s = RETRY_S[0]
                if not line.due:
                    return
            except FabricError as error:
                if error.code == "NT-FABRIC-401":
                    line.is_deposed = True
                    _LOG.warning("%s", error)
                    return
                line.is_open = False
                self.counts["bucket_failures"] += 1
                if delay_s == RETRY_S[0]:
                    _LOG.warning("%s; trying again", error)
                await self._sleep(delay_s)
                delay_s = min(2 * delay_s, longest_s)

    async def _show(self, line: _Line) -> None:
        """Put one batch."""
        kernel = self._kernel
        shown: list[tuple[bytes, int]] = []
        entries: dict[str, bytes | None] = {}
        size = 0
        for entry, version in list(line.due.items()):
            if size >= BATCH_BYTES or len(entries) >= BATCH_ENTRIES:
                break
            shown.append((entry, version))
            if entry.endswith(keys.ALL):
                await self._clear(line, split(entry)[0], entries)
                continue
            found = line.show.entry(kernel, entry)
            if found is not None:
                entries[found[0]] = found[1]
                size += len(found[1] or b"")
        is_all = len(shown) == len(line.due)
        await line.bucket.put(list(entries.items()), self._sequence, self._state() if is_all else None)
        line.shown_s = kernel.env.now()
        self.counts["bucket_entries"] += len(entries)
        gone = []
        for entry, version in shown:
            if line.due.get(entry) == version:
                del line.due[entry]
            if self._versions.get(entry) == version:
                del self._versions[entry]
                gone.append((1, keys.dirty_key(entry), b""))
        if gone and not self._is_closed:
            kernel.journal.add(Note(gone))

    def _state(self) -> bytes:
        return b'{"sequence":%d,"at":%d}' % (self._sequence, int(self._kernel.env.now() * 1000))

    async def _clear(self, line: _Line, node: str, entries: dict[str, bytes | None]) -> None:
        """All entries of a map may have gone: delete those of the bucket that the store has no more."""
        shown = await line.bucket.keys()
        kept = self._kept(line, node)
        for key in shown:
            if key not in kept and _node(key, line) == node:
                entries[key] = None

    # --- comparing all of it --------------------------------------------------------------------------------------

    async def _fill(self, line: _Line) -> None:
        """Have a whole lane shown."""
        kernel = self._kernel
        lane = line.show.lane
        nodes = [stored[1:].decode() for stored, _ in kernel.store.scan(keys.NODE)]
        for at, node in enumerate(nodes):
            kind: Any = kernel.router.find(node)
            if kind is not None and getattr(kind._schema.lanes.get(lane.name), "bucket", None) == lane.bucket:
                for entry in line.show.entries(kernel, node):
                    self._want(entry)
            if at % COMPARE_CHUNK == 0:
                await asyncio.sleep(0)

    async def _compare(self, name: str, line: _Line) -> None:
        """Show a whole lane, delete what the store does not have, and note that the bucket is fed from now on."""
        await self._fill(line)
        await self._run(line)
        delay_s, longest_s = RETRY_S
        while not (line.is_deposed or self._is_closed):
            try:
                await self._delete_stale(line)
                break
            except FabricError as error:
                _LOG.warning("%s; trying again", error)
                await self._sleep(delay_s)
                delay_s = min(2 * delay_s, longest_s)
        else:
            return
        self._kernel.journal.add(Note([(0, keys.fed_key(name), line.show.lane.name.encode())]))
        line.task = None
        if line.due:
            self._go(line)

    async def _delete_stale(self, line: _Line) -> None:
        """Delete what the bucket shows of our agents and the store does not have.

        What is written meanwhile is put behind this: a bucket has one task at a time.
        """
        shown = await line.bucket.keys()
        for start in range(0, len(shown), BATCH_ENTRIES):
            kept: dict[str, set[str]] = {}
            gone = [key for key in shown[start : start + BATCH_ENTRIES] if self._is_gone(key, line, kept)]
            if gone:
                await line.bucket.put([(key, None) for key in gone], self._sequence, None)

    def _is_gone(self, key: str, line: _Line, kept: dict[str, set[str]]) -> bool:
        node = _node(key, line)
        away = self._kernel.outbox.is_away
        if node is None or (away is not None and away(node)):
            return False
        if node not in kept:
            kept[node] = self._kept(line, node)
        return key not in kept[node]

    def _kept(self, line: _Line, node: str) -> set[str]:
        """The keys in the bucket that the records of one agent make."""
        kernel = self._kernel
        found = (line.show.entry(kernel, entry) for entry in line.show.entries(kernel, node))
        return {entry[0] for entry in found if entry is not None}

    async def _sleep(self, seconds: float) -> None:
        future = self._kernel.env.future()
        self._kernel.env.call_at(
            self._kernel.env.now() + seconds, lambda: None if future.done() else future.set_result(None)
        )
        await future


def _node(key: str, line: _Line) -> str | None:
    try:
        return node_of_key(key, is_map=line.show.is_map)
    except NatantError:
        return None
