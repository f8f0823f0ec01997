"""Links and commands from plain Python: to natant, and to every other host that speaks WARP.

    async with natant.client.connect("warp://127.0.0.1:9001") as client:
        position = client.value("/vehicle/7", "position", Position)
        await position.synced()
        print(position.get(), position.age())
        async for change in position:
            print(change.new)

:func:`connect` is for asyncio; :mod:`natant.client.blocking` has the same for programs without a loop.
"""

from __future__ import annotations

from natant.client.client import Client, connect
from natant.client.follow import Changes
from natant.client.handle import EventLink, ListLink, MapLink, ValueLink
from natant.client.timing import Timing
from natant.link.change import Change
from natant.link.state import State

__all__ = [
    "Change",
    "Changes",
    "Client",
    "EventLink",
    "ListLink",
    "MapLink",
    "State",
    "Timing",
    "ValueLink",
    "connect",
]
