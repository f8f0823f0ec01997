"""What a worker does to forget: carry out a deletion until every part has confirmed it, or erase a person.

Killed at any moment it is done again, and goes on where it was (`keepsake.custody.deletion`, `keepsake.custody.erasure`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import natant.client
from natant import Job, Refused

from keepsake.agent.value import ForgetJob, Forgotten
from keepsake.custody.deletion import BlobPart, Deletion, Order, Part
from keepsake.custody.erasure import Erasure
from keepsake.custody.ledger import Ledger
from keepsake.errors import KeepsakeError
from keepsake.model import forget as forget_model
from keepsake.pipeline.read import GONE
from keepsake.pipeline.shelf import GENERATION, Desk

if TYPE_CHECKING:
    from keepsake.pipeline.house import House
from keepsake.pipeline.parcel import Parcels

__all__ = ["forget"]

#: messages in one order
ORDER_MESSAGES: Final = 5_000
#: passages of a message that feedback may be about
PARTS: Final = 256


class ModelPart:
    """What was learnt of the messages: all is learnt anew without them."""

    name = "model"

    def __init__(self, house: House, desk: Desk) -> None:
        self._house = house
        self._desk = desk

    def remove(self, order: Order) -> int:
        """Learn again from what is left."""
        memories = [f"{message}#{part}" for message in order.messages for part in range(PARTS)]
        desk = self._desk
        forget_model(desk.store, self._house.embedder, memories, log=desk.log, by=f"/person/{desk.person}")
        return 1

    def find(self, text: str) -> list[str]:
        """Its parts are documents of the store, which is searched by itself."""
        return []


class IndexPart:
    """What is resident in any process: made anew when it is next used."""

    name = "index"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def remove(self, order: Order) -> int:
        """Have every process make its index anew."""
        store = self._desk.store
        with store.write() as writer:
            writer.set_built(GENERATION, store.built(GENERATION) + 1)
        self._desk.refresh()
        return 1

    def find(self, text: str) -> list[str]:
        """Where the index of this process still has it."""
        words = text.split()
        return ["resident"] if words and all(self._desk.index().holds(word) for word in words) else []


class AgentHolder:
    """Everything that agents below the person's own hold: streams with what waits in them, questions, capsules, vaults."""

    name = "agent"

    def __init__(self, house: House) -> None:
        self._house = house

    def erase(self, person: str) -> int:
        """Have each agent remove itself."""
        return asyncio.run(self._remove(person))

    def left(self, person: str) -> list[str]:
        """Agents that are still there."""
        return asyncio.run(self._there(person))

    async def _there(self, person: str) -> list[str]:
        async with self._client() as client:
            return await self._nodes(client, person)

    async def _nodes(self, client: Any, person: str) -> list[str]:
        found: list[str] = []
        for prefix in (f"/person/{person}/", f"/vault/{person}/"):
            found += [str(agent["node"]) for agent in await client.nodes(prefix)]
        return found

    async def _remove(self, person: str) -> int:
        count = 0
        async with self._client() as client:
            for node in await self._nodes(client, person):
                await client.ask(node, "vanish")
                count += 1
        return count

    def _client(self) -> Any:
        return natant.client.connect(self._house.address(), auth={"token": self._house.worker_token()})


def _messages(desk: Desk, stream: str) -> Iterator[list[str]]:
    """Ids of a stream's messages, as many as one order takes."""
    found: list[str] = []
    after = 0
    while messages := desk.store.messages(after=after):
        after = messages[-1].seq
        found += [message.id for message in messages if message.stream == stream]
        while len(found) >= ORDER_MESSAGES:
            yield found[:ORDER_MESSAGES]
            found = found[ORDER_MESSAGES:]
    if found:
        yield found


def forget(house: House, job: Job[ForgetJob]) -> Forgotten:
    """Delete messages, a stream, or the person."""
    what = job.input
    if what.kind == "person":
        return _erase(house, job)
    try:
        desks = house.shelf.desk(what.person)
        with desks as desk:
            deletion = Deletion(desk.store, desk.key, desk.log, time.time)
            parts: list[Part] = [BlobPart(house.blobs), Ledger(house.ring), ModelPart(house, desk), IndexPart(desk)]
            if what.kind == "stream":
                with desk.store.write() as writer:
                    writer.put_document(GONE, what.stream, b"")
            lists = [what.messages] if what.kind == "message" else list(_messages(desk, what.stream))
            certificates = []
            for number, messages in enumerate(lists):
                job.progress(number / len(lists), f"{len(messages)} messages")
                order = deletion.order(messages, by=what.person, id=f"{job.id.replace('/', '.')}.{number}")
                certificates.append(deletion.carry_out(order, parts).decode())
    except KeepsakeError as error:
        if error.code in {"KS-KEY-001", "KS-CUSTODY-008"}:
            raise Refused(str(error)) from None
        raise
    return Forgotten(certificates)


def _erase(house: House, job: Job[ForgetJob]) -> Forgotten:
    person = job.input.person
    erasure = Erasure(house.ring, house.stores, house.blobs, house.data / "erased", time.time)
    if house.ring.has(person):
        erasure.order(person, by=person)
    house.shelf.put_away(person)
    job.progress(0.1, "ordered")
    return Forgotten([erasure.carry_out(person, [AgentHolder(house), Parcels(house)]).decode()])
