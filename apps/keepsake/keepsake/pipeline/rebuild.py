"""Make everything that is derived anew from the messages, which are the truth.

Killed at any moment it goes on where it was when it is called again; messages that come meanwhile are read as ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from keepsake.pipeline.house import House
from keepsake.pipeline.read import Read, put, read
from keepsake.pipeline.shelf import GENERATION, Desk
from keepsake.record import Message
from keepsake.words.fold import Folder

__all__ = ["rebuild"]

#: messages that are read together; a kill costs at most so many
PAGE: Final = 256
#: pages that are read at the same time: one is embedded while the words of the next are looked at
READERS: Final = 2
#: marks of the store: the newest message when a rebuild began (0: none is under way), and how far it is
TARGET: Final = "rebuild"
DONE: Final = "rebuilt"


def rebuild(house: House, desk: Desk, progress: Callable[[float, str], None]) -> int:
    """Read all messages of a person again; gives how many.

    :param progress: told how much is done, 0 to 1, and what.
    """
    store = desk.store
    target = store.built(TARGET)
    if not target:
        target = store.head()
        generation = store.built(GENERATION) + 1
        with store.write() as writer:
            writer.clear_derived()
            writer.set_built(TARGET, target)
            writer.set_built(DONE, 0)
            writer.set_built(GENERATION, generation)
    name = "" if house.embedder is None else house.embedder.model
    folder = Folder(store)
    for messages, readings in _readings(house, desk, target):
        with store.write() as writer:
            for message, what in zip(messages, readings, strict=True):
                put(store, writer, message.seq, what, folder, name)
            writer.set_built(DONE, messages[-1].seq)
        progress(messages[-1].seq / target, f"message {messages[-1].seq} of {target}")
    with store.write() as writer:
        writer.set_built(TARGET, 0)
        writer.set_built(GENERATION, store.built(GENERATION) + 1)
    return target


def _readings(house: House, desk: Desk, target: int) -> Iterator[tuple[list[Message], list[Read]]]:
    """Messages up to the target with what they say, in order; the next pages are read while one is stored."""
    ahead: deque[tuple[list[Message], Future[list[Read]]]] = deque()
    done = desk.store.built(DONE)
    with ThreadPoolExecutor(READERS, "rebuild") as pool:
        while True:
            while len(ahead) <= READERS and done < target:
                messages = [one for one in desk.store.messages(after=done, limit=PAGE) if one.seq <= target]
                done = messages[-1].seq if messages else target
                if messages:
                    ahead.append((messages, pool.submit(read, messages, house.reader, house.embedder, desk.model)))
            if not ahead:
                return
            messages, reading = ahead.popleft()
            yield messages, reading.result()
