"""What the server writes into close frames (RFC 6455, 5.5.1); frames of messages are in :mod:`natant.codec.warp.frame`."""

from __future__ import annotations

from typing import Final

__all__ = ["CLOSE_REASON_BYTES", "close_reason"]

#: a close frame holds 125 bytes, two of them are the code (RFC 6455, 5.5.1)
CLOSE_REASON_BYTES: Final = 123


def close_reason(text: str) -> str:
    """``text`` shortened to what fits into a close frame, cut between characters."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= CLOSE_REASON_BYTES:
        return encoded.decode()
    return encoded[: CLOSE_REASON_BYTES - 3].decode("utf-8", "ignore") + "..."
