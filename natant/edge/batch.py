"""What is stored at the edge and forwarded to the hub, as bytes.

==========  ==========================================================================================
text        holds
==========  ==========================================================================================
*bundle*    commands of one outbox, in order: one message of the edge's stream
*parcel*    bundles with their sequences in the edge's stream: one message of the hub's stream
==========  ==========================================================================================

Both are MessagePack lists that begin with the number of the format.  A command is a list of its node, its lane and its body in Recon; no
body is nil.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

import msgspec

from natant.codec import recon
from natant.codec.recon.value import Extant
from natant.errors import CodecError, EdgeError
from natant.kernel.turn import Send

__all__ = ["Bundle", "Command", "Parcel", "decode_bundle", "decode_parcel", "digest_of", "encode", "of_send", "to_send"]

FORMAT: Final = 1

#: node, lane and body
Command = tuple[str, str, bytes | None]


class Bundle(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Commands of one outbox.

    :ivar last: number of the last of them in its outbox.
    """

    form: int
    last: int
    commands: list[Command]


class Parcel(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Bundles on their way.

    :ivar origin: the edge's stream: another one with the same name has another origin.
    :ivar bundles: sequence in that stream and bytes of each, without gaps.
    """

    form: int
    origin: str
    bundles: list[tuple[int, bytes]]


#: the identity of an edge's stream
_origin = re.compile(r"[A-Za-z0-9]{1,64}").fullmatch
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
    if _origin(found.origin) is None:
        raise _unreadable("a parcel", f"it comes from {found.origin[:40]!r}, which names no stream")
    return found


def digest_of(bundle: bytes) -> str:
    """By what edge and hub see that they mean the same bundle."""
    return hashlib.blake2b(bundle, digest_size=12).hexdigest()


def of_send(send: Send) -> Command:
    """A command as it stands in a bundle.

    :raises CodecError: where its body cannot be written.
    """
    body = send.body
    return send.node, send.lane, None if body is Extant else recon.encode(body, exact=True).encode()


def to_send(command: Command) -> Send:
    """The command in a bundle, for an agent of this host.

    :raises EdgeError: ``NT-EDGE-005`` where its body is no Recon.
    """
    node, lane, body = command
    try:
        return Send(node, lane, Extant if body is None else recon.decode(body))
    except CodecError as error:
        raise _unreadable("a command", error) from None


def _unreadable(what: str, why: object) -> EdgeError:
    return EdgeError(
        "NT-EDGE-005", f"{what} that an edge forwarded cannot be read: {why}; both sides need the same natant"
    )
