"""What travels between doors, agents and workers.

What a person said is in ``sealed`` fields only: commands, jobs and durable lanes lie in journals and queues, which everybody who runs the
machine can read.  What opens them is `keepsake.agent.seal`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from keepsake.model.state import ModelState

__all__ = [
    "Answered",
    "Ask",
    "Asked",
    "Correction",
    "Figures",
    "Forget",
    "ForgetJob",
    "Forgotten",
    "Give",
    "GrantState",
    "Granted",
    "HearJob",
    "HeardAll",
    "HeardPiece",
    "LearnJob",
    "Learned",
    "Line",
    "Noted",
    "Notice",
    "Offer",
    "Piece",
    "Rated",
    "Rating",
    "ReadJob",
    "Reading",
    "StreamState",
    "Take",
    "Taken",
    "Tally",
]


@dataclass(frozen=True, slots=True)
class Take:
    """Pieces to be kept.

    :ivar number: of the first one; each stream counts its pieces from 0, and the others follow without a gap.
    :ivar kind: ``text``, ``web`` or ``audio``; a stream has one kind for good.
    :ivar pieces: sealed: a draft of a message as JSON, or samples (16 kHz, mono, 16 bit).
    :ivar lengths: samples in each piece, for ``audio``.
    :ivar at: when the first piece was captured, epoch seconds, for ``audio``; 0: now.
    """

    number: int
    kind: str
    pieces: list[bytes]
    lengths: list[int] = field(default_factory=list)
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer to `Take`: all pieces before ``next`` are durable."""

    next: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A captured piece that has not been stored in the person's memory yet.

    :ivar start: where it begins in its stream, in samples (``audio``).
    :ivar length: samples in it.
    :ivar at: when it was captured, epoch seconds.
    :ivar blob: name of a content in the blob store, where it was moved there since it waits for long: there it is the ``size``
        bytes from ``offset`` on.
    """

    sealed: bytes
    start: int = 0
    length: int = 0
    at: float = 0.0
    blob: str = ""
    offset: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class StreamState:
    """How a stream is doing.

    :ivar opened: when its first piece came, epoch seconds; ``changed`` the last one.
    :ivar received: pieces that are durable; ``stored`` of them are in the person's memory.
    :ivar bytes: of pieces that are stored; those that wait are counted in the lane ``waiting``.
    :ivar aside: pieces that nobody could make sense of; they are kept.
    :ivar seconds: of sound received.
    """

    kind: str = ""
    opened: float = 0.0
    changed: float = 0.0
    received: int = 0
    stored: int = 0
    aside: int = 0
    bytes: int = 0
    seconds: float = 0.0
    is_ended: bool = False


@dataclass(frozen=True, slots=True)
class ReadJob:
    """Pieces of a stream, from ``first``, to be read into the person's memory."""

    person: str
    stream: str
    first: int
    kind: str
    pieces: list[bytes]


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of them: all are stored.

    :ivar messages: new ones among them.
    :ivar lines: what to show of them, sealed: JSON of a list of `Line`.
    :ivar head: the sequence of the person's newest message.
    """

    messages: int
    memories: int
    head: int
    lines: bytes


@dataclass(frozen=True, slots=True)
class HearJob:
    """A stream of sound to be followed until nothing is left to hear."""

    person: str
    stream: str


@dataclass(frozen=True, slots=True)
class HeardAll:
    """A stream was followed up to a sample; seconds of sound, and of a processor that it took."""

    samples: int
    seconds: float
    busy_s: float


@dataclass(frozen=True, slots=True)
class HeardPiece:
    """Sound that was understood and is stored: pieces that end at or before ``samples`` need not be kept any more."""

    samples: int
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A memory as it is shown in a list.

    :ivar names: who and what is named, with labels.
    """

    memory: str
    said_at: float
    text: str
    speaker: str = ""
    names: list[tuple[str, str]] = field(default_factory=list)
    areas: list[str] = field(default_factory=list)
    app: str = ""
    meant: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """What a stream tells its person after pieces were stored."""

    stream: str
    state: StreamState
    reading: Reading | None


@dataclass(frozen=True, slots=True)
class Tally:
    """How often something was named, and when last."""

    count: int
    last: float


@dataclass(frozen=True, slots=True)
class Figures:
    """A person in numbers; nothing of what was said.

    :ivar head: the sequence of the newest message.
    :ivar heard_s: seconds of sound that were heard; ``busy_s`` seconds of a processor that took.
    """

    messages: int = 0
    memories: int = 0
    streams: int = 0
    head: int = 0
    bytes: int = 0
    ratings: int = 0
    heard_s: float = 0.0
    busy_s: float = 0.0


@dataclass(frozen=True, slots=True)
class LearnJob:
    """Have a person's model learn.

    :ivar is_whole: everything that is derived is made anew from the messages first.
    """

    person: str
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of it: the version that is live now, and the parts that went live with it."""

    model: ModelState
    changed: list[str]


@dataclass(frozen=True, slots=True)
class Ask:
    """A question.

    :ivar about: whose memories are asked; empty: one's own.
    :ivar as_of: only what was said until then, epoch seconds.
    :ivar grant: the id of the grant under which another person's memories are asked.
    :ivar style: ``quote``, or ``prose`` where a generation endpoint is configured, or ``mentor``.
    """

    text: str
    about: str = ""
    as_of: float | None = None
    limit: int = 3
    grant: str = ""
    style: str = "quote"
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on its way to another person's agent; the text is sealed with the asker's key."""

    asker: str
    question: str
    ask: bytes
    grant: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back, sealed with the asker's key; or why there is no answer."""

    answer: bytes = b""
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Rating:
    """What the asker thinks of an answer; the model learns from it.

    :ivar right: ids of memories that answer the question.
    :ivar is_unknowable: nothing that was said could answer it.
    """

    right: list[str] = field(default_factory=list)
    is_unknowable: bool = False


@dataclass(frozen=True, slots=True)
class Rated:
    """A rating on its way to the person whose memories were asked; the question is sealed with that person's key."""

    question: bytes
    rating: Rating


@dataclass(frozen=True, slots=True)
class Give:
    """A permission to be given; see `keepsake.custody.grant.Scope` for what bounds it.

    :ivar until: the first moment at which it is worth nothing, epoch seconds.
    """

    to: str
    until: float
    verbs: list[str] = field(default_factory=lambda: ["ask"])
    areas: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    streams: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    said_since: float | None = None
    said_until: float | None = None
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class GrantState:
    """A grant as it is shown."""

    to: str
    until: float
    purpose: str = ""
    revoked: float | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """A grant that was given; ``token`` is what the other person shows."""

    id: str
    token: str
    state: GrantState


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person should know of.

    :ivar kind: ``capsule``: one has opened; ``asked``: somebody was answered within a grant.
    :ivar node: what to look at.
    """

    at: float
    kind: str
    node: str


@dataclass(frozen=True, slots=True)
class Correction:
    """What the person says is so: a memory belongs to an area, or a name is spelt otherwise.  Sealed with the person's key.

    :ivar kind: ``area`` or ``name``.
    :ivar was: the name as it stood.
    :ivar should: the area, or the name as it should be; empty: it is no name.
    :ivar label: of the name (`keepsake.record.Entity`); empty: as it was.
    """

    kind: str
    should: str
    memory: str = ""
    was: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Forget:
    """What is to be forgotten, for good.

    :ivar kind: ``message`` (``messages`` names them), ``stream``, or ``person``: everything.
    """

    kind: str
    messages: list[str] = field(default_factory=list)
    stream: str = ""


@dataclass(frozen=True, slots=True)
class ForgetJob:
    """The same, for a worker."""

    person: str
    kind: str
    messages: list[str]
    stream: str


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Certificates: what was deleted, and that every part has confirmed it."""

    certificates: list[str]


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that the person might say, in their own words, and the memory that it comes from."""

    text: str
    memory: str
