"""A program of a tenant's user: it shows who it is with a .creds file, and follows a counter for as long as it likes."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

# part: follow
from natant.client import connect
from natant.tenant import Credentials


async def main(url: str, file: str) -> None:
    ann = Credentials.read(Path(file))
    async with connect(url, auth=ann.auth) as client:
        total = await client.value("/counter/a", "total", int).synced()
        changes = total.changes()
        await client.ask("/counter/a", "add", 2)
        print((await anext(changes)).new)


# end: follow
if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
