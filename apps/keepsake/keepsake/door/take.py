"""Having a stream's agent keep pieces; the caller waits as long as there is no room for them."""

from __future__ import annotations

import asyncio
from typing import Final

from natant import NatantError
from natant.server import Caller

from keepsake.agent.value import Take, Taken
from keepsake.door.caller import code_of

__all__ = ["take"]

#: seconds until pieces are tried again for which there was no room, and the longest such wait
WAIT_S: Final = 0.1
WAIT_LIMIT_S: Final = 5.0
#: what passes by itself: the stream or the agent is full, the store or the plane is busy or on its way to another worker
_PASSING: Final = frozenset(
    ("KS-AGENT-004", "NT-TURN-007", "NT-TURN-009", "NT-TURN-018", "NT-STORE-005", "NT-FABRIC-304")
)


async def take(caller: Caller, node: str, what: Take) -> int:
    """Keep pieces; returns, once they are durable, the number that the stream wants next.

    :param node: the stream's agent.
    :raises NatantError: where it refuses them.
    """
    wait_s = WAIT_S
    while True:
        try:
            taken: Taken = (await caller.command(node, "take", what, Taken)).value
        except NatantError as error:
            if code_of(error)[0] not in _PASSING:
                raise
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, WAIT_LIMIT_S)
        else:
            return taken.next
