"""From what was found to an answer: a fact, a time or a quotation; or that it is not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from keepsake.answer.contract import Generator, Memories, Voiced
from keepsake.answer.know import Known, known
from keepsake.answer.quote import chosen, cited, line
from keepsake.answer.when import Told, told
from keepsake.recall.contract import Found, Hit
from keepsake.record import Answer, Citation, Question

__all__ = ["LABEL", "LEAST_SURE", "MENTOR_LABEL", "UNKNOWN", "answer"]

#: below this sureness nothing is quoted
LEAST_SURE: Final = 0.15

#: how sure an answer is that a fact of the person's gives
FACT_SURE: Final = 0.9

#: citations of one answer
MOST_CITED: Final = 10

UNKNOWN: Final = "I do not know: nothing that was remembered answers this."
LABEL: Final = "put together by an AI from the person's own words"
MENTOR_LABEL: Final = "an AI quoting what {person} said; {person} does not speak here"


def answer(
    question: Question,
    found: Found,
    store: Memories,
    model: Voiced | None = None,
    generator: Generator | None = None,
    *,
    style: str = "quote",
) -> Answer:
    """Answer a question from what was found.

    :param store: the person's memories, or the part of them that the asker may see.
    :param model: the person's; its voice chooses between quotations that are nearly as good.
    :param generator: writes prose for ``style="prose"``.
    :param style: ``quote``; ``prose``; ``mentor``: another person asks, and the person's own words come first.
    """
    fact = known(question, store)
    if fact is None and (not found.hits or found.sureness < LEAST_SURE):
        return Answer(UNKNOWN, False, found.sureness, label=_label(store, style), built_to=found.built_to)
    if fact is not None and (given := _from_fact(fact, question, found, store, style)):
        return given
    if not found.hits:
        return Answer(UNKNOWN, False, found.sureness, label=_label(store, style), built_to=found.built_to)
    given = _from_hits(question, found, store, model, style)
    if style == "prose" and generator is not None:
        return generator.rewrite(question, given)
    return given


def _label(store: Memories, style: str) -> str:
    return MENTOR_LABEL.format(person=store.person) if style == "mentor" else LABEL


def _from_fact(fact: Known, question: Question, found: Found, store: Memories, style: str) -> Answer | None:
    memory = store.memory(fact.fact.memory)
    if memory is None:
        return None
    score = next((hit.score for hit in found.hits if hit.memory.id == memory.id), 0.0)
    citation = replace(cited(Hit(memory, score, found.signs)), score=score)
    return Answer(
        f"{fact.text}: {line(memory, question)}",
        True,
        max(FACT_SURE, found.sureness),
        (citation,),
        label=_label(store, style),
        built_to=found.built_to,
    )


def _from_hits(question: Question, found: Found, store: Memories, model: Voiced | None, style: str) -> Answer:
    limit = max(1, min(question.limit, MOST_CITED))
    time = told(question, found.hits)
    own = _own_first(found.hits) if style == "mentor" else found.hits
    hits = chosen(own, store, limit=limit, model=model)
    if time is not None:
        first = found.hits[time.place]
        hits = [first, *(hit for hit in hits if hit.memory.id != first.memory.id)][:limit]
    citations = tuple(_citation(hit, time if place == 0 else None) for place, hit in enumerate(hits))
    return Answer(
        _text(question, hits, time, store, style),
        True,
        found.sureness,
        citations,
        label=_label(store, style),
        built_to=found.built_to,
    )


def _own_first(hits: Sequence[Hit]) -> list[Hit]:
    """What the person said before what was said to them, where both answer: a mentor speaks from their own words."""
    own = [hit for hit in hits if not hit.memory.speaker]
    return own or list(hits)


def _citation(hit: Hit, time: Told | None) -> Citation:
    return cited(hit, time.when if time is not None and time.when is not None and time.when.words else None)


def _text(question: Question, hits: Sequence[Hit], time: Told | None, store: Memories, style: str) -> str:
    lines = [line(hit.memory, question) for hit in hits]
    if style == "mentor":
        lines = [said.replace("(you,", f"({store.person},") for said in lines]
    if time is not None:
        return f"{time.text[0].upper()}{time.text[1:]}: {lines[0]}"
    return "\n".join(lines)
