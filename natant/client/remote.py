"""Connections of a plane to other hosts, for the downlinks, joins and sends of its agents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from natant.client.address import parse
from natant.client.connection import Connection
from natant.client.timing import Timing
from natant.link.channel import Channel

__all__ = ["connect"]


def connect(host_uri: str) -> tuple[Channel, Callable[[], Awaitable[None]]]:
    """A channel to ``host_uri`` that is kept connected, and what ends it.  Call it in a running loop.

    :raises ClientError: ``NT-CLIENT-002`` where the address is none.
    """
    connection = Connection(parse(host_uri), Timing())
    connection.start()
    return connection.channel, connection.close
