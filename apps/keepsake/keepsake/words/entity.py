"""Who and what a text names.

Three ways, the surest first: the person's own names, in any case; a tagger where one is installed (`keepsake.words.tagger`); and
rules: capitals inside a sentence, with the words around them telling what they stand for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Final, Protocol

from keepsake.record import Entity
from keepsake.words.common import is_common
from keepsake.words.date.calendar import MONTHS, WEEKDAYS
from keepsake.words.known import Known
from keepsake.words.term import plain

__all__ = ["MAX_ENTITIES", "Tagger", "entities", "entities_of"]

#: names kept of one passage
MAX_ENTITIES: Final = 48

#: words of a name by rules
_LONGEST: Final = 5


class Tagger(Protocol):
    """Finds names by what it learnt of a language."""

    languages: frozenset[str]

    def tag_all(self, texts: Sequence[str]) -> list[list[Entity]]:
        """Names of each text, in order; many texts together take less time."""
        ...


_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019.&-][^\W_]+)*")
_CAPITAL: Final = re.compile(r"[A-Z\u00c0-\u00de\u0100-\u017f\u0391-\u03a9\u0410-\u042f]")
_SENTENCE_START: Final = re.compile(r"(?:^|[.!?:\u2026\n]['\"\u201d\u2019)]*\s+|\n|^\W+|[\"\u201c]\s*|[-*\u2022] )$")
_POSSESSIVE: Final = re.compile(r"['\u2019]s?$")

#: What may stand between the parts of one name.
_LINKS: Final = frozenset(
    {"of", "the", "de", "la", "van", "von", "der", "den", "del", "di", "da", "do", "das", "dos", "du"}
)

#: links that stand together at most, "of the"
_LINKED: Final = 2

#: What is said before somebody's name, as a part of it.
_TITLES: Final = frozenset(
    {
        "dona",
        "don",
        "doña",
        "senhor",
        "senhora",
        "señor",
        "señora",
        "professor",
        "herr",
        "frau",
        "madame",
        "monsieur",
        "sir",
    }
    | {
        "lady",
        "papa",
        "mama",
        "grandma",
        "grandpa",
        "granny",
        "uncle",
        "aunt",
        "auntie",
        "nurse",
        "sister",
        "father",
        "coach",
    }
)

#: What stands before a name and says what it is.
_BEFORE: Final = (
    (
        "organisation",
        re.compile(
            r"\b(?:works? (?:at|for)|working (?:at|for)|worked (?:at|for)|job at|joined|company|firm|employer|customer|"
            r"client|team|studies at|studied at|graduated from|offer from|intern at|interview (?:at|with)) (?:the )?$",
            re.IGNORECASE,
        ),
    ),
    (
        "person",
        re.compile(
            r"\b(?:mr|mrs|ms|miss|dr|prof|professor|uncle|aunt|auntie|cousin|grandma|grandpa|brother|sister|son|daughter|"
            r"friend|buddy|wife|husband|partner|boyfriend|girlfriend|fianc\w+|boss|colleague|coworker|neighbou?r|teacher|"
            r"mum|mom|dad|named|called|met|with|told|asked|hi|hey|hello|dear|thanks|and|from|love|miss|saw|visited|call)"
            r"\.?,? (?:is |was )?$",
            re.IGNORECASE,
        ),
    ),
    (
        "place",
        re.compile(
            r"\b(?:in|to|at|near|around|through|across|from|visit|visited|visiting|reached|left for|city of|town of|toward|"
            r"towards|moved to|trip to|flight to|live in|lives in) (?:the )?$",
            re.IGNORECASE,
        ),
    ),
    (
        "work",
        re.compile(
            r"\b(?:book|movie|film|song|album|novel|series|show|reading|watched|called)[,:]? [\"\u201c']?$", re.I
        ),
    ),
)

#: What a name's last word says of it.
_ENDS_SAY: Final = {
    "place": """street st road rd avenue ave lane square park beach lake river mountain mountains island islands valley bridge
        station airport city town village county state hill hills bay coast forest falls canyon national museum gallery hotel
        cafe restaurant library hospital church cathedral castle palace tower garden gardens""",
    "organisation": """university college school institute inc ltd llc gmbh corp corporation company bank group association
        society union foundation agency department ministry council committee studio studios labs club team airlines records
        choir orchestra band""",
    "event": "festival conference marathon cup olympics awards summit fair parade concert championship gala",
}
_ENDS: Final = {label: frozenset(ends.split()) for label, ends in _ENDS_SAY.items()}

#: Verbs that only somebody does: what a name at the beginning of a sentence is.
_DOES: Final = re.compile(
    r"^(?:['\u2019]s|,)? ?(?:said|says|told|tells|asked|asks|called|calls|wrote|writes|came|comes|went|goes|loves?|"
    r"likes?|wants?|thinks?|made|makes|bought|got|gave|moved|lives|works|plays|cooked|texted|laughed|cried|and i|met|drove|rang|stayed|danced|took|ate|ran|played|slept|left|arrived|visited|helped|sent|showed|joined|turned \d)\b",
    re.IGNORECASE,
)

_NO_NAMES: Final = """i i'm i've i'll i'd ok okay tv pm am uk-based yes no god jesus mr mrs ms dr english french german spanish italian chinese
    japanese russian monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun lol omg btw asap diy
faq pdf http https www christmas easter halloween thanksgiving"""
_NO_NAME: Final = frozenset((*_NO_NAMES.split(), *MONTHS, *WEEKDAYS))


def _bare(word: str) -> str:
    return _POSSESSIVE.sub("", word)


def _gazetteer(text: str, found: Sequence[re.Match[str]], known: Known) -> Iterator[Entity]:
    """The person's own names, the longest first at each place; a common word counts only where it has a capital."""
    place = 0
    while place < len(found):
        for count in range(min(known.longest, len(found) - place), 0, -1):
            start, end = found[place].start(), found[place + count - 1].end()
            spelling = text[start:end]
            named = known.names.get(spelling.casefold())
            if named is None and (shorter := _bare(spelling)) != spelling:
                named, end = known.names.get(shorter.casefold()), start + len(shorter)
            if named is None or (count == 1 and is_common(plain(text[start:end])) and not _is_capital(text, start)):
                continue
            yield Entity(named[0], named[1], start, end)
            place += count - 1
            break
        place += 1


def _is_capital(text: str, start: int) -> bool:
    """Whether a word has a capital that no sentence's beginning gives it."""
    return bool(_CAPITAL.match(text, start)) and not _SENTENCE_START.search(text[max(0, start - 12) : start])


def _capitals(text: str, found: Sequence[re.Match[str]]) -> Iterator[Entity]:
    """Names by rules: runs of words with capitals."""
    place = 0
    while place < len(found):
        first = found[place]
        word = _bare(first.group())
        is_first = bool(_SENTENCE_START.search(text[max(0, first.start() - 12) : first.start()]))
        if not _may_begin(word, is_first=is_first):
            place += 1
            continue
        last = place
        while last - place < _LONGEST and (after := _next_part(text, found, last)):
            last = after
        end = found[last].start() + len(_bare(found[last].group()))
        name = text[first.start() : end]
        label = _label(text, first.start(), name)
        if (label == "thing" and plain(word) in _TITLES and last > place) or (
            plain(word) in _given() and end != found[last].end()
        ):
            label = "person"
        if label == "thing" and (plain(word) in _given() or (last == place and _DOES.match(text[end:]))):
            label = "person"
        # A word alone at a sentence's beginning has its capital from there, unless it has one elsewhere too.
        if not (
            is_first and last == place and label == "thing" and not _is_capital_elsewhere(text, word, first.start())
        ):
            yield Entity(label, name, first.start(), end)
        place = last + 1


def _next_part(text: str, found: Sequence[re.Match[str]], last: int) -> int:
    """The place of the word with which a name goes on after a word; 0 where it ends there."""
    if _bare(found[last].group()) != found[last].group():
        return 0  # a possessive ends it
    for after in range(last + 1, min(last + 2 + _LINKED, len(found))):
        gap = text[found[after - 1].end() : found[after].start()]
        word = found[after].group()
        if gap not in {" ", " & "}:
            return 0
        if _CAPITAL.match(word):
            return 0 if plain(_bare(word)) in _NO_NAME else after
        if word not in _LINKS:
            return 0
    return 0


def _is_capital_elsewhere(text: str, word: str, start: int) -> bool:
    """Whether a word of a sentence's beginning has a capital inside a sentence, too."""
    places = (found.start() for found in re.finditer(rf"\b{re.escape(word)}\b", text) if found.start() != start)
    return any(not _SENTENCE_START.search(text[max(0, place - 12) : place]) for place in places)


@cache
def _given() -> frozenset[str]:
    """Given names that are common somewhere: a list that was written by hand for Keepsake."""
    return frozenset(plain(name) for name in (files("keepsake.words") / "given.txt").read_text("utf-8").split())


def _may_begin(word: str, *, is_first: bool) -> bool:
    """Whether a name may begin with the word."""
    if not _CAPITAL.match(word) or len(word) < 2 or plain(word) in _NO_NAME:
        return False
    if word.isupper() and len(word) > 5:  # shouting
        return False
    return not is_common(plain(word)) if is_first else plain(word) not in _NO_NAME


def _label(text: str, start: int, name: str) -> str:
    """What a name stands for, by its last word and by what stands before it."""
    last = plain(name.rpartition(" ")[2])
    for label, ends in _ENDS.items():
        if last in ends and " " in name:
            return label
    before = text[max(0, start - 40) : start]
    for label, pattern in _BEFORE:
        if (said := pattern.search(before)) and not (
            label == "person" and said.group().strip().lower() in {"from", "and"}
        ):
            return label
    return "thing"


def _apart(found: Iterable[Entity], taken: list[Entity]) -> None:
    """Add those that overlap none that is there."""
    for entity in found:
        if _is_apart(entity, taken):
            taken.append(entity)


def _is_apart(entity: Entity, taken: Iterable[Entity]) -> bool:
    return all(entity.end <= other.start or entity.start >= other.end for other in taken)


def entities(text: str, known: Known, tagger: Tagger | None = None, language: str = "en") -> tuple[Entity, ...]:
    """Names of a text in their order; those that are known have the name they are known by.

    :param language: ISO 639-1.
    """
    return entities_of([(text, language)], known, tagger)[0]


def entities_of(
    texts: Sequence[tuple[str, str]], known: Known, tagger: Tagger | None = None
) -> list[tuple[Entity, ...]]:
    """Names of several texts, each with its language.

    A tagger takes most of the time: it is asked, once for all texts, where the rules see a name that is not known yet and where it
    knows the language; its word goes before theirs.
    """
    by_known, by_rule = [], []
    for text, language in texts:
        found = list(_WORD.finditer(text))
        taken: list[Entity] = []
        _apart(_gazetteer(text, found, known), taken)
        ruled: list[Entity] = []
        if language != "de":  # each noun has a capital there
            _apart(_capitals(text, found), ruled)
        by_known.append(taken)
        by_rule.append([entity for entity in ruled if _is_apart(entity, taken)])
    wanted: list[int] = []
    if tagger is not None:
        wanted = [row for row, (_, language) in enumerate(texts) if by_rule[row] and language in tagger.languages]
    tagged = tagger.tag_all([texts[row][0] for row in wanted]) if tagger is not None and wanted else []
    for row, found_by_tagger in zip(wanted, tagged, strict=True):
        _apart((_as_known(entity, known) for entity in found_by_tagger), by_known[row])
        by_rule[row] = [entity for entity in by_rule[row] if entity.label != "thing"]
    result = []
    for taken, ruled in zip(by_known, by_rule, strict=True):
        _apart(ruled, taken)
        result.append(tuple(sorted(taken, key=lambda entity: entity.start)[:MAX_ENTITIES]))
    return result


def _as_known(entity: Entity, known: Known) -> Entity:
    named = known.names.get(entity.name.casefold())
    return entity if named is None else Entity(named[0], named[1], entity.start, entity.end)
