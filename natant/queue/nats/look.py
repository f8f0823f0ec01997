"""The figures of a plane's queues, for whoever asks from outside."""

from __future__ import annotations

import asyncio
import contextlib
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from natant.errors import NatantError
from natant.queue.figure import Count, Figures, Meter, decode_news
from natant.queue.nats.place import QueuePlace
from natant.queue.nats.stream import count_parked, find, names, state_of

if TYPE_CHECKING:
    from natant.fabric.nats.engine import Engine

__all__ = ["look"]

#: long enough to hear of each worker once, and to see rates
LOOK_S: Final = 1.2


async def look(engine: Engine) -> list[Figures]:
    """The figures of all queues; takes a little more than a second.

    :raises QueueError: ``NT-QUEUE-014`` where the server cannot be asked.
    """
    meters: dict[str, tuple[QueuePlace, Meter]] = {}
    heard = []
    for name in await names(engine):
        place = QueuePlace(engine.subjects, name)
        found = await find(engine, place)
        if found is not None:
            meters[name] = place, Meter(name, found.policy)
            heard.append(await engine.nc.subscribe(place.news, cb=partial(_hear, meters[name][1])))
    for place, meter in meters.values():
        meter.look(await _count(engine, place))
    if meters:
        await asyncio.sleep(LOOK_S)
    figures = [meter.look(await _count(engine, place)) for place, meter in meters.values()]
    for subscription in heard:
        await subscription.unsubscribe()
    return figures


async def _hear(meter: Meter, message: Any) -> None:
    with contextlib.suppress(NatantError):
        meter.hear(time.time(), decode_news(message.data))


async def _count(engine: Engine, place: QueuePlace) -> Count:
    state = await state_of(engine, place)
    return Count(time.time(), state.added, state.left, await count_parked(engine, place), state.oldest_at)
