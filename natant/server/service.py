"""What all connections of one server share: the host, the limits, the table, the gate, and whether it is stopping."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Final

from natant.server.limit import Limit
from natant.server.mount.entrance import Mounts
from natant.server.origin import Gate
from natant.server.table import Table

if TYPE_CHECKING:
    from natant.server.port import HostPort

__all__ = ["Service"]

#: at most one line a second for each cause of trouble with clients
QUIET_S: Final = 1.0


class Service:
    """The shared part of a server.

    :ivar is_stopping: no new work is taken; clients are being told to come again.
    :ivar stopping: set at the same time, for streams that wait.
    """

    def __init__(self, host: HostPort, *, limit: Limit, gate: Gate) -> None:
        self.host = host
        self.limit = limit
        self.gate = gate
        self.table = Table(limit)
        self.counter = self.table.counter
        #: applications of others under paths of this port
        self.mounts = Mounts(self)
        #: what the process adds over NATS; the metrics show its counts
        self.features: list[Any] = []
        #: the plane's connection to NATS; None where there is none
        self.engine: Any = None
        self.is_stopping = False
        self.stopping = asyncio.Event()
        self.log = logging.getLogger("natant.server")
        self._last: dict[str, tuple[float, int]] = {}

    def complain(self, cause: str, message: str, *values: object) -> None:
        """Log trouble with a client at warning level, thinned out by cause."""
        now_s = time.monotonic()
        last_s, held = self._last.get(cause, (float("-inf"), 0))
        if now_s - last_s < QUIET_S:
            self._last[cause] = (last_s, held + 1)
            return
        self._last[cause] = (now_s, 0)
        if held:
            message += " (%d more like it were held back)"
            values = (*values, held)
        self.log.warning(message, *values)
