"""Large values outside the journal: uploaded before the turn that names them ends, named by their content, removed when nothing names them.

A turn journals the reference, and beside it a record that this lane of this agent holds it (``b`` in :mod:`natant.kernel.key`), so whether a
content is still named is one look into the store.  A content that was uploaded by a turn which failed, or whose last reference was replaced, is
removed later by the sweep; it is never removed while a turn may be about to name it.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Protocol

from natant.errors import LaneError, NatantError
from natant.kernel import key

if TYPE_CHECKING:
    from natant.kernel.kernel import Kernel

__all__ = ["BlobPort", "Blobs"]

#: a content stays so long after it was uploaded or its last reference went: turns that name it, and those who read it, are done by then
GRACE_S: Final = 600.0
#: between two looks at what may be removed
SWEEP_S: Final = 60.0
#: between two looks at all contents, for those that a crash left behind; the first soon after the start
SWEEP_ALL_S: Final = 6 * 3600.0
#: the largest content, which is in memory as a whole while it is written or read
BLOB_BYTES: Final = 64 * 1024 * 1024
#: contents that wait to be removed; past it they are left to the look at all of them
CANDIDATE_LIMIT: Final = 100_000


class BlobPort(Protocol):
    """Where contents are kept; names are of this store alone."""

    async def put(self, digest: str, content: bytes) -> str:
        """Keep a content; returns the name by which others find it, once it is durable."""

    async def get(self, digest: str) -> bytes | None:
        """A content, None where there is none."""

    async def drop(self, digest: str) -> None:
        """Remove a content."""

    async def list(self) -> dict[str, float]:
        """All contents, with the time of their upload in epoch seconds."""


class Blobs:
    """The large values of one kernel.

    :param port: where contents are put.
    :param older: where earlier lives may have put some.
    :ivar removed: contents removed since the start.
    """

    def __init__(self, kernel: Kernel, port: BlobPort, *older: BlobPort) -> None:
        self._kernel = kernel
        self._port = port
        self._older = older
        #: contents that must stay until then, though nothing may name them
        self._kept_until_s: dict[str, float] = {}
        self._candidates: dict[str, None] = {}
        self._dropping: dict[str, Any] = {}
        self._all_at_s = 0.0
        self._timer: Any = None
        self._job: Any = None
        self.removed = 0

    def start(self) -> None:
        """Begin to sweep."""
        self._all_at_s = self._kernel.env.now() + GRACE_S
        self._arm()

    def close(self) -> None:
        """Sweep no more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._job is not None:
            self._job.cancel()

    async def put(self, content: bytes, where: str) -> tuple[str, str]:
        """Upload a content; its digest and the name by which others find it, once it is durable.

        :param where: lane and agent, for errors.
        :raises LaneError: ``NT-LANE-021`` where it is too large.
        :raises NatantError: where it cannot be kept now.
        """
        if len(content) > BLOB_BYTES:
            raise LaneError(
                "NT-LANE-021",
                f"{where} got {len(content)} bytes; a large value has at most {BLOB_BYTES}, split it",
                http_status=413,
            )
        digest = sha256(content).hexdigest()
        self._keep(digest)
        while (leaving := self._dropping.get(digest)) is not None:
            await leaving
        name = await self._port.put(digest, content)
        self._keep(digest)
        return digest, name

    async def get(self, digest: str, where: str) -> bytes:
        """A content.

        :raises LaneError: ``NT-LANE-020`` where it is not there, or is not what it was.
        """
        content = None
        for port in (self._port, *self._older):
            content = await port.get(digest)
            if content is not None:
                break
        if content is None or sha256(content).hexdigest() != digest:
            wrong = "is gone" if content is None else "is damaged"
            raise LaneError(
                "NT-LANE-020",
                f"the content {digest[:16]} of {where} {wrong}; nothing of it is given out. Bring the object store back from a backup.",
                http_status=500,
            )
        return content

    def released(self, digest: str) -> None:
        """A turn has replaced a reference to this content, and has ended well."""
        self._keep(digest)
        if len(self._candidates) < CANDIDATE_LIMIT:
            self._candidates[digest] = None

    def _keep(self, digest: str) -> None:
        self._kept_until_s[digest] = self._kernel.env.now() + GRACE_S

    # --- removing what nothing names ------------------------------------------------------------------------------

    def _arm(self) -> None:
        env = self._kernel.env
        self._timer = env.call_at(env.now() + SWEEP_S, self._look)

    def _look(self) -> None:
        if self._job is None or self._job.done():
            self._job = self._kernel.env.spawn(self.sweep())
        self._arm()

    async def sweep(self) -> None:
        """Remove what has had its time and is named by nothing."""
        now_s = self._kernel.env.now()
        try:
            if now_s >= self._all_at_s:
                self._all_at_s = now_s + SWEEP_ALL_S
                for digest, at_s in (await self._port.list()).items():
                    if at_s + GRACE_S <= now_s:
                        self._candidates[digest] = None
            for digest, until_s in list(self._kept_until_s.items()):
                if until_s <= now_s:
                    del self._kept_until_s[digest]
            for digest in list(self._candidates):
                if digest not in self._kept_until_s:
                    del self._candidates[digest]
                    if not self._is_named(digest):
                        await self._drop(digest)
        except NatantError as error:
            self._kernel.broken("removing large values that nothing names", error)

    def _is_named(self, digest: str) -> bool:
        return next(iter(self._kernel.store.scan(key.blob_prefix(digest))), None) is not None

    async def _drop(self, digest: str) -> None:
        done = self._dropping[digest] = self._kernel.env.future()
        try:
            await self._port.drop(digest)
            self.removed += 1
        finally:
            del self._dropping[digest]
            done.set_result(None)
