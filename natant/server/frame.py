"""WebSocket frames as a server writes them: text, whole, unmasked (RFC 6455, 5.2).

All messages of one write are joined, so that they leave in one call to the transport.  Called by ``peer.py`` for
every write; nothing here knows sockets.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CLOSE_REASON_BYTES", "close_reason", "join"]

#: a close frame holds 125 bytes, two of them are the code (RFC 6455, 5.5.1)
CLOSE_REASON_BYTES: Final = 123

_SHORT: Final = tuple(bytes((0x81, size)) for size in range(126))


def join(payloads: list[bytes]) -> bytes:
    """The frames of several text messages in one piece.

    :param payloads: one message each, UTF-8.
    """
    if len(payloads) == 1:  # one event of one link, by far the most frequent
        payload = payloads[0]
        if len(payload) < 126:
            return _SHORT[len(payload)] + payload
    parts: list[bytes] = []
    add = parts.append
    for payload in payloads:
        size = len(payload)
        if size < 126:
            add(_SHORT[size])
        elif size < 65536:
            add(b"\x81\x7e" + size.to_bytes(2, "big"))
        else:
            add(b"\x81\x7f" + size.to_bytes(8, "big"))
        add(payload)
    return b"".join(parts)


def close_reason(text: str) -> str:
    """``text`` shortened to what fits into a close frame, cut between characters."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= CLOSE_REASON_BYTES:
        return encoded.decode()
    return encoded[: CLOSE_REASON_BYTES - 3].decode("utf-8", "ignore") + "..."
