"""A question: asked by a person, of their own memories or of another person's within a grant.

Own memories are read here, in a thread; another person's are never touched from here: the question goes to that person's agent, which
looks at the grant and sends back an answer or a refusal.
"""

from __future__ import annotations

from typing import Final

from natant import Refused, command, lane

from keepsake.agent.home import Home
from keepsake.agent.seal import open_value, seal_value
from keepsake.agent.value import Answered, Ask, Asked, Rated, Rating
from keepsake.errors import KeepsakeError
from keepsake.pipeline.ask import ask
from keepsake.record import Answer
from keepsake.record import Question as Words

__all__ = ["Question"]

#: until a question is put again to an agent that has not answered, and how often it is put
AGAIN_S: Final = 30.0
TRIES: Final = 5


class Question(Home, route="/person/{person}/question/{question}"):
    """One question and its answer."""

    question: str

    #: what was asked, and what came back, sealed
    kept = lane.value(bytes, default=b"")
    sealed = lane.value(bytes, default=b"")
    #: ``asked`` (another person's agent has it), ``answered`` or ``refused``
    state = lane.value(str, default="")
    refusal = lane.value(str, default="")
    tries = lane.value(int, default=0)
    answer = lane.value(Answer | None, default=None, volatile=True)

    def on_start(self) -> None:
        """Show the answer again."""
        if self.sealed and self.house.ring.has(self.person):
            self.answer = open_value(self.key(), self.sealed, Answer, self.node)

    @command
    async def ask(self, what: Ask) -> Answer | None:
        """Ask; the answer comes at once for one's own memories, in the lane ``answer`` for another person's."""
        if self.state:
            raise Refused(f"KS-AGENT-011  {self.node} was asked already; ask another question")
        if not what.text.strip():
            raise Refused("KS-AGENT-012  the question is empty; it takes words")
        kept = seal_value(self.key(), what, self.node)
        if what.about not in ("", self.person):
            self.kept = kept
            self.state = "asked"
            self._put(what)
            return None
        words = Words(what.text, self.now(), what.as_of, what.zone, what.limit)
        answer: Answer = await self.task(_ask, self, words, what.style)
        self.kept = kept  # with the answer: one commit, and a question that was never answered can be asked again
        self._answered(answer)
        return answer

    def _put(self, what: Ask) -> None:
        """Put it to the other person's agent, and again should no answer come: whoever answers may die over it."""
        sealed = seal_value(self.key(), what, f"asked:{self.node}")
        self.send(f"/person/{what.about}", "asked", Asked(self.person, self.node, sealed, what.grant))
        self.tries += 1
        if self.tries < TRIES:
            self.after(AGAIN_S, self.put_again, name="again")

    def put_again(self) -> None:
        """No answer came."""
        if self.state == "asked":
            self._put(open_value(self.key(), self.kept, Ask, self.node))

    def _answered(self, answer: Answer) -> None:
        self.sealed = seal_value(self.key(), answer, self.node)
        self.answer = answer
        self.state = "answered"

    @command
    def answered(self, what: Answered) -> None:
        """What the other person's agent says."""
        if self.state != "asked":
            return
        self.cancel("again")
        if what.refusal:
            self.refusal = what.refusal
            self.state = "refused"
        else:
            self._answered(open_value(self.key(), what.answer, Answer, f"answered:{self.node}"))

    @command
    def rate(self, rating: Rating) -> None:
        """Say which memories were right; the person's model learns from it."""
        if self.state != "answered":
            raise Refused(f"KS-AGENT-013  {self.node} has no answer to rate")
        what = open_value(self.key(), self.kept, Ask, self.node)
        if what.about in ("", self.person):
            words = Words(what.text, self.now(), what.as_of, what.zone, what.limit)
            self.send(self.owner, "rated", Rated(seal_value(self.key(), words, "rated"), rating))


def _ask(agent: Question, words: Words, style: str) -> Answer:
    try:
        return ask(agent.house, agent.person, words, about=agent.node, style=style)
    except KeepsakeError as error:
        raise Refused(str(error)) from None
