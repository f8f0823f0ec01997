"""What a process of Keepsake has: keys, stores, models.  Made once, by `keepsake.pipeline.setup`, and handed to whoever needs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from keepsake.answer.contract import Generator
from keepsake.key import Ring
from keepsake.sound.contract import Recogniser
from keepsake.store.contract import Blobs, Stores
from keepsake.vector.contract import Embedder
from keepsake.words import Reader

if TYPE_CHECKING:
    from keepsake.pipeline.shelf import Shelf

__all__ = ["House", "Quota"]


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
