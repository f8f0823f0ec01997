"""Answers from facts: "Where do I live?", "What is my dog called?", "Where did I work in 2020?"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from keepsake.answer.contract import Memories
from keepsake.record import Fact, Question
from keepsake.words.date import spots, tell_day
from keepsake.words.date.calendar import place
from keepsake.words.fact import SELF, is_single
from keepsake.words.term import plain

__all__ = ["Known", "known"]

#: one more moment: facts that end then are looked at for what held before
_MOMENT: Final = 1.0

_WHO: Final = r"(?P<who>i|you|he|she|they|we|my [\w ]+?|your [\w ]+?|[a-z][\w'-]*(?: [a-z][\w'-]*)?)"
_WHOSE: Final = r"(?P<who>my [\w ]+?'s|my|your|his|her|their|[a-z][\w-]*(?: [a-z][\w-]*)?['\u2019]s)"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(rf"^\W*(?:so|and|hey|do you know|tell me|remind me)?,? ?{text}")


#: A question's form, and the relations that answer it, the best first.
_FORMS: Final = tuple(
    (_pattern(text), tuple(relations.split("|")))
    for text, relations in (
        (rf"where (?:do|does|did) {_WHO} (?:now |currently )?(?:live|reside)", "lives in"),
        (rf"where (?:am|is|are|was|were) {_WHO} living", "lives in"),
        (rf"(?:what|which) (?:city|town|country|place) (?:do|does|did) {_WHO} live", "lives in"),
        (rf"where (?:am|is|are) {_WHO} (?:originally )?from", "comes from"),
        (rf"where (?:do|does|did) {_WHO} come from", "comes from"),
        (rf"(?:where|who) (?:do|does|did) {_WHO} work", "works at"),
        (rf"what (?:do|does|did) {_WHO} do (?:for (?:work|a living)|as a job)", "works as|works at"),
        (rf"what(?: is|'s|\u2019s) {_WHOSE} (?:job|profession|occupation)", "works as|works at"),
        (rf"(?:where|what) (?:do|does|did) {_WHO} study", "studies|studies at"),
        (rf"what(?: is|'s|\u2019s) {_WHOSE} name", "is called"),
        (rf"what(?: is|'s|\u2019s| are| am) {_WHO} called", "is called"),
        (rf"what(?: is|'s|\u2019s) the name of {_WHO}(?=\W*$)", "is called"),
        (rf"when(?: is|'s|\u2019s) {_WHOSE} birthday", "was born on"),
        (rf"when (?:was|were) {_WHO} born", "was born on"),
        (rf"who(?: is|'s|\u2019s|m)? (?:is |am |are )?{_WHO} (?:married|engaged) to", "is married to"),
        (rf"who(?: is|'s|\u2019s) {_WHOSE} (?:husband|wife|spouse)", "is married to"),
        (
            rf"who(?: is|'s|\u2019s) {_WHOSE} (?:partner|boyfriend|girlfriend|fianc\w+)",
            "is together with|is married to",
        ),
        (rf"what (?:am|is|are) {_WHO} allergic to", "is allergic to"),
        (rf"(?:what|which) languages? (?:do|does|did|can) {_WHO} speak", "speaks"),
        (rf"how old (?:am|is|are) {_WHO}", "is aged"),
        (rf"what(?: is|'s|\u2019s) {_WHOSE} (?:new )?e-?mail", "has the e-mail address"),
        (rf"what(?: is|'s|\u2019s) {_WHOSE} (?:new )?(?:phone |mobile |cell )?number", "has the phone number"),
        (rf"what(?: is|'s|\u2019s) {_WHOSE} (?:new |home )?address", "has the address"),
        (rf"what(?: is|'s|\u2019s) {_WHOSE} favou?rite (?P<what>\w+(?: \w+)?)", "favourite"),
    )
)

_OWN: Final = frozenset({"i", "me", "my", "we", "you", "your", "he", "she", "they", "his", "her", "their"})


@dataclass(frozen=True, slots=True)
class Known:
    """A fact that answers.

    :ivar text: the answer in words.
    """

    text: str
    fact: Fact


def known(question: Question, memories: Memories) -> Known | None:
    """The fact that answers a question; None where none does, or where it asks for something else."""
    lower = plain(question.text).replace("\u2019", "'")
    for pattern, relations in _FORMS:
        found = pattern.match(lower)
        if found is None:
            continue
        subjects = _subjects(found["who"])
        what = found.groupdict().get("what")
        for relation in relations:
            wanted = f"favourite {what}" if relation == "favourite" else relation
            if fact := _held(question, memories, subjects, wanted):
                return Known(_worded(fact, question, memories), fact)
    return None


def _subjects(who: str) -> frozenset[str]:
    """The subjects that a question may mean, plain: "my dog's" is ``my dog``."""
    who = who.removesuffix("'s").strip()
    if who in _OWN:
        return frozenset({SELF, ""})
    if who.startswith(("my ", "your ")):
        return frozenset({"my " + who.partition(" ")[2]})
    return frozenset({who})


def _matches(fact: Fact, subjects: frozenset[str], relation: str) -> bool:
    subject = plain(fact.subject)
    is_name = any(subject.split(" ")[0] == one for one in subjects if " " not in one)
    return fact.relation == relation and (subject in subjects or is_name)


def _held(question: Question, memories: Memories, subjects: frozenset[str], relation: str) -> Fact | None:
    """The newest fact that held at the time that the question speaks of."""
    times = [spot.when for spot in spots(question.text, question.asked_at, question.zone)]
    facts = [fact for fact in memories.facts(as_of=question.as_of) if _matches(fact, subjects, relation)]
    if times and times[0].start < question.asked_at:
        when = times[0]
        ended = memories.facts(as_of=when.end - _MOMENT)
        facts += [fact for fact in ended if _matches(fact, subjects, relation)]
        facts = [fact for fact in facts if fact.since < when.end and (fact.ended is None or fact.ended > when.start)]
    return max(facts, key=lambda fact: (fact.since, fact.seq), default=None)


def _worded(fact: Fact, question: Question, memories: Memories) -> str:
    """The fact's value, since when it holds, and what held before."""
    value = fact.value
    if fact.relation == "is aged" and fact.value.isdigit():
        then, now = (datetime.fromtimestamp(at, place(question.zone)).year for at in (fact.since, question.asked_at))
        return value if now == then else f"{value} in {then}, so about {int(value) + now - then} now"
    if not is_single(fact.relation) or fact.since == fact.said_at:
        return value
    text = f"{value}, since {tell_day(fact.since, question.zone)}"
    before = [
        one
        for one in memories.facts(as_of=fact.since - _MOMENT, subject=fact.subject)
        if one.relation == fact.relation and one.id != fact.id and one.value != fact.value
    ]
    return f"{text} (before: {before[0].value})" if before else text
