"""Making and looking at the streams of queues."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from natant.errors import QueueError
from natant.queue.message import PRIORITIES
from natant.queue.nats.place import QueuePlace
from natant.queue.policy import QueuePolicy

if TYPE_CHECKING:
    from natant.fabric.nats.engine import Engine

__all__ = ["PARKED_LIMIT", "Found", "count_parked", "find", "make", "make_parked", "names", "state_of"]

#: parked jobs of a plane; past that a job that failed stays in its queue, and the log says so
PARKED_LIMIT: Final = 100_000
#: a submission that comes again within this time is known to the server; later the agent's lane knows
DUPLICATE_S: Final = 120.0
#: jobs of one priority that workers may have at a time
HANDED_OUT: Final = 100_000
#: requests of workers that may wait for jobs of one priority
WAITING: Final = 20_000

_PARTITIONS: Final = "natant.partitions"
_QUEUE: Final = "natant.queue"
#: JetStream's numbers: no such stream; a stream of this name that is otherwise
_NO_STREAM: Final = 10059
_OTHER_STREAM: Final = 10058


@dataclass(frozen=True, slots=True)
class Found:
    """A queue as its stream tells of it."""

    policy: QueuePolicy
    partitions: int


@dataclass(frozen=True, slots=True)
class State:
    """What a stream counts: jobs that ever came in, those left, and when the oldest of these came (epoch seconds, 0 for none)."""

    added: int
    left: int
    oldest_at: float


async def make(engine: Engine, place: QueuePlace, policy: QueuePolicy) -> None:
    """Make the stream and the consumers of a queue, or bring them up to what is declared now.

    :raises QueueError: ``NT-QUEUE-014`` where the server refuses.
    """
    from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig

    config = StreamConfig(
        name=place.stream,
        subjects=[place.jobs],
        retention=RetentionPolicy.WORK_QUEUE,
        discard=DiscardPolicy.NEW,
        storage=StorageType.FILE,
        max_msgs=policy.limit,
        num_replicas=engine.replicas,
        duplicate_window=DUPLICATE_S,
        metadata={**policy.as_metadata(), _PARTITIONS: str(engine.spec.partitions), _QUEUE: place.queue},
    )
    await _make(engine, config)
    try:
        for priority in PRIORITIES:
            await engine.js.add_consumer(
                place.stream,
                ConsumerConfig(
                    name=priority,
                    durable_name=priority,
                    filter_subject=place.of_priority(priority),
                    ack_policy=AckPolicy.EXPLICIT,
                    ack_wait=policy.lost_s,
                    max_deliver=-1,
                    max_ack_pending=HANDED_OUT,
                    max_waiting=WAITING,
                ),
            )
    except _nats_error() as error:
        raise _refused(place.stream, error) from error


async def make_parked(engine: Engine, place: QueuePlace) -> None:
    """Make the plane's stream of parked jobs.

    :raises QueueError: ``NT-QUEUE-014`` where the server refuses.
    """
    from nats.js.api import DiscardPolicy, StorageType, StreamConfig

    await _make(
        engine,
        StreamConfig(
            name=place.parked_stream,
            subjects=[place.all_parked],
            discard=DiscardPolicy.NEW,
            storage=StorageType.FILE,
            max_msgs=PARKED_LIMIT,
            max_msgs_per_subject=1,
            num_replicas=engine.replicas,
            duplicate_window=DUPLICATE_S,
        ),
    )


async def _make(engine: Engine, config: Any) -> None:
    from nats.js.errors import APIError

    try:
        await engine.js.add_stream(config)
    except APIError as error:
        if error.err_code != _OTHER_STREAM:
            raise _refused(config.name, error) from error
    except _nats_error() as error:
        raise _refused(config.name, error) from error
    else:
        return
    try:
        await engine.js.update_stream(config)
    except _nats_error() as error:
        raise _refused(config.name, error) from error


async def find(engine: Engine, place: QueuePlace) -> Found | None:
    """What the stream of a queue promises; None where there is no such queue.

    :raises QueueError: ``NT-QUEUE-007`` where the stream does not say; ``-014`` where the server cannot be asked.
    """
    from nats.js.errors import APIError

    try:
        info = await engine.js.stream_info(place.stream)
    except APIError as error:
        if error.err_code == _NO_STREAM:
            return None
        raise _refused(place.stream, error) from error
    except _nats_error() as error:
        raise _refused(place.stream, error) from error
    data = info.config.metadata or {}
    policy = QueuePolicy.of_metadata(data)
    return Found(policy, int(data.get(_PARTITIONS, "64")))


async def names(engine: Engine) -> list[str]:
    """The queues of the engine's plane that the server knows.

    :raises QueueError: ``NT-QUEUE-014`` where the server cannot be asked.
    """
    found: list[str] = []
    asked = {"subject": f"{engine.subjects.root}.q.>", "offset": 0}
    while True:
        try:
            answer = await engine.nc.request(
                f"{engine.js._prefix}.STREAM.LIST", json.dumps(asked).encode(), timeout=10.0
            )
        except _nats_error() as error:
            raise _refused("of queues", error) from error
        page = json.loads(answer.data).get("streams") or []
        found += [str((info["config"].get("metadata") or {}).get(_QUEUE, "")) for info in page]
        asked["offset"] = len(found)
        if not page or len(found) >= int(json.loads(answer.data).get("total", 0)):
            return sorted(filter(None, found))


async def state_of(engine: Engine, place: QueuePlace) -> State:
    """What the stream of a queue counts.

    :raises nats.errors.Error: where the server cannot be asked.
    """
    # As JSON: the client's own type knows no time of the oldest message.
    answer = await engine.nc.request(f"{engine.js._prefix}.STREAM.INFO.{place.stream}", b"", timeout=5.0)
    state = json.loads(answer.data).get("state")
    if state is None:
        raise QueueError("NT-QUEUE-014", f"the stream of queue {place.queue} cannot be asked: {answer.data[:200]!r}")
    left = int(state["messages"])
    return State(int(state["last_seq"]), left, _epoch_s(state["first_ts"]) if left else 0.0)


async def count_parked(engine: Engine, place: QueuePlace) -> int:
    """How many jobs of a queue are parked.

    :raises nats.errors.Error: where the server cannot be asked.
    """
    info = await engine.js.stream_info(place.parked_stream, subjects_filter=f"{place.parked}.>")
    return len(info.state.subjects or {})


def _epoch_s(text: str) -> float:
    """RFC 3339 with nanoseconds."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + (float(f"0.{fraction}") if fraction else 0.0)


def _nats_error() -> type[Exception]:
    from nats.errors import Error

    return Error


def _refused(stream: str, error: Exception) -> QueueError:
    return QueueError(
        "NT-QUEUE-014",
        f"the NATS server refuses what stream {stream} needs: {str(error) or type(error).__name__}; look at the account's limits, "
        "and whether something else has the stream's subjects",
    )
