"""Forgetting: what was learnt from a message goes with it.

All parts go back to what is shipped, and all is learnt anew from what is left.  Learning is a function of what is stored, so that
the model is then the same as if the message had never been there: a test compares them byte by byte.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import replace

from keepsake.model.feedback import withdraw
from keepsake.model.learn import Learned, Log, Progress, learn
from keepsake.model.state import ModelState, put_state, remove_history, state
from keepsake.store.contract import Store
from keepsake.vector.contract import Embedder

__all__ = ["forget", "reset"]


def reset(store: Store, memories: Collection[str] = ()) -> ModelState:
    """Take back all that was learnt, and the feedback about memories, in one transaction; gives the state that is live then.

    From here on nothing of them is in the model.
    """
    with store.write() as writer:
        withdraw(store, writer, memories)
        # The number goes on, so that whoever holds the old version takes this one.
        shipped = replace(ModelState(), version=state(store).version + 1)
        remove_history(store, writer)
        put_state(store, writer, shipped)
        writer.set_built("model", 0)
    return shipped


def forget(
    store: Store,
    embedder: Embedder | None,
    memories: Collection[str],
    progress: Progress = lambda share, what: None,
    *,
    log: Log | None = None,
    by: str = "service/forget",
    now: Callable[[], float] = time.time,
) -> Learned:
    """Learn anew without memories, after their messages were removed from the store.

    Killed half way, the model is the shipped one and the next learning begins from nothing; calling it again is right, too.
    """
    reset(store, memories)
    return learn(store, embedder, progress, log=log, by=by, now=now)
