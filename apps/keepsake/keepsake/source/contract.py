"""What an importer gives: parts, each of which becomes a stream of its own, made of posts or of sound.

An importer reads its file from the beginning to the end, holds no more of it than a post, and gives the same posts in the same order
each time: the place in that order is the post's number in its stream, which is what makes an import idempotent.  What cannot be read
is a :class:`Remark` with the number of its line; it never ends the import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from keepsake.record import Source

__all__ = ["POST_CHARS", "Choice", "Importer", "Part", "Post", "Recording", "Remark", "Unit"]

#: characters of one post; what is longer is split between its paragraphs
POST_CHARS: Final = 16_000


@dataclass(frozen=True, slots=True)
class Choice:
    """What the person said about the files.

    :ivar me: how the person is called in them (names, handles, addresses), in any case.
    :ivar zone: the IANA time zone in which times without a zone are meant; checked by whoever makes the choice.
    :ivar is_day_first: whether 4/5 is the fourth of May; None: what the file shows.
    :ivar app: the importer to use; empty: the one that knows the file.
    """

    me: tuple[str, ...] = ()
    zone: str = "UTC"
    is_day_first: bool | None = None
    app: str = ""

    def speaker(self, *names: str) -> str:
        """The first of somebody's names, or nothing where one of them is the person's own."""
        mine = {name.strip().casefold() for name in self.me}
        known = [name.strip() for name in names if name.strip()]
        return "" if not known or any(name.casefold() in mine for name in known) else known[0]


@dataclass(frozen=True, slots=True)
class Post:
    """One message to be.

    :ivar said_at: epoch seconds.
    :ivar speaker: empty: the person.
    :ivar at: how many bytes of the part lie before its end; for the progress.
    """

    text: str
    said_at: float
    speaker: str = ""
    source: Source = field(default_factory=Source)
    at: int = 0


@dataclass(frozen=True, slots=True)
class Remark:
    """Something of a file that a person should hear of.

    :ivar line: counted from 1; 0 where it concerns the whole file. In a JSON file it is the number of the element.
    :ivar is_fault: something could not be read; False: it was left out on purpose.
    """

    line: int
    what: str
    file: str = ""
    is_fault: bool = True


#: what a part consists of
Unit: TypeAlias = Post | Remark


@dataclass(frozen=True, slots=True)
class Part:
    """Posts that belong together: a chat, a channel, a mailbox, a diary.

    :ivar name: told to the person, ``general``, ``holidays.txt``.
    :ivar size: bytes, for the progress.
    :ivar read: gives the posts anew, from the first one.
    """

    app: str
    name: str
    size: int
    read: Callable[[], Iterator[Unit]]


@dataclass(frozen=True, slots=True)
class Recording:
    """A file of sound.

    :ivar said_at: when it begins, epoch seconds.
    :ivar rate: samples a second; the samples are mono, 16 bit, little endian.
    :ivar read: gives the samples anew, from the first one, in pieces of about a second; each with the bytes read by then.
    :ivar digest: SHA-256 of the file, hexadecimal.
    """

    app: str
    name: str
    size: int
    said_at: float
    rate: int
    digest: str
    source: Source
    read: Callable[[], Iterator[tuple[bytes, int]]]


class Importer(Protocol):
    """Knows one kind of file.

    :ivar app: its name, ``whatsapp``.
    :ivar what: what it reads, in a few words.
    """

    app: str
    what: str

    def fits(self, path: Path, head: str) -> bool:
        """Whether the file is of this kind; ``head`` is its first few thousand characters."""
        ...

    def open(self, path: Path, choice: Choice) -> Iterator[Part | Recording | Remark]:
        """The file's parts."""
        ...
