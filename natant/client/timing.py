"""All of the client's durations and bounds in one table, and the clock it runs by."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

#: how long the first connection may take before :func:`natant.client.connect` gives up
CONNECT_WAIT_S: Final = 10.0
#: how long one try to connect may take
HANDSHAKE_WAIT_S: Final = 5.0
#: how long ``linked()`` and ``synced()`` wait where nothing else is said
LINK_WAIT_S: Final = 30.0
#: how long closing waits for what is still to be sent
CLOSE_WAIT_S: Final = 2.0
#: silence after which the host is pinged; Java hosts drop a connection that was quiet for 90 s
PING_IDLE_S: Final = 15.0
#: silence after a ping at which the connection counts as dead
PONG_WAIT_S: Final = 10.0
#: how long one acknowledged command or read may take
ASK_WAIT_S: Final = 30.0
#: how often an acknowledged command is tried, always with the same id
MAX_ASK_TRIES: Final = 6
#: first wait before connecting again: between the first and the second; then more by the factor, up to the cap
BACKOFF_FIRST_S: Final = (0.5, 1.5)
BACKOFF_FACTOR: Final = 1.8
BACKOFF_CAP_S: Final = 15.0
#: a connection that lasted so long was a good one: the next wait is a first one
STEADY_S: Final = 5.0
#: the largest message that is taken, after reassembly of its fragments
MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024
#: bytes that may wait in the connection's buffer before a command is refused
MAX_UNSENT_BYTES: Final = 16 * 1024 * 1024
#: changes that may wait for one slow follower
MAX_CHANGES: Final = 4096


@dataclass(frozen=True)
class Timing:
    """The clock, the sleep and the randomness of a client; tests give their own.

    :param now: seconds, of any origin, that never go back.
    :param sleep: waits so many seconds.
    :param random: makes the jitter and the ids of commands.
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    random: random.Random = field(default_factory=random.SystemRandom)
