"""Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature), Ed25519.

A checkpoint is a note of three lines, the log's name, its size and its root; whoever signs another one for the same name has to
be consistent with it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from keepsake.errors import KeepsakeError

__all__ = ["Checkpoint", "body", "cosign", "key_text", "parse", "public_bytes", "sign", "verify", "verify_cosignature"]

#: kinds of signature (C2SP signed-note): of the log itself, of a witness with its time
ED25519: Final = 1
COSIGNATURE: Final = 4

#: a note that is longer, or has more signatures, is not read
NOTE_CHARACTERS: Final = 65_536
SIGNATURE_LIMIT: Final = 64

HASH_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

_SIGNATURE: Final = re.compile(r"\u2014 ([^ +]+) ([A-Za-z0-9+/=]+)")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log at some size.

    :ivar origin: the log's name.
    :ivar size: how many records.
    :ivar root: its root hash, 32 bytes.
    :ivar text: what is signed.
    :ivar signatures: name of the signer, hash of its key (4 bytes), signature.
    """

    origin: str
    size: int
    root: bytes
    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...] = ()


def _bad(what: str) -> KeepsakeError:
    return KeepsakeError(
        "KS-CUSTODY-003", f"{what}; a checkpoint is a signed note with the log's name, its size and its root"
    )


def public_bytes(key: Ed25519PrivateKey | Ed25519PublicKey) -> bytes:
    """The 32 bytes of a public key."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return public.public_bytes_raw()


def _key_hash(name: str, kind: int, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def key_text(name: str, public: bytes) -> str:
    """A verifier's key as the note formats write it: ``name+hash+base64``."""
    return f"{name}+{_key_hash(name, ED25519, public).hex()}+{base64.b64encode(bytes([ED25519]) + public).decode()}"


def body(origin: str, size: int, head: bytes) -> str:
    """The text of a checkpoint, before it is signed."""
    return f"{origin}\n{size}\n{base64.b64encode(head).decode()}\n"


def sign(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """A note: the text, an empty line and one signature."""
    signature = _key_hash(name, ED25519, public_bytes(key)) + key.sign(text.encode())
    return f"{text}\n\u2014 {name} {base64.b64encode(signature).decode()}\n"


def cosign(checkpoint: Checkpoint, name: str, key: Ed25519PrivateKey, at: int) -> str:
    """The line with which a witness says that it saw the checkpoint at a time (epoch seconds) and found it consistent."""
    signature = key.sign(f"cosignature/v1\ntime {at}\n{checkpoint.text}".encode())
    line = _key_hash(name, COSIGNATURE, public_bytes(key)) + at.to_bytes(8, "big") + signature
    return f"\u2014 {name} {base64.b64encode(line).decode()}\n"


def _signature(line: str) -> tuple[str, bytes, bytes]:
    match = _SIGNATURE.fullmatch(line)
    if match is None:
        raise _bad(f"{line[:80]!r} is no line of a signature")
    try:
        content = base64.b64decode(match[2], validate=True)
    except binascii.Error:
        raise _bad("a signature is no base64") from None
    return match[1], content[:4], content[4:]


def parse(note: str) -> Checkpoint:
    """Read a checkpoint; its signatures are not checked yet.

    :raises KeepsakeError: ``KS-CUSTODY-003`` where it is none.
    """
    if len(note) > NOTE_CHARACTERS:
        raise _bad(f"a note of {len(note)} characters is too long")
    text, is_split, signed = note.partition("\n\n")
    lines = text.split("\n")
    if not is_split or len(lines) < 3 or not lines[0] or not _SIZE.fullmatch(lines[1]) or not signed.endswith("\n"):
        raise _bad(f"{note[:80]!r} is not made like one")
    try:
        head = base64.b64decode(lines[2], validate=True)
    except (binascii.Error, ValueError):
        raise _bad("its root is no base64") from None
    if len(head) != HASH_BYTES:
        raise _bad(f"its root has {len(head)} bytes, not {HASH_BYTES}")
    found = signed[:-1].split("\n")
    if len(found) > SIGNATURE_LIMIT:
        raise _bad(f"it has {len(found)} signatures, at most {SIGNATURE_LIMIT} are read")
    return Checkpoint(lines[0], int(lines[1]), head, text + "\n", tuple(map(_signature, found)))


def _is_signed(public: bytes, signature: bytes, content: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, content)
    except InvalidSignature:
        return False
    return True


def verify(note: str, public: bytes, *, origin: str | None = None) -> Checkpoint:
    """Read a checkpoint that has to be signed by the log's own key.

    :raises KeepsakeError: ``KS-CUSTODY-003`` where it is no checkpoint, ``KS-CUSTODY-004`` where the signature is missing or false.
    """
    found = parse(note)
    if origin is not None and found.origin != origin:
        raise KeepsakeError("KS-CUSTODY-004", f"this is a checkpoint of {found.origin[:80]!r}, not of {origin!r}")
    wanted = (found.origin, _key_hash(found.origin, ED25519, public))
    for name, key_hash, signature in found.signatures:
        if (name, key_hash) == wanted and _is_signed(public, signature, found.text.encode()):
            return found
    raise KeepsakeError(
        "KS-CUSTODY-004", f"the checkpoint of {found.origin[:80]!r} is not signed by the key it should be"
    )


def verify_cosignature(checkpoint: Checkpoint, line: str, name: str, public: bytes) -> int:
    """When a witness saw a checkpoint, epoch seconds.

    :raises KeepsakeError: ``KS-CUSTODY-003`` and ``KS-CUSTODY-004`` as in `verify`.
    """
    signer, key_hash, content = _signature(line.rstrip("\n"))
    at, signature = int.from_bytes(content[:8], "big"), content[8:]
    message = f"cosignature/v1\ntime {at}\n{checkpoint.text}".encode()
    wanted = (name, _key_hash(name, COSIGNATURE, public), SIGNATURE_BYTES)
    if (signer, key_hash, len(signature)) != wanted or not _is_signed(public, signature, message):
        raise KeepsakeError("KS-CUSTODY-004", f"the cosignature of {signer[:80]!r} is not of the witness {name!r}")
    return at
