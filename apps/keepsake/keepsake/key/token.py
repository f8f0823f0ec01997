"""Tokens: who shows one is a person's device, or a worker of the service.

``ks1.PAYLOAD.SIGNATURE``, both base64url: JSON, and an Ed25519 signature of it by a key that follows from the master key.  A token
that was given out by mistake is revoked by its id, in ``KEYS/revoked.txt``, one a line.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from pathlib import Path
from typing import Final, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keepsake.errors import KeepsakeError
from keepsake.key.ring import Ring, person_id

__all__ = ["Token", "Tokens"]

PREFIX: Final = "ks1"
#: of a token; longer ones are not looked at
TOKEN_BYTES: Final = 2048


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says.

    :ivar person: whose it is; empty for a worker.
    :ivar role: ``owner`` reaches all of the person, ``device`` only captures, ``worker`` does the jobs of all.
    :ivar until: the first moment when it is good no more, epoch seconds.
    """

    id: str
    person: str
    role: Literal["owner", "device", "worker"]
    device: str = ""
    until: float


def _bytes(text: str) -> bytes:
    """Strict: one text for one content, else a token could be written in several ways."""
    content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _text(content) != text:
        raise ValueError(text)
    return content


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class Tokens:
    """Makes tokens and reads them."""

    def __init__(self, ring: Ring) -> None:
        self._signer = Ed25519PrivateKey.from_private_bytes(ring.derive("token"))
        self._verifier = self._signer.public_key()
        self._file = ring.folder / "revoked.txt"
        self._revoked: frozenset[str] = frozenset()
        self._seen = -1

    def make(self, person: str, role: Literal["owner", "device", "worker"], *, until: float, device: str = "") -> str:
        """A token; nobody but its holder should see it."""
        if role != "worker":
            person_id(person)
        token = Token(id=secrets.token_hex(8), person=person, role=role, device=device, until=until)
        payload = msgspec.json.encode(token)
        return f"{PREFIX}.{_text(payload)}.{_text(self._signer.sign(payload))}"

    def read(self, text: str, *, now: float) -> Token:
        """What a token says.

        :param now: epoch seconds.
        :raises KeepsakeError: ``KS-KEY-005`` for what is no token of this service, ``KS-KEY-006`` where it is over or revoked.
        """
        try:
            prefix, payload, signature = text[: TOKEN_BYTES + 1].split(".")
            if prefix != PREFIX or len(text) > TOKEN_BYTES:
                raise ValueError(prefix)
            content = _bytes(payload)
            self._verifier.verify(_bytes(signature), content)
            token = msgspec.json.decode(content, type=Token)
        except (ValueError, InvalidSignature, binascii.Error, msgspec.DecodeError):
            raise KeepsakeError(
                "KS-KEY-005", "this is no token of this service; keepsake person token PERSON makes one"
            ) from None
        if now >= token.until or token.id in self.revoked():
            raise KeepsakeError(
                "KS-KEY-006", "this token is over or was revoked; keepsake person token PERSON makes a new one"
            )
        return token

    def revoked(self) -> frozenset[str]:
        """Ids of tokens that are good no more."""
        changed = _changed(self._file)
        if changed != self._seen:
            self._revoked = frozenset(self._file.read_text("utf-8").split()) if changed else frozenset()
            self._seen = changed
        return self._revoked

    def revoke(self, text: str) -> None:
        """Make a token good no more, from the next look on."""
        identity = msgspec.json.decode(_bytes(text.split(".")[1]), type=Token).id if "." in text else text
        with self._file.open("a", encoding="utf-8") as file:
            file.write(identity + "\n")


def _changed(path: Path) -> int:
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0
    return status.st_mtime_ns + status.st_size
