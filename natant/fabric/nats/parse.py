"""The protocol of NATS as bytes in and calls out: no sockets, no clock.

Invariant: however the bytes are cut, the calls are the same.  Called by :mod:`natant.fabric.nats.courier`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Protocol

__all__ = ["BadProtocol", "Parser", "Receiver", "head_of", "request"]

#: a line of the protocol: the longest is INFO, which names all servers of a cluster
LINE_BYTES: Final = 256 * 1024
#: a message with its headers; the server's own limit is 2 MiB here and 64 MiB at most
MESSAGE_BYTES: Final = 64 * 1024 * 1024

_H: Final = ord("H")
_M: Final = ord("M")


class BadProtocol(ConnectionError):
    """What came is not NATS."""


class Receiver(Protocol):
    """Who is called."""

    def on_message(self, sid: int, subject: bytes, reply: bytes, head: bytes, data: bytes) -> None:
        """A message of a subscription; ``head`` is its headers as they came, empty where there are none."""

    def on_info(self, info: dict[str, Any]) -> None:
        """What the server tells of itself."""

    def on_ping(self) -> None:
        """It wants a PONG."""

    def on_pong(self) -> None:
        """It answers a PING."""

    def on_refusal(self, text: str) -> None:
        """It says what is wrong (``-ERR``)."""


class Parser:
    """One connection's incoming bytes."""

    __slots__ = ("_receiver", "_rest")

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take what came.

        :raises BadProtocol: where it is not NATS.
        """
        content = self._rest + data if self._rest else data
        at = 0
        try:
            while (end := content.find(b"\r\n", at)) >= 0:
                kind = content[at]
                if kind in {_M, _H}:
                    after = self._take_message(content, at, end, is_headed=kind == _H)
                    if not after:
                        break
                    at = after
                else:
                    self._take_line(content[at:end])
                    at = end + 2
        except (ValueError, IndexError) as error:
            raise BadProtocol(f"{content[at : at + 60]!r} is not NATS: {error}") from None
        self._rest = content[at:]
        if len(self._rest) > LINE_BYTES and b"\r\n" not in self._rest[:LINE_BYTES]:
            raise BadProtocol(f"a line of more than {LINE_BYTES} bytes")

    def _take_message(self, content: bytes, at: int, end: int, *, is_headed: bool) -> int:
        """Where the message ends; 0 while it is not whole."""
        words = content[at:end].split()
        size = int(words[-1])
        if not 0 <= size <= MESSAGE_BYTES:
            raise ValueError(f"a message of {size} bytes")
        body = end + 2
        stop = body + size
        if len(content) < stop + 2:
            return 0
        head = body + int(words[-2]) if is_headed else body
        reply = words[3] if len(words) == 5 + is_headed else b""
        self._receiver.on_message(int(words[2]), words[1], reply, content[body:head], content[head:stop])
        return stop + 2

    def _take_line(self, line: bytes) -> None:
        name = line[:4].upper()
        if name == b"PING":
            self._receiver.on_ping()
        elif name == b"PONG":
            self._receiver.on_pong()
        elif name == b"INFO":
            self._receiver.on_info(json.loads(line[4:]))
        elif name == b"-ERR":
            self._receiver.on_refusal(line[4:].strip().strip(b"'").decode("utf-8", "replace"))
        elif not line.startswith(b"+OK"):
            raise ValueError("unknown word")


def head_of(headers: Mapping[str, str]) -> bytes:
    """Headers as they go over the wire; names and values hold no line ends."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    return f"NATS/1.0\r\n{lines}\r\n".encode()


def request(subject: str, reply: str, data: bytes, head: bytes) -> list[bytes]:
    """The parts of one message that is published; ``reply`` and ``head`` may be empty."""
    answer_to = f" {reply}" if reply else ""
    if head:
        begin = f"HPUB {subject}{answer_to} {len(head)} {len(head) + len(data)}\r\n".encode()
        return [begin, head, data, b"\r\n"]
    return [f"PUB {subject}{answer_to} {len(data)}\r\n".encode(), data, b"\r\n"]
