"""The capture door: ``WS /capture/{person}/{stream}?kind=text|web|audio``.

The service begins with ``{"next": n}``, the number that it wants next.  Text and web: each message is JSON, ``{"n": n, "at": epoch
seconds, "text": ..., "speaker": ..., "source": {...}}``.  Sound: each message is binary, the number in 4 bytes, big-endian, then
samples or a packet (``codec``, ``rate``; ``at``: when the stream's first sample was captured, for what is not live).  ``{"ack": n}`` says that all pieces up to ``n`` are durable; pieces that come again are
passed over.  What cannot be taken is told, ``{"error": code, "message": ...}``, and ends the connection; a stream that is full is
not read until there is room.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from natant import NatantError
from natant.server import Caller
from starlette.websockets import WebSocket, WebSocketDisconnect

from keepsake.agent.seal import Draft, seal_draft
from keepsake.agent.value import Take
from keepsake.door.caller import code_of, door_of, stream_name
from keepsake.door.take import take
from keepsake.errors import KeepsakeError
from keepsake.key import PersonKey
from keepsake.pipeline.house import House
from keepsake.record import Source
from keepsake.sound.contract import RATE
from keepsake.sound.decode import Decoder, decoder

__all__ = ["KINDS", "Capture"]

KINDS: Final = frozenset(("text", "web", "audio"))
#: pieces that wait in the process for the one command that is under way
QUEUE_PIECES: Final = 128
#: pieces in one command, and their bytes
TAKE_PIECES: Final = 128
TAKE_BYTES: Final = 1 << 20
#: of the text of one piece; what is longer is a file, and is uploaded
TEXT_CHARACTERS: Final = 60_000
#: of one piece of sound as it comes
SOUND_BYTES: Final = 128 * 1024
#: connections of one person to one process
SOCKETS: Final = 256
#: a client that names times further ahead than this is wrong about them
AHEAD_S: Final = 86_400.0
#: people write down what happened long ago (1583, epoch seconds); before it no calendar is sure
EARLIEST: Final = -12_212_553_600.0
NUMBER_BYTES: Final = 4
SAMPLE_BYTES: Final = 2
#: close codes (RFC 6455): refused, and try again later
REFUSED: Final = 1008
LATER: Final = 1013


class _Text(msgspec.Struct, frozen=True):
    """A piece of text as a client sends it."""

    n: int
    text: str
    at: float = 0.0
    speaker: str = ""
    zone: str = "UTC"
    source: Source = Source()


@dataclass(slots=True)
class _Piece:
    number: int
    sealed: bytes
    length: int = 0
    at: float = 0.0


@dataclass(slots=True)
class Capture:
    """One connection."""

    house: House
    socket: WebSocket
    caller: Caller
    person: str
    stream: str
    kind: str
    key: PersonKey
    decoder: Decoder
    #: when the stream's first sample was captured, and how many are in it; 0 where it is live
    at: float = 0.0
    samples: int = 0
    waiting: asyncio.Queue[_Piece | None] = field(default_factory=lambda: asyncio.Queue(QUEUE_PIECES))

    #: how many there are by person
    _open_sockets: ClassVar[dict[str, int]] = {}

    @classmethod
    async def serve(cls, house: House, socket: WebSocket) -> None:
        """Take in what one client sends."""
        await socket.accept()
        person = socket.path_params["person"]
        count = cls._open_sockets[person] = cls._open_sockets.get(person, 0) + 1
        try:
            if count > SOCKETS:
                raise KeepsakeError(
                    "KS-DOOR-007", f"{person[:80]!r} captures over {SOCKETS} connections already; end one"
                )
            capture = cls._open(house, socket)
            await capture._run()
        except WebSocketDisconnect:
            pass
        except (KeepsakeError, NatantError) as error:
            await _refuse(socket, error)
        finally:
            cls._open_sockets[person] -= 1
            if not cls._open_sockets[person]:
                del cls._open_sockets[person]

    @classmethod
    def _open(cls, house: House, socket: WebSocket) -> Capture:
        person, stream = socket.path_params["person"], stream_name(socket.path_params["stream"])
        caller = door_of(socket, person, "owner", "device")
        query = socket.query_params
        kind = query.get("kind", "text")
        if kind not in KINDS:
            raise KeepsakeError("KS-DOOR-003", f"kind={kind[:40]!r} is none of {', '.join(sorted(KINDS))}")
        try:
            rate, at = int(query.get("rate", RATE)), float(query.get("at", 0))
        except ValueError as error:
            raise KeepsakeError("KS-DOOR-003", f"rate and at are figures: {error}") from None
        if not EARLIEST <= at <= time.time() + AHEAD_S:
            raise KeepsakeError("KS-DOOR-003", f"at={at} is no time that was; it takes epoch seconds")
        sound = decoder(query.get("codec", "pcm"), rate=rate)
        return cls(house, socket, caller, person, stream, kind, house.ring.key(person), sound, at)

    @property
    def node(self) -> str:
        """The stream's agent."""
        return f"/person/{self.person}/stream/{self.stream}"

    async def _run(self) -> None:
        begin: int = await self.caller.read(self.node, "received") or 0
        if self.at:
            self.samples = await self.caller.read(self.node, "samples") or 0
        await self.socket.send_json({"next": begin})
        sender = asyncio.create_task(self._store())
        reader = asyncio.create_task(self._read(begin))
        try:
            done, _ = await asyncio.wait((sender, reader), return_when=asyncio.FIRST_COMPLETED)
            if reader in done and reader.exception() is None:
                await self.waiting.put(None)
                await sender
            for task in done:
                task.result()
        finally:
            sender.cancel()
            reader.cancel()
            await asyncio.gather(sender, reader, return_exceptions=True)

    async def _read(self, wanted: int) -> None:
        """Take messages off the socket, no faster than they are stored."""
        read = self._sound if self.kind == "audio" else self._text
        while True:
            message = await self.socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            piece = read(message, wanted)
            if piece is None:
                continue
            wanted = piece.number + 1
            await self.waiting.put(piece)

    def _number(self, number: int, wanted: int) -> bool:
        """Whether a piece is new.

        :raises KeepsakeError: ``KS-DOOR-004`` where one before it is missing.
        """
        if number > wanted or number < 0:
            raise KeepsakeError(
                "KS-DOOR-004", f"piece {number} came where {wanted} was expected; send what is missing first"
            )
        return number == wanted

    def _text(self, message: Any, wanted: int) -> _Piece | None:
        content = message.get("text") or message.get("bytes") or b""
        try:
            text = msgspec.json.decode(content, type=_Text)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise KeepsakeError("KS-DOOR-005", f'a piece of text is JSON, {{"n": 0, "text": "..."}}: {error}') from None
        if len(text.text) > TEXT_CHARACTERS:
            raise KeepsakeError(
                "KS-DOOR-006",
                f"piece {text.n} has {len(text.text)} characters; at most {TEXT_CHARACTERS}: upload it as a file",
            )
        now = time.time()
        if not EARLIEST <= text.at <= now + AHEAD_S:
            raise KeepsakeError(
                "KS-DOOR-005", f"piece {text.n} was said at {text.at}; it takes epoch seconds, and none to come"
            )
        if not self._number(text.n, wanted):
            return None
        _check_zone(text.zone)
        draft = Draft(text.text, text.at, text.speaker, text.zone, text.source, now)
        return _Piece(text.n, seal_draft(self.key, draft, self.stream, text.n))

    def _sound(self, message: Any, wanted: int) -> _Piece | None:
        content = message.get("bytes")
        if not content or len(content) <= NUMBER_BYTES or len(content) > SOUND_BYTES:
            raise KeepsakeError(
                "KS-DOOR-005",
                f"a piece of sound is binary: its number in {NUMBER_BYTES} bytes, then up to {SOUND_BYTES} bytes of sound",
            )
        number = int.from_bytes(content[:NUMBER_BYTES], "big")
        if not self._number(number, wanted):
            return None
        samples = self.decoder.feed(content[NUMBER_BYTES:])
        samples = samples[: len(samples) // SAMPLE_BYTES * SAMPLE_BYTES]
        sealed = self.key.seal(samples, "lane", f"{self.stream}:{number}")
        length = len(samples) // SAMPLE_BYTES
        at = self.at + self.samples / RATE if self.at else time.time() - length / RATE
        self.samples += length
        return _Piece(number, sealed, length, at)

    async def _store(self) -> None:
        """Have pieces kept, as many at a time as have come, and tell what is durable."""
        is_over = False
        while not is_over:
            first = await self.waiting.get()
            pieces: list[_Piece] = []
            size = 0
            while first is not None:
                pieces.append(first)
                size += len(first.sealed)
                if self.waiting.empty() or len(pieces) == TAKE_PIECES or size > TAKE_BYTES:
                    break
                first = self.waiting.get_nowait()
            is_over = first is None
            if pieces:
                following = await self._take(pieces)
                await self.socket.send_json({"ack": following - 1})

    async def _take(self, pieces: Sequence[_Piece]) -> int:
        lengths = [piece.length for piece in pieces] if self.kind == "audio" else []
        what = Take(pieces[0].number, self.kind, [piece.sealed for piece in pieces], lengths, pieces[0].at)
        return await take(self.caller, self.node, what)


def _check_zone(name: str) -> None:
    """See that a time zone exists.

    :raises KeepsakeError: ``KS-DOOR-005`` where it does not.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise KeepsakeError(
            "KS-DOOR-005", f"there is no time zone {name[:60]!r}; it takes one of IANA's, such as Europe/Berlin"
        ) from None


async def _refuse(socket: WebSocket, error: KeepsakeError | NatantError) -> None:
    """Tell what was wrong, and close."""
    code, text = code_of(error)
    is_passing = isinstance(error, NatantError) and code == error.code
    try:
        await socket.send_json({"error": code, "message": text})
        await socket.close(LATER if is_passing else REFUSED, code)
    except (RuntimeError, WebSocketDisconnect):
        pass  # it has gone
