"""What agents refuse, each with its code."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import natant.testing
import pytest
from natant import Plane

from keepsake.agent.person import Person
from keepsake.agent.question import Question
from keepsake.agent.seal import open_value, seal_value
from keepsake.agent.stream import Stream
from keepsake.agent.suggestion import Suggestion
from keepsake.agent.value import Ask, Forget, Rating, Take
from keepsake.errors import KeepsakeError
from keepsake.key import PersonKey, Ring


@pytest.fixture
def plane(tmp_path: Path) -> Plane:
    ring = Ring(tmp_path)
    ring.make("ann")
    house = SimpleNamespace(ring=ring, edge="")
    agents: list[Any] = [type(kind.__name__, (kind,), {"house": house}) for kind in (Question, Stream, Suggestion)]
    return Plane("test", agents)


def test_a_sealed_value_of_another_kind_is_told() -> None:
    key = PersonKey("ann", bytes(32))

    with pytest.raises(KeepsakeError, match="KS-AGENT-005"):
        open_value(key, seal_value(key, ["no", "question"], "here"), Ask, "here")


async def test_a_question_is_asked_once_and_rated_when_it_is_answered(plane: Plane) -> None:
    node = "/person/ann/question/q"
    async with natant.testing.plane(plane) as p:
        with pytest.raises(Exception, match="KS-AGENT-012"):
            await p.command(node, "ask", Ask(" "))
        with pytest.raises(Exception, match="KS-AGENT-013"):
            await p.command(node, "rate", Rating())
        await p.command(node, "ask", Ask("when?", about="bob"))
        with pytest.raises(Exception, match="KS-AGENT-011"):
            await p.command(node, "ask", Ask("when?", about="bob"))


async def test_a_suggestion_is_decided_after_it_was_offered(plane: Plane) -> None:
    async with natant.testing.plane(plane) as p:
        with pytest.raises(Exception, match="KS-AGENT-024"):
            await p.command("/person/ann/suggestion/s", "decide", "yes")


async def test_a_stream_takes_nothing_beyond_a_quota_and_nothing_once_deleted(plane: Plane) -> None:
    node = "/person/ann/stream/phone"
    async with natant.testing.plane(plane) as p:
        await p.command(node, "hold", "messages: 5 of 5")
        with pytest.raises(Exception, match=r"KS-AGENT-020 .* 5 of 5"):
            await p.command(node, "take", Take(0, "text", [b"x"]))
        await p.command(node, "erase")
        with pytest.raises(Exception, match="KS-AGENT-023"):
            await p.command(node, "take", Take(0, "text", [b"x"]))


def test_only_known_kinds_are_forgotten() -> None:
    person: Any = SimpleNamespace(key=lambda: None, person="ann", node="/person/ann")

    with pytest.raises(Exception, match="KS-AGENT-021"):
        Person.forget(person, Forget("galaxy"))
