"""From a question to an answer that quotes, noted in the log of whoever's memories were read."""

from __future__ import annotations

from dataclasses import replace

from keepsake.answer import answer
from keepsake.pipeline.house import House
from keepsake.record import Answer, Question

__all__ = ["ask"]

#: memories that are looked at for one answer
LOOKED_AT = 50


def ask(house: House, person: str, question: Question, *, by: str, grant: str = "", style: str = "quote") -> Answer:
    """Answer from a person's memories.  Blocks.

    :param by: URI of whoever asks, for the log.
    :param grant: the id of the grant that allows it; empty for the person.
    :param style: see `keepsake.agent.value.Ask`.
    :raises KeepsakeError: ``KS-KEY-001`` where there is no such person.
    """
    with house.shelf.desk(person) as desk:
        found = desk.index().look(question, limit=LOOKED_AT)
        given = answer(question, found, desk.store, desk.model, style=style)
        read = " ".join(citation.memory for citation in given.citations)
        action = "shared" if grant else "read"
        with desk.store.write() as writer:
            proof = desk.log.append(writer, action, read or "nothing", given.text.encode(), by=by, grant=grant)
    given = replace(given, citations=tuple(replace(citation, proof=proof) for citation in given.citations))
    if style == "prose" and house.generator is not None and given.is_known:
        given = house.generator.rewrite(question, given)
    return given
