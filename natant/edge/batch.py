"""What is stored at the edge and forwarded to the hub, as bytes.

==========  ==========================================================================================
text        holds
==========  ==========================================================================================
*bundle*    commands of one outbox, in order: one message of the edge's stream
*parcel*    bundles with their sequences in the edge's stream: one message of the hub's stream
==========  ==========================================================================================

Both are MessagePack lists that begin with the number of the format.  A command is its record in the outbox (Recon), as it was
journaled with the turn that sent it.
"""

from __future__ import annotations

from typing import Final

import msgspec

from natant.codec import recon
from natant.codec.recon.value import Extant, Record
from natant.errors import CodecError, EdgeError
from natant.kernel.turn import Send

__all__ = ["Bundle", "Parcel", "decode_bundle", "decode_parcel", "encode", "to_send"]

FORMAT: Final = 1


class Bundle(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Commands of one outbox.

    :ivar last: number of the last of them in its outbox.
    """

    form: int
    last: int
    commands: list[bytes]


class Parcel(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Bundles on their way.

    :ivar origin: the edge's stream: another one with the same name has another origin.
    :ivar bundles: sequence in that stream and bytes of each, without gaps.
    """

    form: int
    origin: str
    bundles: list[tuple[int, bytes]]


_encoder = msgspec.msgpack.Encoder()
_bundle = msgspec.msgpack.Decoder(Bundle)
_parcel = msgspec.msgpack.Decoder(Parcel)


def encode(thing: Bundle | Parcel) -> bytes:
    """The bytes of a bundle or parcel."""
    return _encoder.encode(thing)


def decode_bundle(data: bytes) -> Bundle:
    """Read a bundle.

    :raises EdgeError: ``NT-EDGE-005`` where it is none.
    """
    try:
        found = _bundle.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unreadable("a bundle", error) from None
    if found.form != FORMAT:
        raise _unreadable("a bundle", f"it has format {found.form}, this natant reads {FORMAT}")
    return found


def decode_parcel(data: bytes) -> Parcel:
    """Read a parcel.

    :raises EdgeError: ``NT-EDGE-005`` where it is none.
    """
    try:
        found = _parcel.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unreadable("a parcel", error) from None
    if found.form != FORMAT:
        raise _unreadable("a parcel", f"it has format {found.form}, this natant reads {FORMAT}")
    return found


def to_send(text: bytes) -> Send:
    """The command in a bundle, for an agent of this host.

    :raises EdgeError: ``NT-EDGE-005`` where it is none.
    """
    try:
        record = recon.decode(text)
    except CodecError as error:
        raise _unreadable("a command", error) from None
    node = record.get("node") if isinstance(record, Record) else None
    lane = record.get("lane") if isinstance(record, Record) else None
    if not isinstance(node, str) or not isinstance(lane, str):
        raise _unreadable("a command", f"it has no node or no lane: {text[:80]!r}")
    return Send(node, lane, record.get("body", Extant))


def _unreadable(what: str, why: object) -> EdgeError:
    return EdgeError(
        "NT-EDGE-005", f"{what} that an edge forwarded cannot be read: {why}; both sides need the same natant"
    )
