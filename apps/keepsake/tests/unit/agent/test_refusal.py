"""What agents refuse, each with its code."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import natant.testing
import pytest
from natant import Plane

from keepsake.agent.person import STREAM_LIMIT, Person
from keepsake.agent.question import Question
from keepsake.agent.rating import note_correction
from keepsake.agent.seal import open_value, seal_value
from keepsake.agent.stream import Spill, Stream
from keepsake.agent.suggestion import Suggestion
from keepsake.agent.value import Ask, Correction, Forget, Noted, Piece, Rating, StreamState, Take
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


class Log:
    """Takes note of what is logged."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def warning(self, text: str, *values: object) -> None:
        self.lines.append(text % values)

    error = warning


def test_what_failed_in_a_queue_is_logged_with_its_code() -> None:
    log, notices = Log(), list[object]()
    job: Any = SimpleNamespace(error="no disk")
    person: Any = SimpleNamespace(log=log, person="ann", notices=notices, now=lambda: 1.0)
    stream: Any = SimpleNamespace(log=log, node="/person/ann/stream/mic")

    Person.not_learned(person, "job", job)
    Person.not_forgotten(person, "job", job)
    Stream.not_heard(stream, "job", job)

    assert [line[:12] for line in log.lines] == ["KS-AGENT-010", "KS-AGENT-022", "KS-AGENT-008"]
    assert len(notices) == 1


def test_a_correction_names_a_kind_that_there_is() -> None:
    desk = SimpleNamespace(store=SimpleNamespace(memory=lambda name: None))
    house: Any = SimpleNamespace(shelf=SimpleNamespace(desk=lambda person: nullcontext(desk)))

    with pytest.raises(KeepsakeError, match="KS-AGENT-019"):
        note_correction(house, "ann", Correction("mood", should="glad"))
    with pytest.raises(KeepsakeError, match="KS-AGENT-018"):
        note_correction(house, "ann", Correction("area", should="work", memory="nothing#0"))


def test_a_person_has_so_many_streams_at_most() -> None:
    person: Any = SimpleNamespace(
        streams={str(number): StreamState() for number in range(STREAM_LIMIT)}, node="/person/ann"
    )

    with pytest.raises(Exception, match="KS-AGENT-009"):
        Person.noted(person, Noted("one more", StreamState(), None))


def test_what_stays_where_it_was_is_logged_with_its_code() -> None:
    log = Log()
    stream: Any = SimpleNamespace(
        log=log,
        node="/person/ann/stream/mic",
        owner="/person/ann",
        stream="mic",
        state=StreamState(),
        pieces={3: Piece(b"x")},
        aside={},
        send=lambda *what: None,
        _release=lambda count: None,
        _ask=lambda limit: None,
    )

    Stream.not_read(stream, "job", SimpleNamespace(about="3+1", error="no sense"))  # type: ignore[arg-type]
    Stream._spilled(stream, Spill("", {}))

    assert [line[:12] for line in log.lines] == ["KS-AGENT-007", "KS-AGENT-017"]
    assert stream.aside == {3: Piece(b"x")}
