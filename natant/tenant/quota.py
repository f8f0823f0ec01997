"""What a tenant may use at most, as an account of NATS enforces it."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any, Final, Self

from natant.errors import TenantError

__all__ = ["UNLIMITED", "Quota", "read_size", "size_text"]

#: stands for no limit
UNLIMITED: Final = -1
_UNIT: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SIZE: Final = re.compile(r"(\d{1,12})\s*([KMGT]?)(?:I?B)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """The limits of a tenant; -1 is none.

    :ivar disk: bytes of all its streams on disk; copies count, so a stream with three replicas counts thrice.
    :ivar memory: bytes of all its streams in memory.
    :ivar streams: journals, snapshots, buckets and queues together; a plane of 64 partitions has about 70.
    :ivar consumers: of all its streams together.
    :ivar stream_bytes: bytes that one stream on disk may have; 0 is none.
    :ivar connections: of clients, workers among them, at all servers together.
    :ivar leaf_nodes: connections of edges.
    :ivar subscriptions: of each connection.
    :ivar payload: bytes of one message.
    """

    disk: int = 10 << 30
    memory: int = 64 << 20
    streams: int = 200
    consumers: int = 1_000
    stream_bytes: int = 0
    connections: int = 1_000
    leaf_nodes: int = 10
    subscriptions: int = 100_000
    payload: int = 2 << 20

    def limits(self) -> dict[str, Any]:
        """The ``limits`` of an account's claims.

        Nothing is imported or exported between tenants.  The server knows a limit ``data`` too, but does not enforce it.
        """
        return {
            "subs": self.subscriptions,
            "data": UNLIMITED,
            "payload": self.payload,
            "imports": 1,
            "exports": 0,
            "conn": self.connections,
            "leaf": self.leaf_nodes,
            "mem_storage": self.memory,
            "disk_storage": self.disk,
            "streams": self.streams,
            "consumer": self.consumers,
            "disk_max_stream_bytes": self.stream_bytes,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """As it lies in a tenant's record; fields of newer versions are left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: int(item) for name, item in value.items() if name in known})


def read_size(text: str) -> int:
    """Bytes: ``512MB``, ``10G``, ``4096``; units are powers of 1024; ``unlimited`` is -1.

    :raises TenantError: ``NT-TENANT-010``.
    """
    if text.strip().lower() in ("unlimited", "-1"):
        return UNLIMITED
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise TenantError("NT-TENANT-010", f"{text[:40]!r} is no size; write bytes, or 512MB, 10GB, or unlimited")
    return int(match[1]) * _UNIT[match[2].upper()]


def size_text(size: int) -> str:
    """A size for people; ``read_size`` reads it back where it is a whole number of a unit."""
    if size < 0:
        return "unlimited"
    for unit in ("T", "G", "M", "K"):
        if size >= _UNIT[unit] and size % _UNIT[unit] == 0:
            return f"{size // _UNIT[unit]}{unit}B"
    return str(size)
