"""What workers tell each other, as bytes.

A parcel is a MessagePack array of messages; a message is an array that starts with its kind.  Sans-io.

===========  ==================================================================================  ========================
kind         further items                                                                       from
===========  ==================================================================================  ========================
``OPEN``     way, partition, remote, request URI, framed?, internal?, identity                    gate to partition
``IN``       way, envelope                                                                       gate to partition
``CREDIT``   way, bytes that the peer took                                                       gate to partition
``SHUT``     way                                                                                 gate to partition
``OUT``      payload, ways                                                                       partition to gate
``ACK``      way, number of messages taken in                                                    partition to gate
``PAUSE``    way, stop?                                                                          partition to gate
``LOST``     way, number of messages taken in, close code (0: it moved), reason                   partition to gate
``CALL``     number, partition, verb, arguments                                                  any
``ANSWER``   number, result, error                                                               any
``CROSS``    partition, name of the sending store, sending partition, previous number, commands   partition to partition
``CROSSED``  sending partition, name of its store, partition, number (-1: not here), gap?         back
``BEAT``                                                                                         any, now and then
===========  ==================================================================================  ========================

A *way* is a number that the gate's worker chose for one peer and one partition.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from natant import errors
from natant.codec import recon
from natant.codec.recon.value import Absent
from natant.errors import FabricError, NatantError
from natant.link.identity import Identity

__all__ = [
    "ACK",
    "ANSWER",
    "BEAT",
    "CALL",
    "CREDIT",
    "CROSS",
    "CROSSED",
    "IN",
    "LOST",
    "OPEN",
    "OUT",
    "PAUSE",
    "SHUT",
    "pack",
    "pack_body",
    "pack_error",
    "pack_identity",
    "unpack",
    "unpack_body",
    "unpack_error",
    "unpack_identity",
]

OPEN: Final = 1
IN: Final = 2
CREDIT: Final = 3
SHUT: Final = 4
OUT: Final = 5
ACK: Final = 6
PAUSE: Final = 7
LOST: Final = 8
CALL: Final = 9
ANSWER: Final = 10
CROSS: Final = 11
CROSSED: Final = 12
BEAT: Final = 13

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder()

#: the classes of errors by the area in their codes
_ERRORS: Final[dict[str, type[NatantError]]] = {
    "RECON": errors.CodecError,
    "WARP": errors.WarpError,
    "FORM": errors.FormError,
    "LANE": errors.LaneError,
    "LINK": errors.LinkError,
    "TURN": errors.TurnError,
    "STORE": errors.StoreError,
    "PLANE": errors.PlaneError,
    "SOURCE": errors.SourceError,
    "SERVER": errors.ServerError,
    "CLIENT": errors.ClientError,
    "FABRIC": errors.FabricError,
    "TENANT": errors.TenantError,
    "QUEUE": errors.QueueError,
    "EDGE": errors.EdgeError,
}


def pack(messages: list[tuple[Any, ...]]) -> bytes:
    """A parcel of messages."""
    return _encoder.encode(messages)


def unpack(parcel: bytes) -> list[list[Any]]:
    """The messages of a parcel.

    :raises FabricError: ``NT-FABRIC-301`` where it is none.
    """
    try:
        messages = _decoder.decode(parcel)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _no_parcel(str(error)) from None
    if type(messages) is not list or not all(type(each) is list and each and type(each[0]) is int for each in messages):
        raise _no_parcel("it is no list of messages")
    return messages


def _no_parcel(why: str) -> FabricError:
    return FabricError(
        "NT-FABRIC-301", f"what came from another worker cannot be read: {why}; do all run the same release?"
    )


def pack_identity(identity: Identity) -> list[Any]:
    """Who a peer is, without what only the peer itself is told.

    :raises FabricError: ``NT-FABRIC-302`` where its claims are no plain data.
    """
    try:
        msgspec.msgpack.encode(identity.claims)
    except TypeError as error:
        raise FabricError(
            "NT-FABRIC-302",
            f"the claims of {identity.name!r} cannot go to another worker: {error}. Let the authenticator give plain data: dicts, "
            "lists, texts, numbers.",
            http_status=500,
        ) from None
    return [identity.name, identity.claims, identity.is_internal]


def unpack_identity(packed: list[Any]) -> Identity:
    """Who a peer is."""
    name, claims, is_internal = packed
    return Identity(name, claims, is_internal=is_internal)


def pack_body(value: Any) -> bytes | None:
    """A Recon value, exactly."""
    return None if value is Absent else recon.encode(value, exact=True).encode()


def unpack_body(packed: bytes | None) -> Any:
    """The value that :func:`pack_body` was given."""
    return Absent if packed is None else recon.decode(packed)


def pack_error(error: NatantError) -> list[Any]:
    """An error with the facts that are plain data."""
    facts = error.context.items()
    context = {name: fact for name, fact in facts if fact is None or isinstance(fact, (str, int, float, bool))}
    return [error.code, error.message, context]


def unpack_error(packed: list[Any]) -> NatantError:
    """The error, of the class that its code names."""
    code, message, context = packed
    area = code.split("-")[1] if code.count("-") >= 2 else ""
    kind = _ERRORS.get(area, NatantError)
    return kind(code, message, **context)
