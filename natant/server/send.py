"""Writing into a socket that does not block.

``send.pxd`` declares the same name as a C function; compiled modules take that and never call this.
"""

from __future__ import annotations

import os

__all__ = ["send"]


def send(file: int, data: bytes) -> int:
    """Write as much of ``data`` as the socket takes now; returns how many bytes, 0 where none or where it is broken."""
    try:
        return os.write(file, data)
    except OSError:
        return 0
