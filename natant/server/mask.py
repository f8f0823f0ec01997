"""Taking the mask off a payload (RFC 6455, 5.3).

``mask.pxd`` declares the same name as a C function; compiled modules take that and never call this.
"""

from __future__ import annotations

__all__ = ["unmask"]


def unmask(data: bytearray, start: int, size: int) -> str:
    """The text of a masked payload of ``size`` bytes at ``start``; the mask stands right before it.  The payload may be changed.

    :raises UnicodeDecodeError: where it is not UTF-8.
    """
    mask = bytes(data[start - 4 : start]) * (size // 4 + 1)
    text = int.from_bytes(data[start : start + size], "little") ^ int.from_bytes(mask[:size], "little")
    return text.to_bytes(size, "little").decode()
