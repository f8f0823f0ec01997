"""What an embedder promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from keepsake.store.contract import Vectors

__all__ = ["Embedder"]


class Embedder(Protocol):
    """Turns texts into vectors.

    :ivar model: names the model and its version; stored beside each vector, and vectors of two models are never mixed.
    :ivar dimension: of a vector.
    """

    model: str
    dimension: int

    def embed(self, texts: Sequence[str], kind: Literal["question", "passage"] = "passage") -> Vectors:
        """Rows of unit length, in the order of the texts.  Blocks; safe to call from several threads."""
        ...
