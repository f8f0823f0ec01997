"""What a person says of what Keepsake did, on its way into the store, where the model learns from it.  All block."""

from __future__ import annotations

import time

import numpy as np

from keepsake.agent.value import Correction, Rating
from keepsake.errors import KeepsakeError
from keepsake.model import Named, Placed, Rated, feedback
from keepsake.pipeline.house import House
from keepsake.pipeline.shelf import CORRECTIONS
from keepsake.record import Question

__all__ = ["note_correction", "note_rating"]

#: hits that are kept with a rating
HITS = 30


def note_rating(house: House, person: str, question: Question, rating: Rating) -> None:
    """Keep which memories answer a question, with what was known of each when it was ranked."""
    with house.shelf.desk(person) as desk:
        found = desk.index().look(question, limit=HITS)
        hits = tuple(hit.memory.id for hit in found.hits)
        features = np.array([hit.features for hit in found.hits], np.float32) if hits else np.zeros((0, 0), np.float32)
        if not hits:
            return
        right = tuple(memory for memory in rating.right if memory in hits)
        told = Rated(time.time(), question.text, hits, features, found.signs, right, is_known=bool(right))
        if right or rating.is_unknowable:
            with desk.store.write() as writer:
                feedback(writer, told)
                desk.log.append(writer, "corrected", f"question/{time.time():.3f}", by=person)


def note_correction(house: House, person: str, what: Correction) -> None:
    """Keep where a memory belongs, or how a name is spelt.

    :raises KeepsakeError: ``KS-AGENT-018`` for no such memory, ``KS-AGENT-019`` for another kind.
    """
    with house.shelf.desk(person) as desk:
        memory = desk.store.memory(what.memory) if what.memory else None
        if what.memory and memory is None:
            raise KeepsakeError("KS-AGENT-018", f"{person} has no memory {what.memory[:200]!r}")
        if what.kind == "area" and memory is not None:
            told: Placed | Named = Placed(time.time(), memory.id, memory.text, what.should)
        elif what.kind == "name" and what.was:
            told = Named(time.time(), what.was, what.should, what.label, what.memory)
        else:
            raise KeepsakeError(
                "KS-AGENT-019",
                f"{what.kind[:40]!r} cannot be corrected so; area takes a memory, name takes how it was spelt",
            )
        with desk.store.write() as writer:
            feedback(writer, told)
            writer.set_built(CORRECTIONS, desk.store.built(CORRECTIONS) + 1)
            desk.log.append(writer, "corrected", f"memory/{what.memory}" if what.memory else "names", by=person)
