"""Which lane of which host a command means.

Two forms, alike for all commands:

* ``/vehicle/7 position`` with ``--at URL``, which is ``$NATANT_URL`` or ``warp://127.0.0.1:9001`` where it is not given;
* ``warp://127.0.0.1:9001/vehicle/7?lane=position``, or the same without the query and the lane as the next word.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

import click

from natant.client.address import Address, parse

__all__ = ["DEFAULT_URL", "Target", "host_of", "take_lane", "take_node", "token", "words_only"]

DEFAULT_URL: Final = "warp://127.0.0.1:9001"
VARIABLE: Final = "NATANT_URL"
#: holds the token that commands show to the host's authenticator; a variable, since options can be seen by other users
TOKEN_VARIABLE: Final = "NATANT_TOKEN"  # noqa: S105  # its name

#: nodes that tell about a host; their scheme is part of their URI
_META: Final = re.compile(r"swim(os)?:meta:")
_NUMBER: Final = re.compile(r"-(\d|\.\d)")


class Target(NamedTuple):
    """A node of a host, and one of its lanes (empty where none was asked for)."""

    address: Address
    node: str
    lane: str

    def __str__(self) -> str:
        return f"{self.node} {self.lane}".rstrip()


def host_of(at: str | None) -> Address:
    """The host that ``--at``, the environment or the default names."""
    return parse(at or os.environ.get(VARIABLE) or DEFAULT_URL)


def token() -> str | None:
    """The token for the host's authenticator, where the environment has one."""
    return os.environ.get(TOKEN_VARIABLE) or None


def take_node(words: Sequence[str], at: str | None) -> tuple[Target, list[str]]:
    """The node that the first word names, and the words that are left.

    :raises click.UsageError: where there is none.
    """
    if not words:
        raise click.UsageError("which node? Write it as /vehicle/7, or as warp://127.0.0.1:9001/vehicle/7")
    first, rest = words[0], list(words[1:])
    if "://" not in first:
        is_whole = first.startswith("/") or _META.match(first)
        return Target(host_of(at), first if is_whole else f"/{first}", ""), rest
    if at is not None:
        raise click.UsageError(f"{first} names its host itself, so --at {at} says it twice; leave one of them out")
    parts = urlsplit(first)
    lane = parse_qs(parts.query).get("lane", [""])[-1]
    address = parse(f"{parts.scheme}://{parts.netloc}")
    return Target(address, parts.path or "/", lane), rest


def take_lane(words: Sequence[str], at: str | None) -> tuple[Target, list[str]]:
    """The lane that the first word, or the first two, name, and the words that are left.

    :raises click.UsageError: where there is none.
    """
    target, rest = take_node(words, at)
    if target.lane:
        return target, rest
    if not rest:
        raise click.UsageError(
            f"which lane of {target.node}? Write {target.node} LANE; natant describe {target.node} lists them"
        )
    return target._replace(lane=rest[0]), rest[1:]


def words_only(words: Sequence[str], highest: int) -> list[str]:
    """The words as they are, where they are not too many and no mistyped options.

    Negative numbers are words: commands with a VALUE let them through, and everything else that begins so with them.

    :raises click.UsageError: otherwise.
    """
    for word in words:
        if len(word) > 1 and word.startswith("-") and not _NUMBER.match(word):
            raise click.NoSuchOption(word)
    if len(words) > highest:
        raise click.UsageError(
            f"{words[highest]!r} is one word too many; a VALUE with blanks wants quotes of the shell"
        )
    return list(words)
