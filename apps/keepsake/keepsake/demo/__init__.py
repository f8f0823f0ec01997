"""The demo's people: diaries, memos to be spoken, a chat, and questions to ask.  All of it is made up and written for Keepsake."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

__all__ = ["PEOPLE", "QUESTIONS", "Memo", "Character", "diary"]


@dataclass(frozen=True, slots=True)
class Memo:
    """Something said into a telephone.

    :ivar at: day and time, ``2024-09-24 19-40``, as in the name of its file.
    """

    at: str
    text: str


@dataclass(frozen=True, slots=True)
class Character:
    """A made-up person.

    :ivar zone: where they live.
    :ivar voice: of espeak-ng and of flite.
    """

    id: str
    name: str
    zone: str
    voice: tuple[str, str]
    memos: tuple[Memo, ...]


PEOPLE: Final = (
    Character(
        "ada",
        "Ada Moreau",
        "Europe/Lisbon",
        ("en-gb+f3", "slt"),
        (
            Memo("2024-09-24 19-40", "The cranes are gone. The bridge lies on its bearings. Nobody wanted to go home, so we ate soup from the foreman's pot."),
            Memo("2024-10-29 08-10", "Note to myself. Ask the landlord whether Gaspar can put his name on the door. And buy strings for the cello on Thursday."),
            Memo("2024-11-30 21-30", "Grandmother fell asleep in her hat. I counted the people on the bridge today. It was more than two thousand."),
            Memo("2024-12-14 22-05", "I played the sarabande. I forgot the notes and then my hands remembered them."),
        ),
    ),
    Character(
        "ben",
        "Ben Okafor",
        "Europe/London",
        ("en-gb", "rms"),
        (
            Memo("2024-07-27 12-15", "We sold everything before eleven. I have to order forty kilos of rye on Monday, and more butter than I dare to say."),
            Memo("2024-09-12 17-50", "My daughter put her hand on the bridge and was quiet for a whole minute. That has never happened before."),
            Memo("2024-12-20 20-45", "I spoke to my father today. He asked about the oven, and I told him that a monk had blessed it."),
        ),
    ),
)  # fmt: skip

#: what to ask, of whom, and words that a good answer has
QUESTIONS: Final = (
    ("ada", "When was the Amarante footbridge opened?", ("30 November 2024",)),
    ("ada", "Who repairs accordions?", ("Gaspar",)),
    ("ada", "What did grandmother Odette give me for her birthday?", ("thimble",)),
    ("ada", "How long is the main span of the footbridge?", ("84",)),
    ("ada", "When was Louise born?", ("August 2024",)),
    ("ada", "What is my blood type?", ()),
    ("ben", "What is the jackdaw called?", ("Winston",)),
    ("ben", "When did the bakery open again?", ("27 July 2024",)),
    ("ben", "Who blessed the oven?", ("Anselm",)),
    ("ben", "How fast did I run the half marathon?", ("1:52",)),
)


def diary(person: str) -> Path:
    """The person's diary, a file of Markdown."""
    return Path(str(files("keepsake.demo") / f"{person}.md"))
