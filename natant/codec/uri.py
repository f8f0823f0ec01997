"""URIs of nodes and lanes (RFC 3986, and section 2.8 of the protocol's reference).

A node URI has two readings: the *echo*, which replies carry, is the spelling of the client with its percent-encoding made
regular; the *key* is the identity of the node: ``unit/1``, ``/unit/1?q=1``, ``/unit/./1`` and ``warp://host/unit/1`` all have
the key ``/unit/1``.  Letters count by case.

Called by the envelope reader (is it a URI at all?), the sessions (echo and key) and the channels (echo).
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from natant.errors import WarpError

__all__ = ["check_node", "normalize", "resolve", "resolve_lane", "segments"]

_PCHAR: Final = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})"
_HOST: Final = r"(?:\[[0-9A-Fa-fvV:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)"
_uri = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+\-.]*):)?+"
    rf"(?:(?P<authority>//(?:(?:[A-Za-z0-9\-._~!$&'()*+,;=:]|%[0-9A-Fa-f]{{2}})*@)?{_HOST}(?::[0-9]*)?(?=[/?#]|\Z))|(?!//))"
    rf"(?P<path>(?:{_PCHAR}|/)*)"
    rf"(?P<query>\?(?:{_PCHAR}|[/?])*)?"
    rf"(?P<fragment>\#(?:{_PCHAR}|[/?])*)?"
).fullmatch
#: a path as nearly every client writes it: nothing in it to decode or to resolve
_plain = re.compile(
    r"/[A-Za-z0-9\-_~!$&'()*+,;=:@]+(?:/[A-Za-z0-9\-_~!$&'()*+,;=:@][A-Za-z0-9\-._~!$&'()*+,;=:@]*)*"
).fullmatch
_encoded = re.compile("%([0-9A-Fa-f]{2})").sub


def _regular(found: re.Match[str]) -> str:
    char = chr(int(found[1], 16))
    if char.isascii() and (char.isalnum() or char in "-._~!$&'()*+,;=:@"):
        return char
    return found[0].lower()


def _match(node: str) -> re.Match[str]:
    found = _uri(node)
    if found is None:
        raise WarpError(
            "NT-WARP-004",
            f"{node[:80]!r} is no URI; percent-encode blanks, other than ASCII characters and the like, as in /unit/a%20b",
        )
    return found


def check_node(node: str) -> None:
    """See that a node is a URI.

    :raises WarpError: ``NT-WARP-004`` where it has characters that a URI cannot have, or a host that cannot be one.
    """
    if _plain(node) is None:
        _match(node)


def normalize(node: str) -> str:
    """The spelling of ``node`` that replies carry: characters that need no percent-encoding without, others in lower case.

    :raises WarpError: as :func:`check_node`.
    """
    if _plain(node) is None:
        _match(node)
        if "%" in node:
            return _encoded(_regular, node)
    return node


def resolve(node: str) -> tuple[str, str]:
    """Echo and key of a node.

    A URI such as ``swim:meta:host`` has no path on a host: it is its own key.

    :raises WarpError: as :func:`check_node`.
    """
    if _plain(node) is not None:
        return node, node
    echo = normalize(node)
    found = _match(echo)
    path: str = found["path"]
    scheme: str | None = found["scheme"]
    if scheme is not None and found["authority"] is None and not path.startswith("/"):
        return echo, f"{scheme.lower()}:{path}"
    return echo, _without_dots(path if path.startswith("/") else "/" + path)


def _without_dots(path: str) -> str:
    """``path`` without its ``.`` and ``..`` segments (RFC 3986, section 5.2.4)."""
    if "/." not in path:
        return path
    out: list[str] = []
    parts = path.split("/")
    for part in parts[1:]:
        if part == "..":
            if out:
                out.pop()
        elif part != ".":
            out.append(part)
    if parts[-1] in (".", ".."):
        out.append("")
    return "/" + "/".join(out)


def resolve_lane(lane: str) -> tuple[str, str]:
    """Echo and name of a lane: ``nodes#/unit/`` is looked up as ``nodes``; its fragment is for whoever answers."""
    name = lane
    if "?" in lane or "#" in lane:
        name = lane.partition("#")[0].partition("?")[0]
    return lane, unquote(name) if "%" in name else name


def segments(key: str) -> tuple[str, ...]:
    """The decoded segments of a node's key."""
    return tuple(unquote(part) for part in key.removeprefix("/").split("/"))
