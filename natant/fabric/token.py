"""Nodes as tokens of NATS subjects: ``/room/4.2`` is ``room.4%2E2``.

Each segment of a node's key is one token.  Letters, digits, ``-``, ``_`` and ``~`` stand for themselves; every other byte of the
UTF-8 text is percent-encoded with upper-case digits, so ``.``, ``*``, ``>``, spaces and controls never appear.  An empty segment
is a lone ``%``.  A node that is no path, such as ``swim:meta:host``, keeps the colons of its first segment, which no path does;
so each node has exactly one form and tokens tell their node exactly: server and workers hash the same bytes.

Called by the partitioner and by everything that builds subjects.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from natant.codec.uri import resolve
from natant.errors import FabricError, WarpError

__all__ = ["node_of", "text_of", "token", "tokens_of"]

#: what stands for the empty text, which a subject cannot hold
_EMPTY: Final = chr(0x25)
#: what a regular key of a node holds without percent-encoding (see ``natant.codec.uri``), but for letters and digits
_PATH_SAFE: Final = "!$&'()*+,;=:@"
_plain = re.compile(r"[A-Za-z0-9\-_~]+").fullmatch
_plain_key = re.compile(r"/[A-Za-z0-9\-_~]+(?:/[A-Za-z0-9\-_~]+)*").fullmatch
_encoded = re.compile("%[0-9A-F]{2}").sub


def token(text: str) -> str:
    """``text`` as one token of a subject; the empty text is ``%``.

    :raises FabricError: ``NT-FABRIC-010`` where the text has no UTF-8 form (a lone surrogate).
    """
    if _plain(text):
        return text
    try:
        return _token(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise FabricError(
            "NT-FABRIC-010", f"{text!a} has no UTF-8 form, so no subject can name it; use text that has one."
        ) from None


def text_of(written: str) -> str:
    """What :func:`token` was given.

    :raises FabricError: ``NT-FABRIC-010`` where it is not the one form of its text.
    """
    if _plain(written):
        return written
    try:
        text = "" if written == _EMPTY else unquote_to_bytes(written).decode("utf-8")
    except UnicodeDecodeError:
        raise _irregular(written) from None
    if token(text) != written:
        raise _irregular(written)
    return text


def tokens_of(node: str) -> tuple[str, ...]:
    """The tokens of a node: all spellings of one node give the same.

    :raises WarpError: ``NT-WARP-004`` where ``node`` is no URI.
    """
    if _plain_key(node):
        return tuple(node[1:].split("/"))
    key = resolve(node)[1]
    if key.startswith("/"):
        return tuple(_token(unquote_to_bytes(part)) for part in key[1:].split("/"))
    first, *rest = key.split("/")
    scheme = ":".join(_token(unquote_to_bytes(part)) for part in first.split(":"))
    return (scheme, *(_token(unquote_to_bytes(part)) for part in rest))


def node_of(tokens: Sequence[str]) -> str:
    """The key of the node that has ``tokens``.

    :raises FabricError: ``NT-FABRIC-010`` where they are not what :func:`tokens_of` gives: two forms would hash to two partitions.
    """
    if all(map(_plain, tokens)) and tokens:
        return "/" + "/".join(tokens)
    parts = ["" if part == _EMPTY else quote(unquote_to_bytes(part), safe=_PATH_SAFE) for part in tokens]
    key = _encoded(lambda found: found[0].lower(), "/".join(parts))
    key = key if ":" in "".join(tokens[:1]) else "/" + key
    try:
        is_regular = tokens_of(key) == tuple(tokens)
    except WarpError:
        is_regular = False
    if not is_regular:
        raise _irregular(".".join(tokens))
    return key


def _token(content: bytes) -> str:
    return quote(content, safe="").replace(".", "%2E") or _EMPTY


def _irregular(written: str) -> FabricError:
    return FabricError(
        "NT-FABRIC-010",
        f"{written[:80]!r} in a subject is not written as it must be: percent-encode every byte but A-Z a-z 0-9 - _ ~, in "
        "capital hex digits; '%' alone is the empty text.",
    )
