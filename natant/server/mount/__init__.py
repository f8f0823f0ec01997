"""Applications of others under a path of the plane's port: any ASGI 3 application, HTTP and WebSocket."""
