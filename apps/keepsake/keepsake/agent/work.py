"""What workers do: the functions of the queues.  Each may run twice, in part, for the same job: what it stores it stores once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from natant import Job, Refused

from keepsake.agent.seal import open_draft, seal_lines
from keepsake.agent.value import Reading, ReadJob
from keepsake.agent.view import line
from keepsake.errors import KeepsakeError
from keepsake.pipeline.read import keep
from keepsake.record import Kind

if TYPE_CHECKING:
    from keepsake.pipeline.house import House

__all__ = ["read"]


def read(house: House, job: Job[ReadJob]) -> Reading:
    """Read pieces of text into the person's memory."""
    what = job.input
    try:
        key = house.ring.key(what.person)
    except KeepsakeError as error:
        raise Refused(str(error)) from None  # deleted meanwhile: no attempt will find the key
    drafts = [open_draft(key, sealed, what.stream, what.first + place) for place, sealed in enumerate(what.pieces)]
    messages = [draft.message(what.stream, what.first + place, Kind(what.kind)) for place, draft in enumerate(drafts)]
    with house.shelf.desk(what.person) as desk:
        kept = keep(
            desk.store,
            messages,
            reader=house.reader,
            embedder=house.embedder,
            model=desk.model,
            log=desk.log,
            folder=desk.folder,
            by=f"/person/{what.person}/stream/{what.stream}",
        )
    lines = seal_lines(key, [line(memory) for memory in kept.memories if not memory.folds_into], what.stream)
    return Reading(kept.new, len(kept.memories), kept.head, lines)
