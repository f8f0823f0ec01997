"""What travels between an agent, its queue and the workers: JSON, in which inputs and results are Recon text, so that nothing of their types is lost.

An agent submits an :class:`Envelope`; it becomes the message of the queue as it is.  A worker sends :class:`Report` s to the agent and gets an
:class:`Answer` to each.

===========  =====================================================  ==========================================================
report       says                                                   answers
===========  =====================================================  ==========================================================
``start``    a worker has the job and would begin an attempt        ``go`` with its number, ``over``, ``cancelled``, ``unknown``
``beat``     it is still at it                                      ``go``, ``over``, ``cancelled``, ``stale``, ``unknown``
``progress`` how far it is                                          as ``beat``
``release``  it stops without fault; the attempt does not count     as ``beat``
``retry``    the attempt failed and the job will be tried again     as ``beat``
``failed``   it failed for good and is parked                       ``over`` once that is durable
``done``     the result                                             ``over`` once that is durable
===========  =====================================================  ==========================================================

``over``: what became of the job is durable, so the queue may forget it.  ``unknown``: the agent does not know it (any more).
``stale``: another worker has it by now.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from natant.errors import QueueError

__all__ = ["PRIORITIES", "Answer", "Envelope", "Parked", "Priority", "Report", "decode", "encode"]

Priority = Literal["high", "normal", "low"]
#: in the order in which workers look for work
PRIORITIES: Final[tuple[Priority, ...]] = ("high", "normal", "low")


@dataclass(frozen=True)
class Envelope:
    """A job in its queue.

    :ivar id: its name, unlike that of any other job; also the entry's key in the lane of the agent that asked.
    :ivar node: the agent that asked, and ``lane`` its lane of jobs.
    :ivar key: jobs with the same key are done one at a time, in order; empty: no order.
    :ivar at: when it was submitted, in epoch seconds.
    :ivar round: how often it was taken out of the parked ones.
    :ivar input: what is to be done, as Recon text.
    """

    id: str
    queue: str
    node: str
    lane: str
    key: str = ""
    priority: Priority = "normal"
    about: str = ""
    at: float = 0.0
    round: int = 0
    input: str = ""


@dataclass(frozen=True)
class Report:
    """What a worker tells the agent that asked.

    :ivar run: names one delivery of the job to one worker.
    :ivar progress: from 0 to 1.
    :ivar error: why an attempt failed.
    :ivar result: with ``done``: what the function returned, as Recon text.
    :ivar due: when the next attempt may begin, in epoch seconds.
    :ivar ack: with ``start``: where the queue can be told that the job is to be delivered again, should the worker die.
    """

    kind: str
    id: str
    node: str
    lane: str
    run: str
    round: int = 0
    progress: float | None = None
    note: str = ""
    error: str = ""
    due: float = 0.0
    ack: str = ""
    result: str = ""


@dataclass(frozen=True)
class Answer:
    """What the agent says to it.

    :ivar kind: ``go``, ``over``, ``cancelled``, ``stale``, ``unknown``; ``later`` where the agent cannot be asked now.
    :ivar attempt: the number of the attempt, from 1.
    :ivar why: for people, with a code.
    """

    kind: str
    attempt: int = 0
    why: str = ""


@dataclass(frozen=True)
class Parked:
    """A job that failed for good, as it is kept.

    :ivar at: when it was parked, in epoch seconds.
    """

    job: Envelope
    cause: str = ""
    attempts: int = 0
    worker: str = ""
    at: float = 0.0


def encode(thing: Envelope | Report | Answer | Parked) -> bytes:
    """A message as JSON."""
    return _encoder.encode(thing)


def decode(kind: type[Any], payload: bytes | str) -> Any:
    """The message that ``payload`` holds.

    :raises QueueError: ``NT-QUEUE-009`` where it holds none.
    """
    try:
        return _DECODERS[kind].decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise QueueError(
            "NT-QUEUE-009",
            f"{len(payload)} bytes in a work queue are no {kind.__name__.lower()}: {error}; it was set aside",
        ) from error


_encoder: Final = msgspec.json.Encoder()
_DECODERS: Final[dict[type[Any], msgspec.json.Decoder[Any]]] = {
    kind: msgspec.json.Decoder(kind) for kind in (Envelope, Report, Answer, Parked)
}
