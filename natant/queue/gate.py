"""Which submissions may go into a queue now: those of one key one after the other, the rest as many at a time as the window allows.

The queue itself refuses a second job of a key, whoever submits it; the gate keeps the order, and asks again when the key is said to be free or a while
has passed.  Sans-io: the plane's side of a queue asks :meth:`Gate.take` what to send and tells what became of it.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

__all__ = ["Gate"]

T = TypeVar("T")


class Gate(Generic[T]):
    """The submissions of one queue that wait in this process.

    :param window: how many may be under way at a time.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self._under_way = 0
        self._free: deque[T] = deque()
        self._keyed: dict[str, deque[T]] = {}
        #: keys whose first submission may be tried
        self._ready: deque[str] = deque()
        #: keys of which the queue holds a job, the one that was tried longest ago first
        self._taken: dict[str, None] = {}
        self._waiting = 0

    def __len__(self) -> int:
        """How many wait or are under way."""
        return self._waiting + self._under_way

    def add(self, item: T, key: str) -> None:
        """One more submission; an empty key is none."""
        self._waiting += 1
        if not key:
            self._free.append(item)
            return
        line = self._keyed.get(key)
        if line is None:
            line = self._keyed[key] = deque()
            self._ready.append(key)
        line.append(item)

    def take(self) -> list[tuple[T, str]]:
        """What to submit now, each with its key."""
        taken: list[tuple[T, str]] = []
        while self._under_way < self._window:
            if self._ready:
                key = self._ready.popleft()
                taken.append((self._keyed[key][0], key))
            elif self._free:
                taken.append((self._free.popleft(), ""))
            else:
                break
            self._under_way += 1
            self._waiting -= 1
        return taken

    def accepted(self, key: str) -> None:
        """The queue has it."""
        self._under_way -= 1
        if key:
            line = self._keyed[key]
            line.popleft()
            if line:
                self._taken[key] = None
            else:
                del self._keyed[key]

    def refused(self, key: str) -> None:
        """The queue holds a job of this key already: it comes again when the key is free."""
        self._under_way -= 1
        self._waiting += 1
        self._taken[key] = None

    def returned(self, item: T, key: str) -> None:
        """It could not be submitted: it is the first to come again."""
        self._under_way -= 1
        self._waiting += 1
        if key:
            self._ready.appendleft(key)
        else:
            self._free.appendleft(item)

    def freed(self, key: str) -> bool:
        """The queue may take a job of this key again; True where one waits."""
        if key not in self._taken:
            return False
        del self._taken[key]
        self._ready.append(key)
        return True

    def look_again(self, count: int) -> None:
        """Try some keys again: what was said of them may have been lost."""
        for key in list(self._taken)[:count]:
            self.freed(key)
