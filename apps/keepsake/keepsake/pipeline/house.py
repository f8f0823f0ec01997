"""What a process of Keepsake has: keys, stores, models.  Made once, by `keepsake.pipeline.setup`, and handed to whoever needs it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from keepsake.key import Ring, Tokens

if TYPE_CHECKING:
    from keepsake.answer.contract import Generator
    from keepsake.pipeline.shelf import Shelf
    from keepsake.sound.contract import Recogniser
    from keepsake.store.contract import Blobs, Stores
    from keepsake.vector.contract import Embedder
    from keepsake.words import Reader

__all__ = ["House", "Quota"]

#: a worker makes a token for each job; one that runs longer is let in anew
WORKER_TOKEN_S: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Quota:
    """What one person may use; more is refused.

    :ivar messages: stored messages.
    :ivar bytes: of stored contents, about.
    :ivar audio_s: seconds of sound a day.
    """

    messages: int = 5_000_000
    bytes: int = 20 * 2**30
    audio_s: float = 24 * 3600.0


@dataclass(slots=True)
class House:
    """The services of one process.

    :ivar embedder: None where only words are used, on a small edge.
    :ivar recogniser: makes the recogniser when it is first needed; workers that hear need one, the plane does not.
    :ivar edge: the name of this edge, which forwards what it captures to its hub; empty where it is none.
    :ivar shelf: persons' memories that are resident here.
    """

    data: Path
    ring: Ring
    stores: Stores
    blobs: Blobs
    reader: Reader
    embedder: Embedder | None
    recogniser: Callable[[], Recogniser]
    shelf: Shelf
    generator: Generator | None = None
    quota: Quota = field(default_factory=Quota)
    edge: str = ""

    def address(self) -> str:
        """Where the plane is, for workers: what it noted when it was started, ``warp://127.0.0.1:9001`` at first."""
        note = self.data / "address"
        return os.environ.get("KEEPSAKE_AT") or (
            note.read_text("utf-8").strip() if note.exists() else "warp://127.0.0.1:9001"
        )

    def worker_token(self) -> str:
        """What a worker shows to the plane."""
        return Tokens(self.ring).make("", "worker", until=time.time() + WORKER_TOKEN_S)
