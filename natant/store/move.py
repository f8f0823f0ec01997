"""A window on its way into the database.

The database is written without a log of its own: until a flush has made tables of what it got, a crash takes it away again and
our log gives it back.  The last thing that a move writes is the mark, which says up to which commit the database has everything;
it becomes durable with the flush, never before what it speaks of.

Called by :mod:`natant.store.rocks`.
"""

from __future__ import annotations

from itertools import islice
from threading import Thread

from rocksdict import Rdict

from natant.store.record import seal, unseal
from natant.store.window import Value, Window

__all__ = ["MARK", "Move", "mark", "marked"]

#: key of the mark; the keys of the store's user start with another byte
MARK = b"\0applied"


def mark(commit: int) -> tuple[bytes, bytes]:
    """Key and sealed value of the mark that says all up to ``commit`` is there."""
    return MARK, seal(MARK, commit.to_bytes(8, "big"))


def marked(database: Rdict, place: str) -> int:
    """The commit that the mark of ``database`` names; 0 where there is none yet.

    :raises StoreError: ``NT-STORE-004`` where the mark is damaged.
    """
    sealed = database.get(MARK)
    return int.from_bytes(unseal(MARK, sealed, place), "big") if sealed is not None else 0


class Move:
    """What is left to do for one window.

    :ivar window: its records, as long as the database may not have them.
    :ivar commit: the last commit whose records are in it.
    :ivar is_written: the database has all of it, in memory at least.
    """

    def __init__(self, window: Window, commit: int) -> None:
        self.window = window
        self.commit = commit
        self.is_written = False
        self._pairs = iter(window.values.items())
        self._chunk: list[tuple[bytes, Value]] = []
        self._flush: Thread | None = None
        self._error: Exception | None = None

    def chunk(self, count: int) -> list[tuple[bytes, Value]]:
        """The records to write next, the same ones again until they are :meth:`written`; empty where there are no more."""
        if not self._chunk:
            self._chunk = list(islice(self._pairs, count))
        return self._chunk

    def written(self) -> None:
        """The database has the last chunk."""
        self._chunk = []

    def flush(self, database: Rdict) -> None:
        """Begin to make tables of it; nobody waits for that."""
        self.is_written = True
        self._flush = Thread(target=self._run, args=(database,), name="natant-flush", daemon=True)
        self._flush.start()

    def _run(self, database: Rdict) -> None:
        try:
            database.flush(True)  # without Python's lock
        except Exception as error:
            self._error = error

    @property
    def is_flushed(self) -> bool:
        """The flush has ended, well or not; :meth:`wait` tells."""
        return self._flush is not None and not self._flush.is_alive()

    def wait(self) -> None:
        """Wait for the end of the flush.

        :raises Exception: what RocksDB said.
        """
        if self._flush is not None:
            self._flush.join()
        if self._error is not None:
            raise self._error
