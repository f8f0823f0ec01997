"""Clients of the counter: ``python examples/counter/follow.py`` while ``natant run examples/counter/counter.py`` serves it."""

import asyncio
import sys

# part: asynchronous
import natant.client
from natant.client import blocking


async def follow(url: str) -> int | None:
    async with natant.client.connect(url) as client:
        total = client.value("/counter/visits", "total", int)
        await total.synced()
        changes = total.changes()
        client.command("/counter/visits", "add", 1)
        async for change in changes:
            print(f"{change.old} -> {change.new}, {total.age():.3f} s old")
            break
        await client.ask("/counter/visits", "add", 10)  # returns when the effect is on the disk
        return await client.get("/counter/visits", "total", int)
        # end: asynchronous


# part: blocking
def add_up(url: str) -> int | None:
    with blocking.connect(url) as client:
        total = client.value("/counter/visits", "total", int).synced()
        changes = total.changes(wait_s=5.0)
        client.command("/counter/visits", "add", 100)
        print(next(changes).new)
        return total.get()
        # end: blocking


if __name__ == "__main__":
    address = sys.argv[1] if len(sys.argv) > 1 else "warp://127.0.0.1:9001"
    asyncio.run(follow(address))
    add_up(address)
