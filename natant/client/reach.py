"""How a plane reaches other hosts: the channels behind its agents' downlinks, joins and sends.

A host is given :func:`reach` by whoever makes it, so that links need to know no sockets.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from natant.client.address import parse
from natant.client.connection import Connection
from natant.client.timing import Timing
from natant.link.channel import Channel

__all__ = ["reach"]


def reach(host_uri: str, timing: Timing | None = None) -> tuple[Channel, Callable[[], Awaitable[None]]]:
    """A channel to another host that is kept connected, and the coroutine function that ends that.

    Call it where an event loop runs.

    :raises ClientError: ``NT-CLIENT-002`` where ``host_uri`` is no address.
    """
    connection = Connection(parse(host_uri), timing or Timing())
    connection.start()
    return connection.channel, connection.close
