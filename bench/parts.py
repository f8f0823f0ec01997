"""What an agent consists of, and what each part takes.

    .venv/bin/python -m bench.parts [AGENTS]

Agents with one value lane are brought to life in this process, by commands that come over a link's session as they come from a socket.  Then one is
taken apart: every object that is reached from it and from no other agent, with its size as Python tells it, rounded up to the sixteen bytes
that memory is handed out in.  The table of agents is divided among all.  What the process really grew by is printed beside it.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections import Counter
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from natant import Agent, Plane, build, lane
from natant.host import Host
from natant.loop import LoopEnv, new_loop
from natant.store.memory import MemoryStore

AGENTS = 200_000
#: memory is handed out in pieces of so many bytes
GRAIN = 16
PAGE = 4096
#: what is never an agent's own
SHARED = (type, ModuleType, FunctionType)


class Cell(Agent, route="/cell/{id}"):
    """One value lane."""

    info = lane.value()


class Nobody:
    """A peer that hears nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


def resident() -> int:
    """Bytes this process holds."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE


def size(thing: object) -> int:
    """Bytes that an object takes, its header for the collector included."""
    return (sys.getsizeof(thing) + GRAIN - 1) // GRAIN * GRAIN


def reached(first: object) -> dict[int, object]:
    """Everything that can be reached from an object, classes and functions left out."""
    found: dict[int, object] = {}
    left = [first]
    while left:
        thing = left.pop()
        if id(thing) in found or isinstance(thing, SHARED):
            continue
        found[id(thing)] = thing
        # The table of agents leads to all others.
        if isinstance(thing, dict) and len(thing) > 1_000:
            continue
        left += gc.get_referents(thing)
    return found


def own(agent: object, other: object) -> list[object]:
    """What belongs to one agent alone."""
    shared = reached(other)
    return [thing for key, thing in reached(agent).items() if key not in shared]


async def main(count: int) -> dict[str, Any]:
    """Make agents and take one apart."""
    host = Host(Plane("parts", [Cell]), store=MemoryStore(), env=LoopEnv(), is_volatile=True)
    await host.start()
    session = host.connect(Nobody(), remote="127.0.0.1:1")
    gc.collect()
    before = resident()
    for number in range(count):
        session.receive(f'@command(node:"/cell/{number}",lane:info){{t:0,v:{number + 1000}}}'.encode())
        if number % 1_000 == 0:
            await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    gc.collect()
    grown = resident() - before
    agents: Any = host.kernel.agents
    alive = list(agents.values())
    assert len(alive) == count, len(alive)
    parts: Counter[str] = Counter()
    for thing in own(alive[count // 2], alive[count // 3]):
        parts[type(thing).__name__] += size(thing)
        if isinstance(
            thing, Agent
        ):  # compiled, it does not show its name to the collector, which cannot be part of a cycle
            parts["str, its name"] = size(thing.node)
    parts["its entry in the table of agents"] = round(sys.getsizeof(agents) / count)
    await host.stop()
    return {"agents": count, "resident": grown / count, "parts": dict(parts.most_common()), "sum": sum(parts.values())}


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_loop) as runner:
        found = runner.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else AGENTS))
    print(f"natant's hot modules: {build.summary()}", file=sys.stderr)
    for name, held in found["parts"].items():
        print(f"{held:6} {name}", file=sys.stderr)
    print(f"{found['sum']:6} together; the process grew by {found['resident']:.0f} an agent", file=sys.stderr)
    print(json.dumps(found))
