"""The server: one port for WARP over WebSocket, HTTP, SSE and static files."""

from natant.server.http.fault import fault_response
from natant.server.limit import Limit
from natant.server.mount.caller import Caller, gate
from natant.server.server import Server

__all__ = ["Caller", "Limit", "Server", "fault_response", "gate"]
