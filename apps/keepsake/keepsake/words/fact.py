"""What a memory says is so: who lives where, works at what, is called how.  Rules for English, few and strict.

A question, a wish, a denial or a "used to" says nothing of what is so, nor does a web page, whose "I" is not the person.  Facts of
the relations in `SINGLE` hold one at a time: a newer one ends the older one of the same subject (which stays, as ended).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from keepsake.record import Fact, Kind, Memory
from keepsake.words.date import spots
from keepsake.words.passage import sentences

__all__ = ["SELF", "SINGLE", "facts", "is_single"]

#: the subject of what the person says of themselves, where the source names no speaker
SELF: Final = "me"

#: Relations of which one holds at a time.
SINGLE: Final = frozenset(
    {
        "lives in",
        "works at",
        "works as",
        "studies at",
        "is called",
        "was born on",
        "is married to",
        "is together with",
        "comes from",
        "is aged",
        "has the e-mail address",
        "has the phone number",
        "has the address",
    }
)

_KIN: Final = (
    r"(?:mother|father|mom|mum|dad|sister|brother|son|daughter|wife|husband|partner|girlfriend|boyfriend|fianc\w+|aunt|uncle|cousin|"
    r"grandmother|grandfather|grandma|grandpa|niece|nephew|best friend|friend|boss|colleague|neighbou?r|roommate|flatmate|dog|cat|"
    r"puppy|kitten|horse|parrot|rabbit|hamster|twin)"
)
_NAME: Final = r"[A-Z][\w'\u2019-]+"
_SUBJECT: Final = rf"(?P<subject>\b[Mm]y (?:(?:older|younger|big|little|twin|new|old) )?{_KIN}(?: {_NAME})?|\b(?:I|[Ww]e)\b|\b{_NAME}(?: {_NAME})?)"
_PROPER: Final = (
    r"(?P<value>(?:the |The )?[A-Z0-9][\w.'\u2019&-]*(?:,? (?:of |the |de |and )?[A-Z][\w.'\u2019&-]*){0,4})"
)
_NOUN: Final = (
    r"(?P<value>(?:(?!(?:and|but|because|so|since|now|when|who|which|that|while|right|these|this|with|at|in|for|on|if|then|as|it|you)\b)"
    r"[\w'\u2019-]+ ?){1,5})(?<! )"
)
_DATE: Final = r"(?:the )?\d{1,2}(?:st|nd|rd|th)?(?: of)? [A-Z][a-z]+(?:,? \d{4})?|[A-Z][a-z]+ (?:the )?\d{1,2}(?:st|nd|rd|th)?(?:,? \d{4})?"
_ADVERB: Final = r"(?:(?:just|now|currently|recently|finally|already|still|actually|also|really|both|all) )*"


def _be(rest: str) -> str:
    """Forms of "to be" and "to have" before a rest."""
    return rf"(?: (?:am|are|is|was|have|has|had)|['\u2019](?:m|re|s|ve))? {_ADVERB}{rest}"


class _Rule(NamedTuple):
    relation: str
    pattern: re.Pattern[str]


def _rule(relation: str, pattern: str) -> _Rule:
    return _Rule(relation, re.compile(pattern))


#: What people are by trade, so that "I'm a fan" is none.
_TRADE: Final = (
    r"(?P<value>(?:[a-z]+ ){0,2}(?:nurse|doctor|teacher|engineer|developer|programmer|designer|lawyer|accountant|chef|cook|baker|"
    r"writer|author|journalist|editor|photographer|artist|painter|musician|singer|actor|actress|dancer|student|professor|researcher|"
    r"scientist|architect|carpenter|electrician|plumber|mechanic|driver|pilot|farmer|gardener|manager|director|consultant|analyst|"
    r"secretary|librarian|therapist|counsel?lor|psychologist|dentist|vet|veterinarian|pharmacist|paramedic|firefighter|officer|"
    r"soldier|waiter|waitress|barista|bartender|barber|hairdresser|tailor|translator|interpreter|coach|trainer|tutor|nanny|"
    r"social worker|sales\w+|realtor|cashier|clerk|technician|plumber|judge|priest|pastor|nun|monk))\b"
)

_RULES: Final = (
    _rule("lives in", rf"{_SUBJECT}{_be('(?:live|lives|living|moved|relocated|settled)')} (?:back )?(?:in|to|near) {_PROPER}"),
    _rule("lives in", rf"{_SUBJECT}{_be('(?:moving|relocating)')} (?:back )?to {_PROPER}"),
    _rule("comes from", rf"{_SUBJECT}(?: (?:am|is|are|come|comes)|['\u2019](?:m|s|re)) (?:originally )?from {_PROPER}"),
    _rule(
        "works at",
        rf"{_SUBJECT}{_be('(?:work|works|working|started working|started|start|starts|employed|got a job|have a job|took a job)')} "
        rf"(?:at|for|with) {_PROPER}",
    ),
    _rule("works at", rf"{_SUBJECT}{_be('joined')} {_PROPER}"),
    _rule("works as", rf"{_SUBJECT}{_be('(?:work|works|working|started|got a job|hired)')} (?:\w+ )?as an? {_TRADE}"),
    _rule("works as", rf"{_SUBJECT}(?: (?:am|is)|['\u2019](?:m|s)) {_ADVERB}an? {_TRADE}"),
    _rule("works as", rf"{_SUBJECT}{_be('became')} an? {_TRADE}"),
    _rule("studies at", rf"{_SUBJECT}{_be('(?:study|studies|studying|started|enrolled)')} (?:[a-z]+ ){{0,3}}?at {_PROPER}"),
    _rule("studies", rf"{_SUBJECT}{_be('(?:study|studies|studying|majoring in)')} (?!at\b|for\b|in\b|hard\b|all\b){_NOUN}"),
    _rule("is called", r"\b(?P<subject>[Mm]y) name(?: is|['\u2019]s) " + _PROPER),
    _rule(
        "is called",
        rf"(?P<subject>\b[Mm]y (?:new )?{_KIN})(?:['\u2019]s name is|(?: is|['\u2019]s) (?:called|named)|, whose name is|(?: is|['\u2019]s) name is) {_PROPER}",
    ),
    _rule("was born on", r"\b(?P<subject>[Mm]y|[A-Z]\w+['\u2019]s) birthday(?: is|['\u2019]s)(?: on)? (?P<value>" + _DATE + ")"),
    _rule("was born on", rf"{_SUBJECT} (?:was|were) born (?:on|in) (?P<value>{_DATE}|(?:[A-Z][a-z]+ )?(?:19|20)\d\d)"),
    _rule("is married to", rf"{_SUBJECT}{_be('(?:married|married to|got married to|engaged to)')} (?P<value>{_NAME}(?: {_NAME})?)"),
    _rule("is married to", rf"\b(?P<subject>[Mm]y) (?:husband|wife)(?: is|['\u2019]s)?(?: called| named)?,? (?P<value>{_NAME})"),
    _rule("is together with", rf"\b(?P<subject>[Mm]y) (?:boyfriend|girlfriend|partner|fianc\w+)(?: is)?(?: called| named)?,? (?P<value>{_NAME})"),
    _rule("favourite", r"\b(?P<subject>[Mm]y|[A-Z]\w+['\u2019]s) (?:absolute |all-time )?favou?rite (?P<what>\w+(?: \w+)?)(?: is|['\u2019]s) " + _NOUN),
    _rule("has", rf"{_SUBJECT}{_be('(?:have|has|got|adopted|own|owns|bought)')} (?P<value>an? (?:[a-z]+ ){{0,2}}(?:dog|cat|puppy|kitten|horse|parrot|rabbit|hamster|car|bike|motorbike|boat|house|flat|apartment|guitar|piano|violin)(?: (?:called|named) {_NAME})?)"),
    _rule("is allergic to", rf"{_SUBJECT}{_be('allergic to')} {_NOUN}"),
    _rule("speaks", rf"{_SUBJECT}{_be('(?:speak|speaks)')} (?:fluent |some |a little )?(?P<value>[A-Z][a-z]+(?:,? (?:and )?[A-Z][a-z]+)*)"),
    _rule("likes", rf"{_SUBJECT}{_be('(?:like|likes|love|loves|enjoy|enjoys|adore|adores)')} (?!how\b|what\b|to\b|his\b|her\b|their\b|its\b|him\b|them\b|the way\b|your\b){_NOUN}"),
    _rule("dislikes", rf"{_SUBJECT}{_be('(?:hate|hates|dislike|dislikes|detest|detests)')} (?!how\b|what\b|to\b|him\b|her\b|them\b|the way\b|your\b){_NOUN}"),
    _rule("is aged", rf"{_SUBJECT}(?: (?:am|is|turned|just turned)|['\u2019](?:m|s)) (?P<value>[1-9]\d?)(?: years old| today|(?=[.,!]|$))"),
    _rule("has the e-mail address", r"\b(?P<subject>[Mm]y) (?:new )?e-?mail(?: address)?(?: is|['\u2019]s|:) (?P<value>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"),
    _rule("has the phone number", r"\b(?P<subject>[Mm]y) (?:new )?(?:phone |mobile |cell )?number(?: is|['\u2019]s|:) (?P<value>\+?[\d][\d ()/-]{4,18}\d)"),
    _rule("has the address", r"\b(?P<subject>[Mm]y) (?:new |home )?address(?: is|['\u2019]s|:) (?P<value>[\w .'-]{4,60}\d[\w ,.'-]{0,60}|\d[\w ,.'-]{4,80})"),
    _rule("works at", rf"{_SUBJECT}{_be('(?:quit|left|resigned from|no longer work at|was fired from|lost)')} (?:my |his |her )?(?:old )?job(?: at {_PROPER})?"),
)  # fmt: skip

#: What each rule's match has one of; most sentences have none.
_HINT: Final = re.compile(
    r"\b(?:live|living|mov|relocat|settled|from|work|start|employ|got|job|joined|as an?|am an?|is an?|['\u2019](?:m|s) an?|became|study|"
    r"studi|enrolled|major|name|call|birthday|born|marri|engaged|husband|wife|boyfriend|girlfriend|partner|fianc|favou?rite|have|has|"
    r"adopt|own|bought|allergic|speak|like|love|enjoy|adore|hate|dislike|detest|turned|years|e-?mail|number|address|quit|left|resign|"
    r"I['\u2019]m|I am|['\u2019]s|is)"
)

#: What makes a sentence say nothing of what is so.
_UNSURE: Final = re.compile(
    r"\?|\b(?:if|would|wish|want(?:s|ed)? to|might|(?-i:may)|maybe|perhaps|could|should|used to|never|n['\u2019]t|not|wonder|imagine|"
    r"dream(?:s|ed)? of|thinking (?:of|about)|pretend|almost|nearly)\b|n['\u2019]t\b",
    re.IGNORECASE,
)
_LEAVING: Final = re.compile(r"\b(?:quit|left|resigned|no longer|fired|lost)\b")
_AHEAD: Final = re.compile(r"\b(?:moving|relocating|starting|will)\b")

#: Words with a capital that are nobody.
_NOBODIES: Final = "that this it there he she they you what who where when how why then here so and but yes no well also today my the a"
_NOBODY: Final = frozenset(_NOBODIES.split())


def is_single(relation: str) -> bool:
    """Whether a newer fact of the relation ends the older one."""
    return relation in SINGLE or relation.startswith("favourite ")


def facts(memory: Memory) -> Iterator[Fact]:
    """What a memory says is so, one fact a relation and subject."""
    if memory.kind is Kind.WEB or memory.language not in {"en", ""}:
        return
    found: dict[tuple[str, str], tuple[list[str], float]] = {}
    for sentence in sentences(memory.text):
        for relation, subject, value in _said(sentence.text, memory.speaker):
            since = _since(sentence.text, memory)
            if since is None:
                continue
            values, _ = found.setdefault((relation, subject), ([], since))
            if is_single(relation):
                values.clear()
            if value not in values:
                values.append(value)
    for (relation, subject), (values, since) in found.items():
        yield Fact(
            id=f"{memory.id}!{relation}!{subject}",
            subject=subject,
            relation=relation,
            value=", ".join(values),
            memory=memory.id,
            seq=memory.seq,
            said_at=memory.said_at,
            since=since,
        )


def _said(sentence: str, speaker: str) -> Iterator[tuple[str, str, str]]:
    """Relation, subject and value of each fact in a sentence."""
    if not _HINT.search(sentence):
        return
    for relation, pattern in _RULES:
        for found in pattern.finditer(sentence):
            clause = re.split(r"[;,] |\bbut\b", sentence[: found.end()])[-1]
            if _UNSURE.search(clause) or sentence.rstrip().endswith("?"):
                continue
            subject = _subject(found["subject"], speaker)
            value = (found["value"] or "").strip(" .,'\u2019")
            if _LEAVING.search(found.group()):
                value = f"no longer at {value}" if value else "no longer where it was"
            if not subject or not value:
                continue
            if relation == "favourite":
                yield f"favourite {found['what'].lower()}", subject, value
            else:
                yield relation, subject, value


def _subject(said: str, speaker: str) -> str:
    """Who is spoken of: the speaker, somebody of theirs, or a name."""
    words = said.replace("\u2019", "'").removesuffix("'s")
    if words.lower() in {"i", "we", "my"}:
        return speaker or SELF
    if words.lower() in _NOBODY or words.split(" ")[0].lower() in _NOBODY - {"my"}:
        return ""
    if words[:3].lower() == "my ":
        name = words.rpartition(" ")[2]
        if name[:1].isupper():
            return name
        return f"{speaker}'s {words[3:]}" if speaker else f"my {words[3:]}"
    return words


def _since(sentence: str, memory: Memory) -> float | None:
    """From when it holds: the time that the sentence speaks of, else that of saying; None for a plan without a time."""
    times = [spot.when for spot in spots(sentence, memory.said_at, memory.zone)]
    if _AHEAD.search(sentence):
        return times[0].start if times else None
    return times[0].start if times and times[0].start <= memory.said_at else memory.said_at
