"""What is reached over HTTP and WebSocket beside the agents: capture, uploads, the page."""
