"""Checks a receipt of Keepsake, offline, with no part of Keepsake: python verify.py RECEIPT [--key BASE64] [--content FILE].

What is proved: the record is in the log whose head the key has signed (RFC 9162, C2SP tlog-checkpoint, Ed25519); with --content,
that the record speaks of exactly this content.  The key's owner has to be known from elsewhere: give it as --key.
Needs Python 3.9 and the package cryptography.  Exit code 0: proved; 1: not.
"""

import argparse
import base64
import hashlib
import hmac
import json
import sys
import time
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def root(leaf: bytes, index: int, size: int, proof: "list[bytes]") -> bytes:
    """The root that an inclusion proof leads to (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        raise ValueError("the index is not within the log")
    first, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ValueError("the proof is too long")
        if first & 1 or first == last:
            found = hashlib.sha256(b"\x01" + sibling + found).digest()
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + sibling).digest()
        first, last = first >> 1, last >> 1
    if last:
        raise ValueError("the proof is too short")
    return found


def signed_head(note: str, public: bytes) -> "tuple[str, int, bytes]":
    """Name, size and root of a checkpoint that the key has signed."""
    text, _, signatures = note.partition("\n\n")
    name, size, head = [*text.split("\n"), "", "", ""][:3]
    key_hash = hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]
    for line in signatures.splitlines():
        dash, signer, content = [*line.split(" "), "", ""][:3]
        raw = base64.b64decode(content)
        if (dash, signer, raw[:4]) == ("\u2014", name, key_hash):
            Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], f"{text}\n".encode())
            return name, int(size), base64.b64decode(head)
    raise ValueError("the checkpoint is not signed by this key")


def check(receipt: "dict[str, object]", key: str, content: "bytes | None") -> "list[str]":
    """What a receipt proves, in lines; raises where it does not."""
    public = base64.b64decode(str(receipt["key"]))
    if key and base64.b64decode(key) != public:
        raise ValueError("the receipt is of another key")
    name, size, head = signed_head(str(receipt["checkpoint"]), public)
    record = str(receipt["record"])
    proof = [base64.b64decode(part) for part in receipt["proof"]]  # type: ignore[attr-defined]
    leaf = hashlib.sha256(b"\x00" + record.encode()).digest()
    if root(leaf, int(str(receipt["index"])), size, proof) != head:
        raise ValueError("the record is not in the log")
    fields = json.loads(record)
    said = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(fields["at"] / 1000))
    by = f"{fields['by']}, by grant {fields['grant']}" if "grant" in fields else fields["by"]
    lines = [f"{fields['about']} {fields['action']}, {said}, {by}", f"record {receipt['index']} of {size} in {name}"]
    if content is not None:
        mac = hmac.new(base64.b64decode(str(receipt.get("salt", ""))), content, hashlib.sha256).hexdigest()
        if "salt" not in receipt or not hmac.compare_digest(mac, fields.get("commitment", "")):
            raise ValueError("the record does not speak of this content, or its salt was destroyed")
        lines.append("the content is the one that the record speaks of")
    return [*lines, f"signed by {receipt['key']}" + ("" if key else " (as the receipt says; compare it)")]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Check a receipt of Keepsake.")
    parser.add_argument("receipt", type=Path, help="the receipt, a JSON file")
    parser.add_argument("--key", default="", help="the key that has to have signed, base64")
    parser.add_argument("--content", type=Path, help="a file: is it what the record speaks of?")
    options = parser.parse_args()
    try:
        content = options.content.read_bytes() if options.content else None
        print("\n".join(check(json.loads(options.receipt.read_text("utf-8")), options.key, content)))  # noqa: T201
    except (ValueError, KeyError, TypeError, AttributeError, OSError, InvalidSignature) as error:
        print(f"not proved: {error or 'the signature is false'}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
