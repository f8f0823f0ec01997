"""Which version of a person's model is live, of what parts, and how good each is: one document, shown as it is on the page."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Final

from keepsake.store.contract import Store, Writer

__all__ = [
    "KIND",
    "PARTS",
    "ModelState",
    "PartState",
    "document_name",
    "history",
    "put_state",
    "remove_history",
    "state",
]

KIND: Final = "model"
LIVE: Final = "live"
HISTORY: Final = "history/"
#: versions whose figures are kept, the latest
HISTORY_LIMIT: Final = 100

#: the parts of a model, in the order in which they learn
PARTS: Final = ("lexicon", "voice", "areas", "ranker", "refusal")


@dataclass(frozen=True, slots=True)
class PartState:
    """One part.

    :ivar version: of the model in which this part last changed; 0: what is shipped.
    :ivar learnt_from: pieces of feedback, or of text for those that count.
    :ivar measure: what ``champion`` and ``challenger`` are: a mean loss on what was held out, smaller is better.
    :ivar held_out: pairs that were compared at the last attempt.
    :ivar last: the name of the latest feedback that it learnt from.
    :ivar reason: why it changed or did not.
    """

    version: int = 0
    learnt_from: int = 0
    last: str = ""
    measure: str = ""
    champion: float = 0.0
    challenger: float = 0.0
    held_out: int = 0
    reason: str = "what is shipped"


@dataclass(frozen=True, slots=True)
class ModelState:
    """One version.

    :ivar version: counts up; 0: nothing was learnt yet.
    :ivar built_to: the sequence of the last message that it learnt from: "trained up to message N".
    :ivar feedback: pieces of feedback that were there, and ``last_feedback`` the latest one's name.
    :ivar learnt_at: epoch seconds.
    :ivar took_s: seconds that the learning took.
    """

    version: int = 0
    built_to: int = 0
    feedback: int = 0
    last_feedback: str = ""
    learnt_at: float = 0.0
    took_s: float = 0.0
    parts: dict[str, PartState] = field(default_factory=lambda: {part: PartState() for part in PARTS})


def state(store: Store) -> ModelState:
    """The version that is live."""
    data = store.document(KIND, LIVE)
    return ModelState() if data is None else _decode(data)


def history(store: Store) -> list[ModelState]:
    """Figures of the versions there were, oldest first."""
    found = [store.document(KIND, name) for name in store.documents(KIND) if name.startswith(HISTORY)]
    return [_decode(data) for data in found if data is not None]


def put_state(store: Store, writer: Writer, live: ModelState) -> bytes:
    """Make a version the live one, and remove parts that belong to none; gives the state as it is stored."""
    data = json.dumps(asdict(live), sort_keys=True).encode()
    writer.put_document(KIND, LIVE, data)
    writer.put_document(KIND, f"{HISTORY}{live.version:08d}", data)
    wanted = {document_name(name, part.version) for name, part in live.parts.items()}
    names = store.documents(KIND)
    told = [name for name in names if name.startswith(HISTORY)]
    for name in told[:-HISTORY_LIMIT]:
        writer.remove_document(KIND, name)
    for name in names:
        if name.partition("/")[0] in PARTS and name not in wanted:
            writer.remove_document(KIND, name)
    return data


def remove_history(store: Store, writer: Writer) -> None:
    """Remove the figures of earlier versions."""
    for name in store.documents(KIND):
        if name.startswith(HISTORY):
            writer.remove_document(KIND, name)


def _decode(data: bytes) -> ModelState:
    content = json.loads(data)
    content["parts"] = {name: PartState(**part) for name, part in content["parts"].items()}
    return ModelState(**content)


def document_name(part: str, version: int) -> str:
    """The name of a part's document."""
    return f"{part}/{version:08d}"
