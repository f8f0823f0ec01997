"""Make everything that is derived anew from the messages, which are the truth.

Killed at any moment it goes on where it was when it is called again; messages that come meanwhile are read as ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from keepsake.pipeline.house import House
from keepsake.pipeline.read import put, read
from keepsake.pipeline.shelf import GENERATION, Desk
from keepsake.words.fold import Folder

__all__ = ["rebuild"]

#: messages that are read together; a kill costs at most so many
PAGE: Final = 256
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
    done = store.built(DONE)
    folder = Folder(store)
    while done < target:
        messages = [message for message in store.messages(after=done, limit=PAGE) if message.seq <= target]
        if not messages:
            break
        readings = read(messages, house.reader, house.embedder, desk.model)
        with store.write() as writer:
            for message, what in zip(messages, readings, strict=True):
                put(store, writer, message.seq, what, folder, name)
            done = messages[-1].seq
            writer.set_built(DONE, done)
        progress(done / target, f"message {done} of {target}")
    with store.write() as writer:
        writer.set_built(TARGET, 0)
        writer.set_built(GENERATION, store.built(GENERATION) + 1)
    return target
