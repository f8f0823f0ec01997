"""WebSocket frames of WARP messages as a server writes them: text, whole, unmasked (RFC 6455, 5.2).

The frame of an event is the same for every link that spells its address alike, so it is made once and shared.  Called by
:mod:`natant.link.uplink` and :mod:`natant.link.session`; a hot module, types for Cython are in ``frame.pxd``.
"""

from __future__ import annotations

from typing import Final

from natant.codec.warp.envelope import join

__all__ = ["event_payload", "event_payloads", "frame"]

#: sizes from which the length takes two, and eight, further bytes
_MIDDLE: Final = 126
_LARGE: Final = 65536

_SHORT: Final = tuple(bytes((0x81, size)) for size in range(_MIDDLE))


def frame(payload: bytes) -> bytes:
    """One text message as a frame.

    :param payload: UTF-8.
    """
    size = len(payload)
    if size < _MIDDLE:
        return _SHORT[size] + payload
    if size < _LARGE:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


def event_payload(header: str, body: str, is_framed: bool) -> bytes:
    """One event.

    :param header: the start of its envelope.
    :param is_framed: as a frame; else the envelope alone.
    """
    text = join(header, body)
    payload = text.encode()
    return frame(payload) if is_framed else payload


def event_payloads(header: str, bodies: list[str], is_framed: bool) -> list[bytes]:
    """Many events of one address; see :func:`event_payload`."""
    return [event_payload(header, body, is_framed) for body in bodies]
