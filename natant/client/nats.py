"""Lanes that a plane shows in buckets, read from plain Python without asking the plane.

    async with natant.client.nats.bucket("nats://127.0.0.1:4222", plane="transit", name="fleet") as fleet:
        found = await fleet.get("/vehicle/7")
        if found is not None and found.age_s < 60:
            print(found.value, found.sequence)

A value is never newer than what is committed, and it may be older: :attr:`Shown.as_of` tells until when it is known to be the last one.
Needs ``natant[nats]``.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from natant.errors import ClientError
from natant.fabric.nats.bucket import bucket_key
from natant.fabric.nats.connect import connect
from natant.fabric.nats.subject import Subjects

if TYPE_CHECKING:
    from nats.aio.client import Client

__all__ = ["BucketReader", "Shown", "bucket"]

#: time for an answer
ANSWER_S: Final = 5.0
#: the server's word for "there is no such message"
_NOT_FOUND: Final = "404"


@dataclass(frozen=True, slots=True)
class Shown:
    """A value as a bucket shows it.

    :ivar value: the JSON value.
    :ivar sequence: the state of the lane after this commit of its store, or after a later one.
    :ivar source: the name of that store.
    :ivar put_at: when it was put there, in epoch seconds by the plane's clock.
    :ivar as_of: until when it is known to be the last one, in epoch seconds by the plane's clock.
    """

    value: Any
    sequence: int
    source: str
    put_at: float
    as_of: float

    @property
    def age_s(self) -> float:
        """Seconds since it was known to be the last one."""
        return max(0.0, time.time() - self.as_of)


class BucketReader:
    """Reads one bucket; made by :func:`bucket`."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._subject = f"$JS.API.DIRECT.GET.KV_{name}.$KV.{name}."
        self._name = name

    async def get(self, node: str, entry: str | None = None) -> Shown | None:
        """What is shown of a node, or of one entry of its map; None where nothing is.

        :raises ClientError: ``NT-CLIENT-009`` where the bucket cannot be read, or shows an error in place of the value.
        """
        message = await self._message(bucket_key(node, entry))
        if message is None or message.headers.get("KV-Operation"):
            return None
        headers = message.headers
        if "Natant-Error" in headers:
            raise ClientError(
                "NT-CLIENT-009",
                f"bucket {self._name} shows {headers['Natant-Error']} in place of the value of {node}; ask the plane",
            )
        put_at = int(headers.get("Natant-At", "0")) / 1000
        source = headers.get("Natant-Source", "")
        state = await self._message(f"_state.{source}")
        as_of = put_at
        if state is not None:
            as_of = max(put_at, json.loads(state.data)["at"] / 1000)
        return Shown(json.loads(message.data), int(headers.get("Natant-Sequence", "0")), source, put_at, as_of)

    async def _message(self, key: str) -> Any:
        from nats.errors import Error

        try:
            message = await self._client.request(self._subject + key, b"", timeout=ANSWER_S)
        except (Error, OSError) as error:
            raise ClientError(
                "NT-CLIENT-009",
                f"bucket {self._name} cannot be read ({type(error).__name__}); is its name right, may this user read it, is the "
                "server up?",
            ) from None
        return None if (message.headers or {}).get("Status") == _NOT_FOUND else message


@contextlib.asynccontextmanager
async def bucket(url: str, *, plane: str, name: str, credentials: Path | None = None) -> AsyncIterator[BucketReader]:
    """A connection that reads one bucket.

    :param url: of the NATS servers, user and password included where they are needed.
    :param plane: the plane's name.
    :param name: the bucket, as the lane declares it.
    :raises FabricError: where the servers cannot be reached.
    """
    client = await connect(url, name="natant bucket reader", credentials=credentials)
    try:
        yield BucketReader(client, Subjects(plane).lane_bucket(name))
    finally:
        await client.close()
