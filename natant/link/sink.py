"""Where a session writes: the sending half of one peer connection."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Sink"]


class Sink(Protocol):
    """The sending half of a connection; the owner calls ``session.resume()`` when it can be written again.

    A sink whose ``is_framed`` is True (without one it is not) gets each envelope as a WebSocket frame (RFC 6455, 5.2), ready to be sent.
    """

    @property
    def is_paused(self) -> bool:
        """True while nothing more should be written: the peer reads too slowly."""

    def write(self, payloads: list[bytes]) -> None:
        """Send WARP envelopes (UTF-8), one message each, in their order; the list is the sink's from now on."""

    def close(self, code: int, reason: str) -> None:
        """End the connection; ``code`` is a WebSocket close code (RFC 6455, 7.4)."""

    def pause_reading(self) -> None:
        """Take no more from the peer for now."""

    def resume_reading(self) -> None:
        """Take from the peer again."""
