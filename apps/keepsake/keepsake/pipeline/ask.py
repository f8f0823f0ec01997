"""From a question to an answer that quotes, noted in the log of whoever's memories were read."""

from __future__ import annotations

import time
from dataclasses import replace

from keepsake.answer import answer
from keepsake.custody.grant import Grant
from keepsake.custody.permission import Permission
from keepsake.custody.record import Action
from keepsake.pipeline.house import House
from keepsake.pipeline.scope import Scoped
from keepsake.pipeline.shelf import Desk
from keepsake.record import Answer, Question

__all__ = ["ask", "ask_granted"]

#: memories that are looked at for one answer
LOOKED_AT = 50


def ask(house: House, person: str, question: Question, *, about: str, style: str = "quote") -> Answer:
    """Answer a person from their own memories.  Blocks.

    :param about: the question's URI, for the log.
    :param style: see `keepsake.agent.value.Ask`.
    :raises KeepsakeError: ``KS-KEY-001`` where there is no such person.
    """
    with house.shelf.desk(person) as desk:
        found = desk.index().look(question, limit=LOOKED_AT)
        given = answer(question, found, desk.store, desk.model, style=style)
        given = _noted(desk, given, Action.READ, about, by=person, grant="")
    return _written(house, question, given, style)


def ask_granted(
    house: House, person: str, question: Question, *, about: str, token: str, by: str, style: str
) -> Answer:
    """Answer somebody else, within what a grant allows.  Blocks.

    :param token: the grant, as they brought it.
    :param by: who asks, as the service knows them.
    :raises KeepsakeError: ``KS-GRANT-...`` where it does not allow it.
    """
    with house.shelf.desk(person) as desk:
        grant: Grant = Permission(desk.store, desk.key, desk.log, time.time).check(
            token, by=by, verb="mentor" if style == "mentor" else "ask"
        )
        scoped = Scoped(desk.store, grant.scope)
        found = desk.index(scoped, grant.id).look(question, limit=LOOKED_AT)
        given = answer(question, found, scoped, desk.model, style=style)
        given = _noted(desk, given, Action.SHARED, about, by=by, grant=grant.id)
    return _written(house, question, given, style)


def _noted(desk: Desk, given: Answer, action: Action, about: str, *, by: str, grant: str) -> Answer:
    with desk.store.write() as writer:
        proof = desk.log.append(writer, action, about, given.text.encode(), by=by, grant=grant)
    return replace(given, citations=tuple(replace(citation, proof=proof) for citation in given.citations))


def _written(house: House, question: Question, given: Answer, style: str) -> Answer:
    """The answer in prose, where an endpoint writes it; outside the desk's lock, as endpoints are slow."""
    if style != "prose" or house.generator is None or not given.is_known:
        return given
    return house.generator.rewrite(question, given)
