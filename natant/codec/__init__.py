"""Bytes to values and back: Recon, WARP, URIs and typed forms.  No sockets, no clock, no asyncio."""
