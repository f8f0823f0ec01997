"""The parked jobs of a plane's queues: keeping, listing, doing again, forgetting."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from natant.errors import QueueError
from natant.queue.message import Envelope, Parked, decode, encode
from natant.queue.nats.place import QueuePlace

if TYPE_CHECKING:
    from natant.fabric.nats.engine import Engine

__all__ = ["drop", "each", "find", "park", "retry", "submit"]

#: time for the server to take one
PARK_S: Final = 10.0
#: JetStream's numbers: no such message; another job of the key is in the queue
_NO_MESSAGE: Final = 10037
_KEY_TAKEN: Final = 10071


async def park(engine: Engine, place: QueuePlace, parked: Parked) -> None:
    """Keep a job that failed.

    :raises QueueError: ``NT-QUEUE-014`` where the server does not take it.
    """
    job = parked.job
    headers = {"Nats-Msg-Id": f"{job.queue}.{job.id}.{job.round}"}
    await _publish(engine, place.parked_job(job.id), encode(parked), headers, place.parked_stream)


async def submit(engine: Engine, place: QueuePlace, job: Envelope) -> None:
    """Put a job into its queue.

    :raises QueueError: ``NT-QUEUE-015`` where another one of its key is there; ``-014`` where the server does not take it.
    """
    headers = {"Nats-Msg-Id": job.id if not job.round else f"{job.id}.{job.round}"}
    if job.key:
        headers["Nats-Expected-Last-Subject-Sequence"] = "0"
        headers["Nats-Expected-Last-Subject-Sequence-Subject"] = place.key(job.key)
    await _publish(engine, place.job(job.id, job.key, job.priority), encode(job), headers, place.stream)


async def each(engine: Engine, place: QueuePlace) -> AsyncIterator[Parked]:
    """The parked jobs of a queue, oldest first.

    :raises QueueError: ``NT-QUEUE-014`` where the server cannot be asked.
    """
    after = 0
    while True:
        found = await _get(engine, place, {"seq": after + 1, "next_by_subj": f"{place.parked}.>"})
        if found is None:
            return
        after, payload = found
        yield _read(place, payload, after)


async def find(engine: Engine, place: QueuePlace, name: str) -> tuple[int, Parked]:
    """One parked job with its number.

    :raises QueueError: ``NT-QUEUE-016`` where it is not parked.
    """
    found = await _get(engine, place, {"last_by_subj": place.parked_job(name)})
    if found is None:
        raise QueueError(
            "NT-QUEUE-016",
            f"queue {place.queue} has no parked job {name!r}; natant queue parked {place.queue} lists them",
            http_status=404,
        )
    return found[0], _read(place, found[1], found[0])


async def retry(engine: Engine, place: QueuePlace, name: str) -> Parked:
    """Give a parked job another round of attempts.

    :raises QueueError: ``NT-QUEUE-014``, ``-015``, ``-016``, ``-009`` for what is no job.
    """
    number, parked = await find(engine, place, name)
    if not parked.job.node:
        raise QueueError("NT-QUEUE-009", f"what is parked as {name!r} is no job; natant queue drop forgets it")
    await submit(engine, place, replace(parked.job, round=parked.job.round + 1))
    await _delete(engine, place, number)
    return parked


async def drop(engine: Engine, place: QueuePlace, name: str) -> Parked:
    """Forget a parked job.

    :raises QueueError: ``NT-QUEUE-014``, ``-016``.
    """
    number, parked = await find(engine, place, name)
    await _delete(engine, place, number)
    return parked


def _read(place: QueuePlace, payload: bytes, number: int) -> Parked:
    try:
        parked: Parked = decode(Parked, payload)
    except QueueError as error:
        return Parked(Envelope(f"?{number}", place.queue, "", ""), str(error))
    return parked


async def _publish(engine: Engine, subject: str, payload: bytes, headers: dict[str, str], stream: str) -> None:
    from nats.errors import Error

    try:
        answer = await engine.nc.request(
            subject, payload, timeout=PARK_S, headers={**headers, "Nats-Expected-Stream": stream}
        )
    except Error as error:
        raise _refused(stream, str(error) or type(error).__name__) from error
    error_facts = json.loads(answer.data).get("error")
    if error_facts is None:
        return
    if error_facts.get("err_code") == _KEY_TAKEN:
        raise QueueError(
            "NT-QUEUE-015", "another job of its key is in the queue; try again when that is done", http_status=409
        )
    raise _refused(stream, error_facts.get("description", str(error_facts)))


async def _get(engine: Engine, place: QueuePlace, what: dict[str, Any]) -> tuple[int, bytes] | None:
    import base64

    answer = await _api(engine, f"STREAM.MSG.GET.{place.parked_stream}", what, place)
    if "error" in answer:
        if answer["error"].get("err_code") == _NO_MESSAGE:
            return None
        raise _refused(place.parked_stream, answer["error"].get("description", ""))
    message = answer["message"]
    return int(message["seq"]), base64.b64decode(message.get("data", ""))


async def _delete(engine: Engine, place: QueuePlace, number: int) -> None:
    answer = await _api(engine, f"STREAM.MSG.DELETE.{place.parked_stream}", {"seq": number}, place)
    if "error" in answer and answer["error"].get("err_code") != _NO_MESSAGE:
        raise _refused(place.parked_stream, answer["error"].get("description", ""))


async def _api(engine: Engine, call: str, what: dict[str, Any], place: QueuePlace) -> dict[str, Any]:
    from nats.errors import Error

    try:
        answer = await engine.nc.request(f"{engine.js._prefix}.{call}", json.dumps(what).encode(), timeout=PARK_S)
    except Error as error:
        raise _refused(place.parked_stream, str(error) or type(error).__name__) from error
    found: dict[str, Any] = json.loads(answer.data)
    return found


def _refused(stream: str, why: str) -> QueueError:
    return QueueError("NT-QUEUE-014", f"the NATS server does not do what stream {stream} needs: {why}", http_status=503)
