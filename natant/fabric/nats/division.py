"""Into how many partitions a plane is divided: decided when it is first shared, and for good.

The number stands in a bucket of the plane's own.  A node's partition follows from it, so another number would have the plane look for its
agents in the wrong journals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from natant.errors import FabricError
from natant.fabric.partition import DEFAULT_PARTITIONS

if TYPE_CHECKING:
    from natant.fabric.nats.engine import Engine

__all__ = ["settle_partitions"]

_KEY = "partitions"


async def settle_partitions(engine: Engine, asked: int | None) -> int:
    """The number of partitions of the engine's plane, which is decided now where it has not been.

    :param asked: what somebody wants; None: what there is, else 64.
    :raises FabricError: ``NT-FABRIC-308`` where the plane is divided otherwise.
    """
    from nats.js.api import KeyValueConfig
    from nats.js.errors import BucketNotFoundError, KeyNotFoundError, KeyWrongLastSequenceError

    name = f"{engine.subjects.name}-meta"
    try:
        bucket = await engine.js.key_value(name)
    except BucketNotFoundError:  # making one that somebody else has just made does nothing
        bucket = await engine.js.create_key_value(KeyValueConfig(bucket=name, history=1, replicas=engine.replicas))
    for _ in range(2):
        try:
            entry = await bucket.get(_KEY)
        except KeyNotFoundError:
            wanted = DEFAULT_PARTITIONS if asked is None else asked
            try:
                await bucket.create(_KEY, str(wanted).encode())
            except KeyWrongLastSequenceError:  # somebody was faster
                continue
            return wanted
        found = int(entry.value or b"0")
        if asked is not None and asked != found:
            raise FabricError(
                "NT-FABRIC-308",
                f"plane {engine.spec.plane!r} is divided into {found} partitions, for good, and {asked} were asked for; leave "
                "--partitions out",
            )
        return found
    raise FabricError("NT-FABRIC-308", f"the division of plane {engine.spec.plane!r} cannot be read; try again")
