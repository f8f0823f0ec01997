"""A capsule is unreadable before its time, and tells its person when it opens."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import natant.testing
import pytest
from natant import Agent, Plane, command, lane

from keepsake.agent.capsule import Capsule, CapsuleNote, Fill, Vault
from keepsake.agent.seal import open_value
from keepsake.custody.capsule import open_capsule
from keepsake.errors import KeepsakeError
from keepsake.key import Ring

NODE = "/person/ann/capsule/c1"
VAULT = "/vault/ann/c1"
SECRET = "To myself at thirty: did you learn to sail?"


class Owner(Agent, route="/person/{person}"):
    told = lane.list(CapsuleNote)

    @command
    def capsule_changed(self, what: CapsuleNote) -> None:
        self.told.append(what)


@pytest.fixture
def plane(tmp_path: Path) -> Plane:
    ring = Ring(tmp_path)
    ring.make("ann")
    house = SimpleNamespace(ring=ring)
    bound: list[Any] = [type(cls.__name__, (cls,), {"house": house}) for cls in (Capsule, Vault)]
    return Plane("test", [*bound, Owner])


async def test_a_capsule_opens_at_its_time_and_not_before(plane: Plane) -> None:
    async with natant.testing.plane(plane) as p:
        opens_at = p.clock.now + 3600
        await p.command(NODE, "fill", Fill(SECRET, opens_at))
        await p.clock.jump(3599)
        assert await p.get(NODE, "content") is None
        assert (await p.get(NODE, "state")).opened_at is None

        await p.clock.jump(2)
        assert await p.get(NODE, "content") == SECRET
        told = await p.get("/person/ann", "told")
        assert [note.state.opened_at is not None for note in told] == [False, True]


async def test_the_timer_outlives_a_crash(plane: Plane) -> None:
    async with natant.testing.plane(plane) as p:
        await p.command(NODE, "fill", Fill(SECRET, p.clock.now + 3600))
        await p.crash()
        await p.clock.jump(3601)
        assert await p.get(NODE, "content") == SECRET
        await p.crash()
        assert await p.get(NODE, "content") == SECRET


async def test_an_event_opens_it_and_another_does_not(plane: Plane) -> None:
    async with natant.testing.plane(plane) as p:
        await p.command(NODE, "fill", Fill(SECRET, None, "graduation"))
        await p.command(NODE, "event", "wedding")
        await p.clock.settle()
        assert await p.get(NODE, "content") is None
        await p.command(NODE, "event", "graduation")
        await p.clock.settle()
        assert await p.get(NODE, "content") == SECRET


async def test_before_its_time_the_capsule_has_nothing_that_opens_it(plane: Plane, tmp_path: Path) -> None:
    async with natant.testing.plane(plane) as p:
        await p.command(NODE, "fill", Fill(SECRET, p.clock.now + 3600, "graduation"))
        sealed = await p.get(NODE, "sealed")
        lock = await p.get(VAULT, "lock")
        key = Ring(tmp_path).key("ann")

        assert await p.get(NODE, "unlock") == b""
        with pytest.raises(KeepsakeError, match="KS-CUSTODY-007"):
            open_capsule(sealed, key.derive("lane"), NODE)
        assert b"graduation" not in repr(lock).encode()
        assert open_capsule(sealed, open_value(key, lock.key, bytes, VAULT), NODE) == SECRET.encode()


async def test_a_capsule_is_filled_once_and_needs_a_time_to_come(plane: Plane) -> None:
    async with natant.testing.plane(plane) as p:
        for what, code in (
            (Fill(SECRET), "KS-AGENT-015"),
            (Fill(SECRET, p.clock.now - 1), "KS-AGENT-015"),
            (Fill("", p.clock.now + 1), "KS-AGENT-016"),
        ):
            with pytest.raises(Exception, match=code):
                await p.command(NODE, "fill", what)
        await p.command(NODE, "fill", Fill(SECRET, p.clock.now + 60))
        with pytest.raises(Exception, match="KS-AGENT-014"):
            await p.command(NODE, "fill", Fill("something else", p.clock.now + 60))


async def test_a_destroyed_capsule_never_opens(plane: Plane) -> None:
    async with natant.testing.plane(plane) as p:
        await p.command(NODE, "fill", Fill(SECRET, p.clock.now + 60))
        await p.command(NODE, "destroy")
        await p.clock.jump(120)
        assert await p.get(NODE, "content") is None
        assert await p.get(VAULT, "lock") is None
