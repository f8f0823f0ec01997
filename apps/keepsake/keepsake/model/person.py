"""The live model of one person: five small parts, each the shipped one until the person's own does better.

Made by `keepsake.model.learn` of that person's data alone; read here.  A model that was loaded does not change; whoever holds one
compares `PersonModel.live` with its version and loads anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from keepsake.model.area import Areas
from keepsake.model.feedback import Named, given
from keepsake.model.lexicon import Lexicon
from keepsake.model.state import KIND, ModelState, document_name, state
from keepsake.model.voice import Voice
from keepsake.recall.rank import Ranker
from keepsake.recall.refusal import Refusal
from keepsake.record import Share
from keepsake.store.contract import Store, Vectors
from keepsake.vector.contract import Embedder
from keepsake.words import Known

__all__ = ["PersonModel"]


class PersonModel:
    """What was learnt of one person.

    :ivar state: version, lineage and figures, as the page shows them.
    :ivar ranker: orders what recall finds.
    :ivar refusal: tells whether an answer is among it.
    """

    def __init__(self, live: ModelState, parts: dict[str, bytes], lexicon: Lexicon, embedder: Embedder | None) -> None:
        self.state = live
        self.lexicon = lexicon
        self.ranker = Ranker.loads(parts["ranker"]) if "ranker" in parts else Ranker.prior()
        self.refusal = Refusal.loads(parts["refusal"]) if "refusal" in parts else Refusal.prior()
        areas = Areas.unpack(parts["areas"]) if "areas" in parts else None
        if areas is None or (embedder is not None and areas.model != embedder.model):
            areas = Areas.prior(embedder)
        self.head = areas
        self._voice = parts.get("voice")

    @classmethod
    def load(cls, store: Store, embedder: Embedder | None = None) -> PersonModel:
        """The version that is live.

        :param embedder: whose vectors will be asked about; without one, areas are known only after the first learning.
        :raises KeepsakeError: ``KS-MODEL-003`` where a part is damaged.
        """
        live = state(store)
        parts = {}
        for name, part in live.parts.items():
            data = store.document(KIND, document_name(name, part.version)) if part.version else None
            if data is not None:
                parts[name] = data
        lexicon = Lexicon.unpack(parts["lexicon"]) if "lexicon" in parts else Lexicon()
        lexicon.correct([one.feedback for one in given(store, Named) if isinstance(one.feedback, Named)])
        return cls(live, parts, lexicon, embedder)

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
        return Voice.unpack(self._voice) if self._voice is not None else Voice()

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
