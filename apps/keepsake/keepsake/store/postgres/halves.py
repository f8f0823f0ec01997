"""Vectors of 16-bit numbers, as pgvector's ``halfvec`` has them on the wire: two counts of 16 bits, then the numbers."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from keepsake.store.contract import Vectors

__all__ = ["Halves", "register"]

HEAD: Final = struct.Struct("!HH")


@dataclass(frozen=True, slots=True)
class Halves:
    """One vector, on its way to the server."""

    data: bytes

    @classmethod
    def of(cls, vector: Vectors) -> Halves:
        """A vector to be sent."""
        return cls(HEAD.pack(len(vector), 0) + vector.astype(">f2").tobytes())

    @staticmethod
    def read(rows: list[bytes], dimension: int) -> Vectors:
        """Vectors that came, a row each."""
        numbers = b"".join(bytes(row)[HEAD.size :] for row in rows)
        return np.frombuffer(numbers, ">f2").reshape(len(rows), dimension).astype(np.float32)


def register(connection: Any) -> None:
    """Teach a connection to send them."""
    from psycopg.adapt import Dumper
    from psycopg.pq import Format

    number = connection.execute("select 'public.halfvec'::regtype::oid::int").fetchone()[0]

    class HalvesDumper(Dumper):
        format = Format.BINARY
        oid = number

        def dump(self, obj: Halves) -> bytes:
            return obj.data

    connection.adapters.register_dumper(Halves, HalvesDumper)
