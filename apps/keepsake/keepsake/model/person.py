"""The live model of one person: five small parts, each the shipped one until the person's own does better.

Made by `keepsake.model.learn` of that person's data alone; read here.  A model that was loaded does not change; whoever holds one
compares `PersonModel.live` with its version and loads anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TypeVar

from keepsake.errors import KeepsakeError
from keepsake.model.area import Areas
from keepsake.model.feedback import Named, given
from keepsake.model.lexicon import Lexicon
from keepsake.model.state import KIND, ModelState, PartState, document_name, state
from keepsake.model.voice import Voice
from keepsake.recall.rank import Ranker
from keepsake.recall.refusal import Refusal
from keepsake.record import Share
from keepsake.store.contract import Store, Vectors
from keepsake.vector.contract import Embedder
from keepsake.words import Known

__all__ = ["PersonModel"]

Part = TypeVar("Part")


class PersonModel:
    """What was learnt of one person.

    :ivar state: version, lineage and figures, as the page shows them.
    :ivar ranker: orders what recall finds.
    :ivar refusal: tells whether an answer is among it.
    """

    def __init__(self, live: ModelState, parts: Mapping[str, bytes], embedder: Embedder | None = None) -> None:
        self.state = live
        self._parts = parts
        self.lexicon = self._made("lexicon", Lexicon.unpack, Lexicon)
        self.ranker = self._made("ranker", Ranker.loads, Ranker.prior)
        self.refusal = self._made("refusal", Refusal.loads, Refusal.prior)
        self.head = self._made("areas", Areas.unpack, lambda: Areas.prior(embedder))
        if embedder is not None and self.head.model != embedder.model:
            self._lost("areas", f"it was learnt on vectors of {self.head.model}, which are of {embedder.model} now")
            self.head = Areas.prior(embedder)

    def _made(self, name: str, unpack: Callable[[bytes], Part], shipped: Callable[[], Part]) -> Part:
        """A part as it was learnt; the shipped one where there is none, or where it cannot be read.

        A model is derived: a part that is damaged, or that an earlier Keepsake learnt for other features, is told in the state and
        learnt anew the next time.  It keeps nobody from their memories.
        """
        data = self._parts.get(name)
        try:
            return shipped() if data is None else unpack(data)
        except KeepsakeError as error:
            self._lost(name, str(error))
            return shipped()

    def _lost(self, name: str, why: str) -> None:
        lost = PartState(reason=f"what is shipped: {why}")
        self.state = replace(self.state, parts={**self.state.parts, name: lost})

    @classmethod
    def load(cls, store: Store, embedder: Embedder | None = None) -> PersonModel:
        """The version that is live.

        :param embedder: whose vectors will be asked about; without one, areas are known only after the first learning.
        """
        live = state(store)
        parts = {}
        for name, part in live.parts.items():
            data = store.document(KIND, document_name(name, part.version)) if part.version else None
            if data is not None:
                parts[name] = data
        model = cls(live, parts, embedder)
        model.lexicon.correct([one.feedback for one in given(store, Named) if isinstance(one.feedback, Named)])
        return model

    @staticmethod
    def live(store: Store) -> int:
        """The number of the version that is live, without loading it."""
        return state(store).version

    @property
    def version(self) -> int:
        """Counts up with each learning; 0: nothing was learnt yet."""
        return self.state.version

    @property
    def built_to(self) -> int:
        """The sequence of the last message that was learnt from."""
        return self.state.built_to

    @cached_property
    def voice(self) -> Voice:
        """How the person puts things; unpacked when first asked for."""
        return self._made("voice", Voice.unpack, Voice)

    @cached_property
    def _known(self) -> Known:
        return Known(self.lexicon.spellings())

    def known(self) -> Known:
        """Names that reading should recognise, with what they stand for."""
        return self._known

    def names(self, limit: int = 40) -> list[str]:
        """Names that are likely to be said next, for the recogniser: a short list helps more than a long one."""
        return self.lexicon.likely(limit)

    def areas(self, vectors: Vectors, texts: Sequence[str] = ()) -> list[tuple[Share, ...]]:
        """For each memory the areas of life and own categories that it belongs to, most first.

        :param vectors: shape (memories, dimension), of the embedder that the model was loaded with.
        :param texts: of the memories; words of the person's own count then too.
        """
        return self.head.shares(vectors, texts)
