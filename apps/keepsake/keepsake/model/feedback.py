"""What a person says of what Keepsake did: which memories answered, where a memory belongs, how a name is spelt, which words fit.

Each is a document of kind ``feedback``, named by its time, a digest of its content and its kind: given twice it is kept once, and
documents are in the order of time.  What is about a message that is deleted is deleted with it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from keepsake.errors import KeepsakeError
from keepsake.recall.feature import NAMES
from keepsake.recall.refusal import SIGNS
from keepsake.store.contract import Store, Writer

__all__ = ["FEEDBACK_LIMIT", "Feedback", "Given", "Named", "Placed", "Rated", "Worded", "feedback", "given", "withdraw"]

KIND: Final = "feedback"
#: the latest that are learnt from; older ones stay stored
FEEDBACK_LIMIT: Final = 20_000
#: hits of a look that are kept with a rating: what was on show and what might have been
HITS_LIMIT: Final = 30
#: times are before the year 5000
LATEST_S: Final = 95_617_584_000.0
#: characters of a question, a name, a wording
TEXT_LIMIT: Final = 4_000

Floats: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Rated:
    """A judgement of what was found for a question.

    :ivar hits: ids of the memories that were found, best first; ``features`` has a row for each (`Hit.features`).
    :ivar right: those that answer.  Empty with ``is_known=False``: nothing does, "you could not know that".
    :ivar signs: `Found.signs` of that look.
    :ivar feature_names: of the columns, and ``sign_names``: as they were that day, since a later Keepsake may have others.
    """

    at: float
    question: str
    hits: tuple[str, ...]
    features: Floats
    signs: Floats
    right: tuple[str, ...]
    is_known: bool
    feature_names: tuple[str, ...] = NAMES
    sign_names: tuple[str, ...] = SIGNS

    def features_as(self, names: tuple[str, ...]) -> Floats:
        """The features in the columns of today; 0 where there was none."""
        return _columns(self.features, self.feature_names, names)

    def signs_as(self, names: tuple[str, ...]) -> Floats:
        """The signs in the places of today; 0 where there was none."""
        return _columns(self.signs.reshape(1, -1), self.sign_names, names).reshape(-1)


@dataclass(frozen=True, slots=True)
class Placed:
    """A memory belongs to an area of life, or to a category of the person's own."""

    at: float
    memory: str
    text: str
    area: str


@dataclass(frozen=True, slots=True)
class Named:
    """How a name is spelt, and of what it is.

    :ivar spelt: as it stood, ``Shavon``.
    :ivar name: as it should, ``Siobhan``; empty: it is no name at all.
    :ivar label: of `Entity`; empty: as it was.
    :ivar memory: where it stood; empty for one from a list of contacts.
    """

    at: float
    spelt: str
    name: str
    label: str = ""
    memory: str = ""


@dataclass(frozen=True, slots=True)
class Worded:
    """A suggestion that was accepted, or what was written in its place.

    :ivar offered: all wordings that were offered.
    :ivar kept: what the person sent.
    :ivar memories: what the suggestion was made of.
    """

    at: float
    offered: tuple[str, ...]
    kept: str
    memories: tuple[str, ...] = ()


Feedback: TypeAlias = Rated | Placed | Named | Worded

_KINDS: Final[dict[str, type[Any]]] = {"rated": Rated, "placed": Placed, "named": Named, "worded": Worded}


@dataclass(frozen=True, slots=True)
class Given:
    """Stored feedback; ``digest`` is of its content."""

    name: str
    digest: str
    feedback: Feedback


def _columns(table: Floats, held: tuple[str, ...], wanted: tuple[str, ...]) -> Floats:
    if held == wanted:
        return table
    places = {name: place for place, name in enumerate(held)}
    found = np.zeros((len(table), len(wanted)), np.float32)
    for column, name in enumerate(wanted):
        if name in places:
            found[:, column] = table[:, places[name]]
    return found


def feedback(writer: Writer, what: Feedback) -> str:
    """Store feedback; gives the document's name.

    :raises KeepsakeError: ``KS-MODEL-002`` where it makes no sense.
    """
    data = _encode(what)
    name = f"{what.at:015.3f}-{hashlib.sha256(data).hexdigest()[:16]}-{type(what).__name__.lower()}"
    writer.put_document(KIND, name, data)
    return name


def given(store: Store, *kinds: type[Feedback]) -> Iterator[Given]:
    """Stored feedback of some kinds (none: all) in the order of time, the latest `FEEDBACK_LIMIT`."""
    wanted = {kind.__name__.lower() for kind in kinds}
    for name in store.documents(KIND)[-FEEDBACK_LIMIT:]:
        _, digest, kind = name.split("-")
        data = store.document(KIND, name) if not wanted or kind in wanted else None
        if data is not None:
            yield Given(name, digest, _decode(data))


def withdraw(store: Store, writer: Writer, memories: Collection[str]) -> list[str]:
    """Remove all feedback that is about memories; gives the documents' names.

    Ratings go that have one of them among their hits, since the question was asked in view of it.
    """
    gone = set(memories)
    names = []
    for name in store.documents(KIND):
        data = store.document(KIND, name)
        if data is not None and gone & set(_about(_decode(data))):
            writer.remove_document(KIND, name)
            names.append(name)
    return names


def _about(what: Feedback) -> tuple[str, ...]:
    match what:
        case Rated():
            return what.hits + what.right
        case Worded():
            return what.memories
        case _:
            return (what.memory,)


def _wrong(what: Feedback) -> str:
    """What is wrong with it; empty where nothing is."""
    match what:
        case Rated():
            texts = [what.question]
            if what.features.shape != (len(what.hits), len(what.feature_names)):
                return f"{len(what.hits)} hits with features of shape {what.features.shape}"
            if what.signs.shape != (len(what.sign_names),):
                return f"{len(what.sign_names)} signs were expected, got the shape {what.signs.shape}"
            if what.is_known != bool(what.right):
                return "a rating names what answers, or says that nothing does"
        case Placed():
            texts = [what.text, what.area]
            if not (what.area and what.memory):
                return "a memory and an area are needed"
        case Named():
            texts = [what.spelt, what.name, what.label]
            if not what.spelt:
                return "the spelling that stood there is missing"
        case Worded():
            texts = [*what.offered, what.kept]
            if not what.kept:
                return "what was sent is missing"
    if any(len(text) > TEXT_LIMIT for text in texts):
        return f"a text of more than {TEXT_LIMIT} characters"
    if not (math.isfinite(what.at) and 0 <= what.at < LATEST_S):
        return f"its time is {what.at}; seconds since 1970 were expected"
    return ""


def _encode(what: Feedback) -> bytes:
    """JSON whose texts stand as they are, so that a search for what should be deleted finds them."""
    if wrong := _wrong(what):
        raise KeepsakeError("KS-MODEL-002", f"feedback ({type(what).__name__.lower()}) cannot be kept: {wrong}")
    content: dict[str, Any] = {"kind": type(what).__name__.lower()}
    for field in fields(what):
        value = getattr(what, field.name)
        if field.name == "hits":
            value = value[:HITS_LIMIT]
        elif field.name == "features":
            value = _floats(value[:HITS_LIMIT])
        elif field.name == "signs":
            value = _floats(value)
        elif field.name.endswith("_names"):
            value = ",".join(value)
        content[field.name] = value
    return json.dumps(content, ensure_ascii=False, sort_keys=True).encode()


def _floats(table: Floats) -> dict[str, Any]:
    packed = zlib.compress(np.ascontiguousarray(table, "<f2").tobytes())
    return {"shape": table.shape, "half": base64.b64encode(packed).decode()}


def _decode(data: bytes) -> Feedback:
    content = json.loads(data)
    kind = _KINDS[content.pop("kind")]
    for name, value in content.items():
        if isinstance(value, dict):
            packed = zlib.decompress(base64.b64decode(value["half"]))
            content[name] = np.frombuffer(packed, "<f2").astype(np.float32).reshape(value["shape"])
        elif isinstance(value, list):
            content[name] = tuple(value)
        elif name.endswith("_names"):
            content[name] = tuple(value.split(","))
    what: Feedback = kind(**content)
    return what
