"""Messages leave in their order, wait while the connection is away, and are bounded."""

from __future__ import annotations

import asyncio
from typing import Any

from natant.server.nats.limit import NatsLimit
from natant.server.nats.outflow import Outflow


class Client:
    """A client that notes what is published."""

    def __init__(self) -> None:
        self.is_connected = True
        self.sent: list[str] = []

    async def publish(self, subject: str, payload: bytes, headers: Any = None) -> None:
        if subject == "bad":
            raise ValueError(subject)
        self.sent.append(subject)


async def test_messages_leave_in_order_and_one_that_is_refused_harms_no_other() -> None:
    client = Client()
    flow = Outflow(client, NatsLimit())
    for subject in ("a", "bad", "b"):
        flow.put(subject, b"x")
    flow.start()
    await flow.stop(5)

    assert client.sent == ["a", "b"]
    assert (flow.sent, flow.dropped) == (2, 1)


async def test_answers_past_the_bound_are_dropped_and_events_held_back() -> None:
    client = Client()
    told: list[str] = []
    flow = Outflow(client, NatsLimit(out_messages=2))
    flow.on_room = lambda: told.append("room")
    flow.on_dropped = lambda subject, error: told.append(subject)
    for number in range(5):
        flow.put(str(number), b"")

    assert flow.is_full
    assert told == ["4"]
    flow.put("event", b"", is_event=True)
    flow.start()
    await flow.stop(5)
    assert told == ["4", "room"]
    assert client.sent == ["0", "1", "2", "3", "event"]


async def test_links_conflate_while_the_connection_is_away() -> None:
    client = Client()
    flow = Outflow(client, NatsLimit())
    told = asyncio.Event()
    flow.on_room = told.set
    client.is_connected = False

    assert flow.is_full
    client.is_connected = True
    flow.look()
    assert told.is_set()
    assert not flow.is_full
