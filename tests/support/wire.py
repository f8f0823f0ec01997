"""A WebSocket client on a bare socket, for tests: it hides nothing and can break every rule.

Each frame comes back as :class:`Frame`; control frames are not answered.  All waits are bounded by :data:`WAIT_S`.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import socket
import ssl
import struct
from typing import Final, NamedTuple

__all__ = ["CLOSE", "CONTINUATION", "BINARY", "PING", "PONG", "TEXT", "WAIT_S", "Frame", "Wire", "exchange", "frame"]

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

#: no step of a test waits longer
WAIT_S: Final = 10.0


class Frame(NamedTuple):
    """One frame as it came."""

    op: int
    is_final: bool
    payload: bytes

    @property
    def text(self) -> str:
        return self.payload.decode()

    @property
    def code(self) -> int:
        """The code of a close frame."""
        return int.from_bytes(self.payload[:2], "big")

    @property
    def reason(self) -> str:
        """The reason of a close frame."""
        return self.payload[2:].decode()


def frame(
    payload: bytes | str, op: int = TEXT, *, is_final: bool = True, is_masked: bool = True, reserved: int = 0
) -> bytes:
    """The bytes of one frame."""
    data = payload.encode() if isinstance(payload, str) else payload
    size = len(data)
    mark = 0x80 if is_masked else 0
    head = bytes([(0x80 if is_final else 0) | reserved << 4 | op])
    if size < 126:
        head += bytes([mark | size])
    elif size < 65536:
        head += bytes([mark | 126]) + struct.pack("!H", size)
    else:
        head += bytes([mark | 127]) + struct.pack("!Q", size)
    if not is_masked:
        return head + data
    key = os.urandom(4)
    pad = (key * (size // 4 + 1))[:size]
    masked = (int.from_bytes(data, "big") ^ int.from_bytes(pad, "big")).to_bytes(size, "big") if size else b""
    return head + key + masked


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    @classmethod
    async def connect(cls, port: int, *, tls: ssl.SSLContext | None = None, receive_bytes: int | None = None) -> Wire:
        """A TCP connection; ``receive_bytes`` makes the socket's receive buffer small."""
        sock = socket.socket()
        if receive_bytes is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, ("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(
            sock=sock, ssl=tls, server_hostname="localhost" if tls else None, limit=1 << 16
        )
        return cls(reader, writer)

    @classmethod
    async def open(cls, port: int, path: str = "/", *headers: str, tls: ssl.SSLContext | None = None) -> Wire:
        """A connection that was upgraded."""
        wire = await cls.connect(port, tls=tls)
        await wire.upgrade(path, *headers)
        assert wire.status == 101, (wire.status, wire.body)
        return wire

    async def upgrade(self, path: str = "/", *headers: str, host: str = "127.0.0.1", behind: bytes = b"") -> None:
        """Ask for WebSocket; ``behind`` is sent in the same write."""
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
        given = "\n".join(headers).lower()
        if "connection:" not in given:
            lines.append("Connection: Upgrade")
        if "upgrade:" not in given:
            lines.append("Upgrade: websocket")
        await self.send_bytes("\r\n".join([*lines, *headers]).encode() + b"\r\n\r\n" + behind)
        await self.read_response()

    async def read_response(self) -> int:
        """One HTTP response; its body is read where it has a length."""
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), WAIT_S)).decode("latin-1")
        first, *lines = head.split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name
        }
        size = int(self.headers.get("content-length", "0"))
        self.body = await asyncio.wait_for(self.reader.readexactly(size), WAIT_S) if size else b""
        return self.status

    async def send_bytes(self, data: bytes) -> None:
        self.writer.write(data)
        await asyncio.wait_for(self.writer.drain(), WAIT_S)

    async def send(self, *payloads: str) -> None:
        """Text messages, in one write."""
        await self.send_bytes(b"".join(frame(payload) for payload in payloads))

    async def receive(self) -> Frame | None:
        """One frame; None at the end of the stream."""
        try:
            return await asyncio.wait_for(self._receive(), WAIT_S)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def _receive(self) -> Frame:
        first, second = await self.reader.readexactly(2)
        assert not first & 0x70, "a reserved bit is set"
        assert not second & 0x80, "a server's frame is masked"
        size = second & 0x7F
        if size == 126:
            size = int.from_bytes(await self.reader.readexactly(2), "big")
        elif size == 127:
            size = int.from_bytes(await self.reader.readexactly(8), "big")
        return Frame(first & 0x0F, bool(first & 0x80), await self.reader.readexactly(size))

    async def text(self) -> str:
        """One text message."""
        found = await self.receive()
        assert found is not None, "the connection ended"
        assert found.op == TEXT, found
        return found.text

    async def texts(self, count: int) -> list[str]:
        return [await self.text() for _ in range(count)]

    async def until_close(self) -> Frame | None:
        """The close frame, whatever comes before it; None where the stream ends without one."""
        while True:
            found = await self.receive()
            if found is None or found.op == CLOSE:
                return found

    async def at_end(self) -> bool:
        """True where the stream ends without another byte."""
        try:
            return await asyncio.wait_for(self.reader.read(1), WAIT_S) == b""
        except ConnectionError:
            return True

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
            await asyncio.wait_for(self.writer.wait_closed(), WAIT_S)


async def exchange(port: int, data: bytes) -> bytes:
    """Send raw bytes and return everything that comes until the server closes."""
    wire = await Wire.connect(port)
    try:
        await wire.send_bytes(data)
        out = b""
        while True:
            try:
                part = await asyncio.wait_for(wire.reader.read(65536), WAIT_S)
            except ConnectionError:
                break
            if not part:
                break
            out += part
        return out
    finally:
        await wire.close()
