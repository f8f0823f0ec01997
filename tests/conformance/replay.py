"""Replays captured scenarios against a server, frame by frame, and gathers what it answers.

After each group of client frames a *fence* goes over every connection: a sync of an agent of its own.  A server handles the messages
of one connection in order and shows nothing before it is committed, so what it had to say came before the fence is synced.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.support.wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Frame, Wire, frame

CAPTURE: Final = Path(__file__).with_name("data") / "warp_capture.jsonl"

FENCE_NODE: Final = "/unit/fence"
_FENCE: Final = f'@sync(node:"{FENCE_NODE}",lane:info)'
_FENCED: Final = f'@synced(node:"{FENCE_NODE}",lane:info)'
#: silence after which an answer that takes several turns counts as complete
QUIET_S: Final = 0.3

_OPS: Final = {"text": TEXT, "binary": BINARY, "cont": CONTINUATION, "close": CLOSE, "ping": PING, "pong": PONG}
_NAMES: Final = {number: name for name, number in _OPS.items()}

#: what is another at each run: opaque keys of lists, lengths of long texts
_MASKS: Final = ((re.compile(r"key:%[A-Za-z0-9+/=]+"), "key:%*"), (re.compile(r"x{50,}"), "x*"))

Answer = tuple[str, str, str]  # connection, kind of frame, text


class Exchange(NamedTuple):
    """Client frames, what the server answered to them, and the connections that are not used after."""

    sent: list[dict[str, Any]]
    answers: list[Answer]
    last_of: set[str]


def scenarios() -> dict[str, list[Exchange]]:
    """The capture, by scenario."""
    found: dict[str, list[Exchange]] = {}
    for line in CAPTURE.read_text("utf-8").splitlines():
        row = json.loads(line)
        exchanges = found.setdefault(row["scenario"], [])
        if row["dir"] == "c2s":
            if not exchanges or exchanges[-1].answers:
                exchanges.append(Exchange([], [], set()))
            exchanges[-1].sent.append(row)
        elif row["dir"] == "s2c":
            text = row["text"].replace("x...xxxxxxxx", "x" * 50)
            if row["op"] == "http":
                text = text.removeprefix("HTTP/1.1 ")[:3]
            exchanges[-1].answers.append((row.get("conn", "a"), row["op"], mask(text)))
    for exchanges in found.values():
        seen: set[str] = set()
        for exchange in reversed(exchanges):
            names = {row.get("conn", "a") for row in exchange.sent} | {name for name, _, _ in exchange.answers}
            exchange.last_of.update(names - seen - {"a"})
            seen |= names
    return found


def mask(text: str) -> str:
    """A text without what is another at each run."""
    for pattern, mark in _MASKS:
        text = pattern.sub(mark, text)
    return text


class Replay:
    """One scenario on its connections."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._wires: dict[str, Wire] = {}
        self._ended: set[str] = set()
        #: codes and reasons of the close frames that the server sent of itself
        self.closes: list[tuple[int, str]] = []

    async def prepare(self, commands: Iterable[str]) -> None:
        """Bring agents into the state that the scenario found."""
        wire = await Wire.open(self._port)
        await wire.send(*commands, _FENCE)
        while (found := await wire.receive()) is not None and found.text != _FENCED:
            pass
        await wire.close()

    async def play(self, exchange: Exchange, *, is_slow: bool = False) -> list[Answer]:
        """Send the client frames of an exchange; what came back until the fence."""
        answers: list[Answer] = []
        rows = exchange.sent
        for row in rows:
            if row["op"] == "http":
                answers += await self._request(row)
                continue
            name = row.get("conn", "a")
            if name not in self._wires or name in self._ended:
                await self._open(name)
            await self._wires[name].send_bytes(_bytes(row))
            if row["op"] in ("close", "ping"):
                answers += await self._until_control(name)
            if row["op"] == "close":
                self._ended.add(name)
        if rows[-1].get("fin") != 0 and rows[-1]["op"] != "http":
            for name in self._wires:
                answers += await self._fence(name, is_slow=is_slow)
        for name in exchange.last_of:
            await self._wires.pop(name).close()
        return [(name, kind, mask(text)) for name, kind, text in answers]

    async def more(self) -> list[Answer]:
        """What has come since, on all connections."""
        answers: list[Answer] = []
        for name in self._wires:
            answers += await self._fence(name, is_slow=True)
        return [(name, kind, mask(text)) for name, kind, text in answers]

    async def _open(self, name: str) -> None:
        if name in self._wires:
            await self._wires[name].close()
        self._ended.discard(name)
        self._wires[name] = await Wire.open(self._port, "/", "Sec-WebSocket-Protocol: warp0")

    async def _request(self, row: dict[str, Any]) -> list[Answer]:
        wire = self._wires["a"] = await Wire.connect(self._port)
        await wire.send_bytes(row["text"].encode("latin-1"))
        try:
            await wire.read_response()
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            return [("a", "http", "")]
        return [("a", "http", str(wire.status))]

    async def _until_control(self, name: str) -> list[Answer]:
        """What comes up to the answer of a ping or close."""
        answers: list[Answer] = []
        while (found := await self._wires[name].receive()) is not None:
            answers.append(_answer(name, found))
            if found.op in (CLOSE, PONG):
                break
        return answers

    async def _fence(self, name: str, *, is_slow: bool) -> list[Answer]:
        wire, answers, parts = self._wires[name], list[Answer](), list[str]()
        if name in self._ended:
            return answers
        if is_slow:
            await asyncio.sleep(QUIET_S)
        await wire.send_bytes(frame(_FENCE))
        while True:
            found = await wire.receive()
            if found is None or found.op == CLOSE:
                self._ended.add(name)
                if found is not None:
                    self.closes.append((found.code, found.reason))
                return [*answers, (name, "eof", "")]
            if found.op in (TEXT, CONTINUATION):
                parts.append(found.text)
                if not found.is_final:
                    continue
                text = "".join(parts)
                parts.clear()
                if text == _FENCED:
                    return answers
                if FENCE_NODE not in text:
                    answers.append((name, "text", text))
            elif found.op != PING:
                answers.append(_answer(name, found))

    async def close(self) -> None:
        for wire in self._wires.values():
            await wire.close()


def _bytes(row: dict[str, Any]) -> bytes:
    """A client frame as it was sent."""
    text: str = row["text"]
    if row["op"] == "close":
        code, _, reason = text.partition(" ")
        return frame((int(code).to_bytes(2, "big") + reason.encode()) if code else b"", CLOSE)
    if "bytes" in row:
        text = text.replace("x...", "x" * row["bytes"])
    payload = re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), text.encode())
    return frame(payload, _OPS[row["op"]], is_final=row.get("fin", 1) == 1, is_masked=row.get("masked", 1) == 1)


def _answer(name: str, found: Frame) -> Answer:
    if found.op == CLOSE:
        return (name, "close", f"{found.code} {found.reason}".strip() if found.payload else "")
    return (name, _NAMES[found.op], found.text)


def bodies(answers: list[Answer], address: str) -> Iterator[str]:
    """The bodies of the events of one lane, in order."""
    for _, kind, text in answers:
        if kind == "text" and text.startswith(f"@event({address})"):
            yield text[len(f"@event({address})") :].strip()
