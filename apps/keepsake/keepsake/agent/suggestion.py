"""A suggestion: what the person might reply to somebody, in their own words; what they make of it trains their model."""

from __future__ import annotations

import time

from natant import Refused, command, lane

from keepsake.agent.home import Home
from keepsake.agent.seal import open_value, seal_value
from keepsake.agent.value import Offer
from keepsake.answer import suggest
from keepsake.errors import KeepsakeError
from keepsake.model import Worded, feedback
from keepsake.pipeline.house import House
from keepsake.record import Question

__all__ = ["Suggestion"]

#: memories that are looked at for one suggestion
LOOKED_AT = 20


class Suggestion(Home, route="/person/{person}/suggestion/{suggestion}"):
    """What the person might reply to one message."""

    suggestion: str

    #: what was offered, sealed
    kept = lane.value(bytes, default=b"")
    #: ``offered``, then ``accepted``, ``edited`` or ``left``
    state = lane.value(str, default="")

    @command
    async def ask(self, message: str) -> list[Offer]:
        """What might be replied to a message; nothing where nothing fits."""
        if self.state:
            raise Refused(f"KS-AGENT-011  {self.node} was asked already; ask another one")
        offers: list[Offer] = await self.task(_offers, self, message, self.now())
        self.kept = seal_value(self.key(), offers, self.node)
        self.state = "offered"
        return offers

    @command
    async def decide(self, text: str) -> str:
        """What the person sends: an offer as it is, an edited one, or (empty) none; whether it was ``accepted``, ``edited`` or ``left``."""
        if self.state != "offered":
            raise Refused(f"KS-AGENT-024  {self.node} offers nothing, or it was decided already")
        offers = open_value(self.key(), self.kept, list[Offer], self.node)
        state = "left" if not text.strip() else "accepted" if any(text == offer.text for offer in offers) else "edited"
        if offers and text.strip():
            await self.task(_note, self.house, self.person, offers, text)
            self.send(self.owner, "heed")
        self.state = state
        return state


def _offers(agent: Suggestion, message: str, now: float) -> list[Offer]:
    try:
        with agent.house.shelf.desk(agent.person) as desk:
            question = Question(message, now)
            found = desk.index().look(question, limit=LOOKED_AT)
            offers = [Offer(one.text, one.memory) for one in suggest(question, found, desk.model)]
            with desk.store.write() as writer:
                desk.log.append(writer, "read", agent.node, by=agent.person)
            return offers
    except KeepsakeError as error:
        raise Refused(str(error)) from None


def _note(house: House, person: str, offers: list[Offer], text: str) -> None:
    told = Worded(time.time(), tuple(offer.text for offer in offers), text, tuple(offer.memory for offer in offers))
    with house.shelf.desk(person) as desk, desk.store.write() as writer:
        feedback(writer, told)
        desk.log.append(writer, "corrected", f"suggestion/{told.at:.3f}", by=person)
