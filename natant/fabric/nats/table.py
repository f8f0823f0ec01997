"""The table of a cluster: a small key-value bucket of JetStream, read as the log it is.

A write names the revision it replaces and is refused where somebody else was faster.  Readers need no consumer: each revision is the
sequence of a message, so one asks for all messages after the last one read; writers *poke* the others once a write is durable,
and a slow poll finds what no poke told of, such as entries that expired.  Any ``nats kv`` client can look at the bucket.

Called by :mod:`natant.fabric.nats.fabric`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from natant.errors import FabricError
from natant.fabric.nats.api import IS_THERE, NO_STREAM, WRONG_LAST, Refusal, ask, patiently, refused

if TYPE_CHECKING:
    from nats.aio.msg import Msg

    from natant.fabric.nats.engine import Engine

__all__ = ["Entry", "Table"]

#: messages read with one request; a table has a row for each partition and each worker
PAGE_MESSAGES: Final = 2000
#: how long a page is waited for before it is asked for again
PAGE_ANSWER_S: Final = 2.0
#: how often, and after which pause, a reader that was poked asks again: a server may lag behind the one that took the write
LAGGING_READS: Final = 100
LAG_S: Final = 0.02
#: of a sequence number of 64 bits
REVISION_DIGITS: Final = 20
#: markers of removed rows stay so long; every reader has seen them by then
MARKER_S: Final = 3600
#: what the server remembers of message ids: longer than a write is tried again
DUPLICATE_WINDOW_S: Final = 30

_LOG = logging.getLogger("natant.fabric.nats")


class Entry(NamedTuple):
    """One row."""

    #: plain JSON; None where the row was removed
    value: Any
    revision: int
    #: nobody removed it, its time ran out
    is_expired: bool = False


class Table:
    """A bucket and what we have read of it.

    :ivar rows: by key.
    :ivar on_change: called with the key of a row that is other than before.
    :ivar on_loss: called where the bucket was deleted and made anew: all rows are gone, those we know stand as expired ones.
    """

    def __init__(self, engine: Engine) -> None:
        self.rows: dict[str, Entry] = {}
        self.on_change: Callable[[str], None] = lambda key: None
        self.on_loss: Callable[[], None] = lambda: None
        #: when the bucket was made, which tells it from one that takes its place
        self._identity = ""
        self._engine = engine
        self._bucket = engine.subjects.cluster_bucket
        self._stream = f"KV_{self._bucket}"
        self._prefix = f"$KV.{self._bucket}."
        self._read_to = 0
        self._wanted = 0
        self._reading: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._inbox = engine.nc.new_inbox()
        self._pages = 0
        self._page: list[tuple[str, Entry]] = []
        #: True once the page is whole, False where nobody serves the bucket
        self._page_end: asyncio.Future[bool] | None = None
        self._subscriptions: list[Any] = []

    async def open(self) -> None:
        """Make the bucket where it is not there, and read it.

        :raises FabricError: ``NT-FABRIC-106`` no answer, ``NT-FABRIC-107`` refused.
        """
        self._identity = await self._make()
        client = self._engine.nc
        self._subscriptions = [
            await client.subscribe(f"{self._inbox}.*", cb=self._on_page),
            await client.subscribe(self._engine.subjects.table_changed, cb=self._on_poke),
        ]
        await client.flush()
        await self.read()

    async def _make(self) -> str:
        """Make the bucket where it is not there; its identity."""
        config = {
            "name": self._stream,
            "subjects": [f"{self._prefix}>"],
            "storage": "file",
            "retention": "limits",
            "discard": "new",
            "max_msgs_per_subject": 1,
            "num_replicas": self._engine.replicas,
            "duplicate_window": DUPLICATE_WINDOW_S * 1_000_000_000,
            "subject_delete_marker_ttl": MARKER_S * 1_000_000_000,
            "allow_msg_ttl": True,
            "allow_rollup_hdrs": True,
            "allow_direct": True,
            "deny_delete": True,
        }
        try:
            found = await self._ask("CREATE", json.dumps(config).encode())
        except Refusal as refusal:
            if refusal.number != IS_THERE:
                raise refused(refusal, f"making the bucket {self._bucket}") from None
            # With another configuration, of another version of natant for example: it serves.
            found = await self._ask("INFO")
        return str(found["created"])

    async def _ask(self, verb: str, body: bytes = b"") -> dict[str, Any]:
        subject = f"$JS.API.STREAM.{verb}.{self._stream}"
        return await patiently(lambda: ask(self._engine.nc, subject, body), f"making the bucket {self._bucket}")

    async def close(self) -> None:
        """Read no more."""
        for task in (self._reading, self._looking):
            if task is not None:
                task.cancel()
        for subscription in self._subscriptions:
            if not self._engine.nc.is_closed:
                await subscription.unsubscribe()
        self._subscriptions = []

    def revision(self, key: str) -> int:
        """The revision of a row as far as it was read; 0 where there was none."""
        entry = self.rows.get(key)
        return entry.revision if entry else 0

    async def put(self, key: str, value: Any, *, expected: int | None = None, life_s: int | None = None) -> bool:
        """Write a row, and tell the others.

        :param expected: the revision it must have; None where it does not matter.
        :param life_s: it expires after so many seconds.
        :returns: False where it has another revision; the row was read again then.
        :raises FabricError: ``NT-FABRIC-105`` no room, ``NT-FABRIC-106`` no answer, ``NT-FABRIC-107`` refused.
        """
        headers = {"Nats-TTL": f"{life_s}s"} if life_s else {}
        return await self._write(key, Entry(value, 0), json.dumps(value).encode(), headers, expected)

    async def remove(self, key: str, *, expected: int | None = None) -> bool:
        """Remove a row; as :meth:`put`."""
        headers = {"KV-Operation": "DEL", "Nats-TTL": f"{MARKER_S}s"}
        return await self._write(key, Entry(None, 0), b"", headers, expected)

    async def _write(
        self, key: str, entry: Entry, content: bytes, headers: dict[str, str], expected: int | None
    ) -> bool:
        headers["Nats-Msg-Id"] = secrets.token_hex(8)
        if expected is not None:
            headers["Nats-Expected-Last-Subject-Sequence"] = str(expected)
        what = f"writing {key} in the bucket {self._bucket}"
        client = self._engine.nc
        try:
            answer = await patiently(lambda: ask(client, self._prefix + key, content, headers), what)
        except Refusal as refusal:
            if refusal.number != WRONG_LAST:
                raise refused(refusal, what) from None
            await self.read()
            return False
        revision = int(answer["seq"])
        self._take(key, entry._replace(revision=revision))
        await client.publish(self._engine.subjects.table_changed, f"{revision} {self._identity}".encode())
        return True

    def poll(self) -> None:
        """Read what is new, in the background."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.get_running_loop().create_task(self._read_quietly())

    async def read(self) -> None:
        """Read what is new now.

        :raises FabricError: ``NT-FABRIC-106`` where nobody answers.
        """
        await patiently(self._read_all, f"reading the bucket {self._bucket}")

    async def _read_quietly(self) -> None:
        try:
            for _ in range(LAGGING_READS):
                wanted = self._wanted
                await self._read_all()
                if self._read_to >= self._wanted:
                    return
                if wanted == self._wanted:
                    await asyncio.sleep(LAG_S)
        except (FabricError, Refusal, OSError) as error:
            # The next poll tries again; what hangs on it, hangs on the connection too.
            _LOG.debug("the bucket %s could not be read: %s", self._bucket, error)

    async def _look_for_it(self) -> None:
        """Nobody answered for the bucket: make it again where it was deleted."""
        try:
            found = str((await ask(self._engine.nc, f"$JS.API.STREAM.INFO.{self._stream}"))["created"])
        except Refusal as refusal:
            if refusal.number != NO_STREAM:
                raise
            _LOG.error(  # there is no more to tell
                "NT-FABRIC-203  the bucket %s of members and owners was deleted; it is made again, and workers enter what they have",
                self._bucket,
            )
            found = await self._make()
        self._know(found)

    def _know(self, identity: str) -> None:
        """Begin again where another bucket has taken the place of ours."""
        if identity == self._identity:
            return
        self._identity = identity
        self._read_to = self._wanted = 0
        self.rows = dict.fromkeys(self.rows, Entry(None, 0, is_expired=True))
        self.on_loss()
        self.poll()

    async def _read_all(self) -> None:
        while await self._read_page():
            pass

    async def _read_page(self) -> bool:
        """Read and apply one page; True where there may be more."""
        while self._page_end is not None:
            # One page at a time; whoever waited may need a later one.
            await asyncio.wait([self._page_end], timeout=PAGE_ANSWER_S)
        self._page_end = asyncio.get_running_loop().create_future()
        self._page = []
        self._pages += 1
        body = {"seq": self._read_to + 1, "next_by_subj": f"{self._prefix}>", "batch": PAGE_MESSAGES}
        try:
            await self._engine.nc.publish(
                f"$JS.API.DIRECT.GET.{self._stream}", json.dumps(body).encode(), reply=f"{self._inbox}.{self._pages}"
            )
            done, _ = await asyncio.wait([self._page_end], timeout=PAGE_ANSWER_S)
            if not done:
                raise OSError(f"no answer within {PAGE_ANSWER_S:g} s")
            if not self._page_end.result():
                await self._look_for_it()
                raise OSError("nobody answers for it")
            for key, entry in self._page:
                self._read_to = max(self._read_to, entry.revision)
                self._take(key, entry)
            return len(self._page) >= PAGE_MESSAGES
        finally:
            if not self._page_end.done():
                self._page_end.cancel()
            self._page_end = None

    async def _on_page(self, message: Msg) -> None:
        end = self._page_end
        if end is None or end.done() or not message.subject.endswith(f".{self._pages}"):
            return
        headers = message.headers or {}
        sequence = headers.get("Nats-Sequence")
        if sequence is not None:
            key = headers["Nats-Subject"].removeprefix(self._prefix)
            self._page.append((key, _entry(int(sequence), headers, message.data)))
        elif headers.get("Status") in ("204", "404"):
            end.set_result(True)
        elif headers.get("Status") == "503":
            end.set_result(False)
        else:
            end.set_exception(OSError(f"status {headers.get('Status')} {headers.get('Description', '')}"))

    async def _on_poke(self, message: Msg) -> None:
        revision, _, identity = message.data[:80].partition(b" ")
        if not revision.isdigit() or len(revision) > REVISION_DIGITS:
            return
        if identity != self._identity.encode():
            # A bucket that we do not know of yet, or an old one: the server knows.
            self._look_again()
        else:
            self._wanted = max(self._wanted, int(revision))
        if self._wanted > self._read_to:
            self.poll()

    def _look_again(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look_quietly())

    async def _look_quietly(self) -> None:
        try:
            await patiently(self._look_for_it, f"looking for the bucket {self._bucket}")
        except (FabricError, Refusal) as error:
            _LOG.debug("the bucket %s could not be looked for: %s", self._bucket, error)

    def _take(self, key: str, entry: Entry) -> None:
        old = self.rows.get(key)
        if old is not None and old.revision >= entry.revision:
            return
        self.rows[key] = entry
        if old is None or old.value != entry.value or old.is_expired != entry.is_expired:
            self.on_change(key)


def _entry(revision: int, headers: dict[str, str], content: bytes) -> Entry:
    """A row as the bucket has it; one that is no JSON, which none of us wrote, counts as removed."""
    is_expired = headers.get("Nats-Marker-Reason") == "MaxAge"
    if is_expired or "Nats-Marker-Reason" in headers or "KV-Operation" in headers:
        return Entry(None, revision, is_expired)
    try:
        return Entry(json.loads(content), revision)
    except ValueError:
        return Entry(None, revision)
