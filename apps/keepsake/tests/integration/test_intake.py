"""Imports over a socket, against a service that acknowledges late, breaks connections and forgets nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve

from keepsake.cli import capture
from keepsake.cli.capture import Capture
from keepsake.cli.intake import Intake, Report
from keepsake.cli.option import Reach
from keepsake.errors import KeepsakeError
from keepsake.key import Ring
from keepsake.source import Choice, Part, Recording, open_source
from keepsake.source.stream import Ledger


class Service:
    """What a capture door promises, in memory.

    :ivar breaks: after so many pieces a connection is cut, once each.
    """

    def __init__(self, breaks: list[int] | None = None, refuses: int | None = None) -> None:
        self.streams: dict[str, list[Any]] = {}
        self.options: dict[str, str] = {}
        self.breaks = breaks or []
        self.refuses = refuses

    async def meet(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        assert socket.request.headers["authorization"].startswith("Bearer ks1.")
        path, _, query = socket.request.path.partition("?")
        stream = self.streams.setdefault(path, [])
        self.options[path] = query
        await socket.send(json.dumps({"next": len(stream)}))
        async for raw in socket:
            piece: Any = json.loads(raw) if isinstance(raw, str) else raw[4:]
            number = piece["n"] if isinstance(raw, str) else int.from_bytes(raw[:4], "big")
            assert number <= len(stream), "a gap"
            if number == self.refuses:
                await socket.send(json.dumps({"error": "KS-AGENT-004", "message": "wait"}))
                return
            if number == len(stream):
                stream.append(piece)
            if self.breaks and len(stream) >= self.breaks[0]:
                del self.breaks[0]
                socket.transport.abort()
                return
            if len(stream) % 3 == 0 or len(stream) > 5:
                await socket.send(json.dumps({"ack": number}))

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        server: Server
        async with serve(self.meet, "127.0.0.1", 0) as server:
            host, port = server.sockets[0].getsockname()[:2]
            yield f"http://{host}:{port}"


class Desk:
    """Imports of ada from one folder."""

    def __init__(self, folder: Path, at: str) -> None:
        Ring(folder / "data" / "keys").make("ada")
        reach = Reach(at, "", folder / "data")
        self.intake = Intake(
            lambda stream, options: Capture(reach, "ada", stream, options),
            Ledger(folder / "notes"),
            "Europe/Lisbon",
            lambda at, count: None,
        )

    async def bring(self, path: Path) -> Report:
        (part,) = open_source(path, Choice())
        assert isinstance(part, Part | Recording)
        return await (self.intake.recording(part) if isinstance(part, Recording) else self.intake.part(part))


def chat(path: Path, begin: int, end: int) -> Path:
    path.write_text("".join(f"[05/06/2023, 09:00:{n:02d}] Ana: message {n}\n" for n in range(begin, end)), "utf-8")
    return path


def run(coroutine: Any) -> Any:
    return asyncio.run(coroutine)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "BACKOFF_S", 0.0)


def test_posts_arrive_once_and_in_order_though_connections_break(tmp_path: Path) -> None:
    service = Service(breaks=[7, 19, 33])

    async def bring() -> Report:
        async with service.open() as at:
            return await Desk(tmp_path, at).bring(chat(tmp_path / "chat.txt", 0, 40))

    report = run(bring())

    (stream,) = service.streams.values()
    assert [piece["text"] for piece in stream] == [f"message {n}" for n in range(40)]
    assert [piece["n"] for piece in stream] == list(range(40))
    assert (stream[0]["speaker"], stream[0]["zone"], stream[0]["source"]["app"]) == ("Ana", "Europe/Lisbon", "whatsapp")
    assert (report.sent, report.passed) == (40, 0)


def test_a_longer_file_goes_on_where_the_shorter_one_ended(tmp_path: Path) -> None:
    service = Service()

    async def bring() -> list[Report]:
        async with service.open() as at:
            desk = Desk(tmp_path, at)
            return [await desk.bring(chat(tmp_path / "chat.txt", 0, end)) for end in (10, 10, 15)]

    reports = run(bring())

    assert [(report.sent, report.passed) for report in reports] == [(10, 0), (0, 10), (5, 10)]
    assert len({report.stream for report in reports}) == 1
    assert len(next(iter(service.streams.values()))) == 15


def test_a_file_with_another_past_becomes_a_stream_of_its_own(tmp_path: Path) -> None:
    service = Service()

    async def bring() -> list[Report]:
        async with service.open() as at:
            desk = Desk(tmp_path, at)
            first = await desk.bring(chat(tmp_path / "chat.txt", 0, 10))
            path = chat(tmp_path / "chat.txt", 0, 12)
            path.write_text(path.read_text("utf-8").replace("message 4", "message four"), "utf-8")
            second = await desk.bring(path)
            elsewhere = Desk(tmp_path, at)
            elsewhere.intake.ledger = Ledger(tmp_path / "other machine")
            third = await elsewhere.bring(path)
            return [first, second, third]

    first, second, third = run(bring())

    assert first.stream != second.stream
    assert second.sent == 12
    assert (third.stream, third.sent, third.passed) == (second.stream, 0, 12)


def test_sound_is_sent_in_pieces_of_a_second(tmp_path: Path) -> None:
    import wave

    path = tmp_path / "memo 2023-05-14 08-30.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\x01\x00" * 20_000)
    service = Service(breaks=[2])

    async def bring() -> Report:
        async with service.open() as at:
            return await Desk(tmp_path, at).bring(path)

    report = run(bring())

    ((name, stream),) = service.streams.items()
    assert [len(piece) for piece in stream] == [16_000, 16_000, 8_000]
    assert "rate=8000" in service.options[name]
    assert report.sent == 3


def test_a_refusal_keeps_its_code(tmp_path: Path) -> None:
    async def bring() -> None:
        async with Service(refuses=2).open() as at:
            await Desk(tmp_path, at).bring(chat(tmp_path / "chat.txt", 0, 10))

    with pytest.raises(KeepsakeError, match="KS-AGENT-004"):
        run(bring())


def test_a_service_that_is_gone_or_is_none_is_a_coded_error(tmp_path: Path) -> None:
    async def other(socket: ServerConnection) -> None:
        await socket.send("hello")

    async def bring(at: str) -> None:
        await Desk(tmp_path, at).bring(chat(tmp_path / "chat.txt", 0, 10))

    async def meet_other() -> None:
        async with serve(other, "127.0.0.1", 0) as server:
            await bring(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")

    with pytest.raises(KeepsakeError, match="KS-CLI-004"):
        run(bring("http://127.0.0.1:9"))
    with pytest.raises(KeepsakeError, match="KS-CLI-006"):
        run(meet_other())


def test_a_date_to_come_holds_nothing_up(tmp_path: Path) -> None:
    path = tmp_path / "plan.md"
    path.write_text("## 1 May 2090\n\nWe shall see.\n\n## 2 May 1936\n\nGrandfather's letter.\n")
    service = Service()

    async def bring() -> Report:
        async with service.open() as at:
            return await Desk(tmp_path, at).bring(path)

    report = run(bring())

    (stream,) = service.streams.values()
    assert stream[0]["at"] < 3e9
    assert stream[1]["at"] < 0
    assert [remark.is_fault for remark in report.remarks] == [True]
