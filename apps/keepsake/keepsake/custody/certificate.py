"""Certificates: what was deleted, when, and which parts confirmed it, signed so that it holds when the person's key is gone.

A certificate is JSON: ``text``, canonical JSON (RFC 8785) of what is said, and ``signatures`` of exactly that text (Ed25519), by the
person's key while there was one, and by the service.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from keepsake.custody import canon
from keepsake.custody.note import public_bytes
from keepsake.errors import KeepsakeError
from keepsake.key import Ring

__all__ = ["SERVICE", "Signer", "certify", "read_certificate", "service_signer"]

#: the name by which the service signs
SERVICE: Final = "keepsake/service"

#: a certificate that is longer is not read
CERTIFICATE_BYTES: Final = 1 << 24


@dataclass(frozen=True, slots=True)
class Signer:
    """A key with the name it signs by."""

    name: str
    key: Ed25519PrivateKey


def service_signer(ring: Ring) -> Signer:
    """The service itself, as a witness and where a person's key is gone."""
    return Signer(SERVICE, Ed25519PrivateKey.from_private_bytes(ring.derive("witness")))


def certify(said: Mapping[str, object], signers: Sequence[Signer]) -> bytes:
    """Sign what is said."""
    text = canon.encode(dict(said))
    signatures = [
        {"name": signer.name, "key": _base64(public_bytes(signer.key)), "signature": _base64(signer.key.sign(text))}
        for signer in signers
    ]
    return canon.encode({"text": text.decode(), "signatures": signatures})


def read_certificate(certificate: bytes, keys: Mapping[str, bytes] | None = None) -> dict[str, Any]:
    """What a certificate says, where all of its signatures are good.

    :param keys: keys that are known from elsewhere, by the signer's name: those have to have signed.
    :raises KeepsakeError: ``KS-CUSTODY-010`` else.
    """
    try:
        if len(certificate) > CERTIFICATE_BYTES:
            raise ValueError("too long")
        fields = json.loads(certificate)
        text = fields["text"].encode()
        signed = {}
        for line in fields["signatures"]:
            public = base64.b64decode(line["key"], validate=True)
            Ed25519PublicKey.from_public_bytes(public).verify(base64.b64decode(line["signature"], validate=True), text)
            signed[line["name"]] = public
        missing = [name for name, key in (keys or {}).items() if signed.get(name) != key]
        if missing or not signed:
            raise ValueError(f"not signed by {missing}")
        found: dict[str, Any] = json.loads(text)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error, InvalidSignature, RecursionError) as fault:
        raise KeepsakeError(
            "KS-CUSTODY-010", f"this certificate proves nothing: {fault or 'a signature is false'}"
        ) from None
    return found


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
