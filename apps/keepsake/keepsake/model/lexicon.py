"""The person's lexicon: who and what is named, how often, in which spellings, and what the person said of that.

Recognition gets the names that are likely to be said next, reading gets all of them.  Counting is all the learning there is; a
correction counts more than anything counted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from keepsake.model.feedback import Named
from keepsake.model.pack import pack, unpack
from keepsake.record import Memory

__all__ = ["Lexicon", "Name"]

#: names that are kept; beyond, those named least go
NAME_LIMIT: Final = 20_000
#: spellings of one name
SPELLING_LIMIT: Final = 16
#: after so long a name is half as likely to be said
HALF_LIFE_S: Final = 90 * 86_400.0
#: what a correction weighs, in mentions: the person cares for this name
CORRECTION_WEIGHT: Final = 20.0
#: what stands before the first word of a sentence
_SENTENCE_START: Final = re.compile(r"(?:^|[.!?:\n\u2026][\"'\u201d\u2019)]*\s+|[\"\u201c(]\s*|[-*\u2022]\s)$")


@dataclass(slots=True)
class Name:
    """What is known of one name.

    :ivar labels: how often it was read as what (`Entity.label`).
    :ivar spellings: how often it stood in which spelling.
    :ivar last: when it was last said, epoch seconds.
    :ivar inner: how often it stood where no sentence begins.  A word that only ever begins sentences has its capital from that, and is
        no name: "Anyway".
    """

    count: int = 0
    last: float = 0.0
    labels: dict[str, int] = field(default_factory=dict)
    spellings: dict[str, int] = field(default_factory=dict)
    inner: int = 0

    def is_sure(self, name: str) -> bool:
        """Whether it is a name for all that was seen of it."""
        return self.inner > 0 or " " in name

    @property
    def label(self) -> str:
        """What it mostly is."""
        return min(self.labels, key=lambda label: (-self.labels[label], label), default="thing")


class Lexicon:
    """Names of one person.

    :ivar names: by the name as the person is known here.
    :ivar built_to: the sequence of the last message that was counted.
    """

    def __init__(self) -> None:
        self.names: dict[str, Name] = {}
        self.built_to = 0
        self._spelt: dict[str, tuple[str, str]] = {}
        self._blocked: set[str] = set()

    def count(self, memories: Iterable[Memory]) -> None:
        """Take in memories, in the order of their sequence; those that were counted already are passed over."""
        start = self.built_to
        for memory in memories:
            if memory.seq <= start:
                continue
            for entity in memory.entities:
                spelling = memory.text[entity.start : entity.end]
                known = self._note(entity.name, entity.label, spelling, memory.said_at)
                known.inner += not _SENTENCE_START.search(memory.text, 0, entity.start)
            if memory.speaker:
                self._note(memory.speaker, "person", memory.speaker, memory.said_at).inner += 1
            self.built_to = max(self.built_to, memory.seq)
        if len(self.names) > NAME_LIMIT:
            kept = sorted(self.names, key=lambda name: (-self.names[name].count, -self.names[name].last, name))
            self.names = {name: self.names[name] for name in sorted(kept[:NAME_LIMIT])}

    def _note(self, name: str, label: str, spelling: str, said_at: float) -> Name:
        known = self.names.setdefault(name, Name())
        known.count += 1
        known.last = max(known.last, said_at)
        known.labels[label] = known.labels.get(label, 0) + 1
        if spelling and (spelling in known.spellings or len(known.spellings) < SPELLING_LIMIT):
            known.spellings[spelling] = known.spellings.get(spelling, 0) + 1
        return known

    def correct(self, corrections: Sequence[Named]) -> None:
        """What the person said of names, all of it, in order: the last word on a spelling counts."""
        self._spelt.clear()
        self._blocked.clear()
        for correction in corrections:
            spelt = correction.spelt.casefold()
            self._blocked.discard(spelt)
            self._spelt.pop(spelt, None)
            if correction.name:
                self._spelt[spelt] = (correction.name, correction.label)
                self._blocked.discard(correction.name.casefold())
            else:
                self._blocked.add(spelt)

    def spellings(self) -> dict[str, tuple[str, str]]:
        """All spellings that are known, folded in case: the label and the name that each stands for.

        Corrections come before what was counted, names before other spellings of names.
        """
        found: dict[str, tuple[str, str]] = {}
        sure = [(name, known) for name, known in self.names.items() if known.is_sure(name)]
        for name, known in sure:
            for spelling in known.spellings:
                found[spelling.casefold()] = (known.label, name)
        for name, known in sure:
            found[name.casefold()] = (known.label, name)
        for spelt, (name, label) in self._spelt.items():
            known_label = label or found.get(spelt, found.get(name.casefold(), ("person", name)))[0]
            for spelling in [key for key, (_, stood) in found.items() if stood.casefold() == spelt]:
                found[spelling] = (known_label, name)
            found[spelt] = found[name.casefold()] = (known_label, name)
        return {spelling: what for spelling, what in sorted(found.items()) if spelling not in self._blocked}

    def likely(self, limit: int) -> list[str]:
        """Names that are likely to be said next, likeliest first: named often, lately, or corrected by the person."""
        latest = max((known.last for known in self.names.values()), default=0.0)
        weights: dict[str, float] = {}
        for name, known in self.names.items():
            if not known.is_sure(name):
                continue
            right = self._spelt.get(name.casefold(), (name, ""))[0]
            weight = math.log1p(known.count) * 0.5 ** ((latest - known.last) / HALF_LIFE_S)
            weights[right] = max(weights.get(right, 0.0), weight)
        for name, _ in self._spelt.values():
            weights[name] = weights.get(name, 0.0) + math.log1p(CORRECTION_WEIGHT)
        ranked = sorted(weights, key=lambda name: (-weights[name], name))
        return [name for name in ranked if name.casefold() not in self._blocked][:limit]

    def tallies(self, label: str, limit: int) -> dict[str, tuple[int, float]]:
        """Names of a label that come up most: how often, and when last.  As corrected: each once, by its right name."""
        found: dict[str, tuple[int, float]] = {}
        for name, known in self.names.items():
            right, told = self._spelt.get(name.casefold(), (name, ""))
            is_shown = known.is_sure(name) or name.casefold() in self._spelt
            if is_shown and (told or known.label) == label and right.casefold() not in self._blocked:
                count, last = found.get(right, (0, 0.0))
                found[right] = (count + known.count, max(last, known.last))
        return dict(sorted(found.items(), key=lambda item: (-item[1][0], item[0]))[:limit])

    def copy(self) -> Lexicon:
        """Another one that knows the same."""
        other = Lexicon.unpack(self.pack())
        other._spelt, other._blocked = dict(self._spelt), set(self._blocked)
        return other

    def pack(self) -> bytes:
        """As bytes; corrections are not in it, they are feedback."""
        names = {
            name: [known.count, known.last, known.labels, known.spellings, known.inner]
            for name, known in sorted(self.names.items())
        }
        return pack({"built_to": self.built_to, "names": names})

    @classmethod
    def unpack(cls, data: bytes) -> Lexicon:
        """What `pack` made."""
        rest: dict[str, Any] = unpack(data, "a lexicon")[0]
        lexicon = cls()
        lexicon.built_to = rest["built_to"]
        lexicon.names = {name: Name(*values) for name, values in rest["names"].items()}
        return lexicon
