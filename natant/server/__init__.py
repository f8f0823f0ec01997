"""The server: one port for WARP over WebSocket, HTTP, SSE and static files."""

from natant.server.limit import Limit
from natant.server.server import Server

__all__ = ["Limit", "Server"]
