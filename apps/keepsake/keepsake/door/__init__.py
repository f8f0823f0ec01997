"""What is reached over HTTP and WebSocket beside the agents: capture, uploads, the page."""

from keepsake.door.site import attach

__all__ = ["attach"]
