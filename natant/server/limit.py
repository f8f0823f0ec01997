"""The limits and durations of the server, in one table.  Units are last in each name."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limit"]

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What the server takes from its clients, and how long it waits for them.

    :ivar connections: connections of all kinds at a time; further ones are answered 503.
    :ivar connections_per_address: of these from one address.
    :ivar head_bytes: the request line and headers of one request.
    :ivar head_timeout_s: time for a request head to arrive, from its first byte (or from the connection's start).
    :ivar keep_alive_s: an HTTP connection without a request is closed after this time.
    :ivar body_bytes: body of one HTTP request.
    :ivar body_timeout_s: time for a request body to arrive.
    :ivar frame_bytes: one WebSocket message, all its fragments together.
    :ivar receive_memory_bytes: what all WebSocket connections together may hold of messages above :attr:`large_bytes`.
    :ivar large_bytes: messages up to this size do not count for :attr:`receive_memory_bytes`.
    :ivar write_high_bytes: a connection with more than this unsent is paused: its links conflate.
    :ivar write_low_bytes: it goes on below this.
    :ivar ping_after_s: a WebSocket peer that was silent so long gets a ping.
    :ivar dead_after_s: and is dropped when it stays silent this long after the ping.
    :ivar stall_timeout_s: a peer that reads nothing for so long while data waits for it is dropped.
    :ivar close_timeout_s: time for the answer to a close frame, and for the last bytes to leave.
    :ivar tls_timeout_s: time for a TLS handshake.
    :ivar stream_events: events that one SSE stream may hold back before its link conflates.
    :ivar stream_heartbeat_s: a quiet SSE stream carries a comment this often.
    :ivar page_entries: the largest page of a list or of a map lane.
    :ivar sweep_s: how often timeouts are looked at.
    """

    connections: int = 10_000
    connections_per_address: int = 4_000
    head_bytes: int = 16 * 1024
    head_timeout_s: float = 10.0
    keep_alive_s: float = 75.0
    body_bytes: int = 16 * MIB
    body_timeout_s: float = 30.0
    frame_bytes: int = 16 * MIB
    receive_memory_bytes: int = 512 * MIB
    large_bytes: int = 256 * 1024
    write_high_bytes: int = 256 * 1024
    write_low_bytes: int = 64 * 1024
    ping_after_s: float = 25.0
    dead_after_s: float = 20.0
    stall_timeout_s: float = 60.0
    close_timeout_s: float = 5.0
    tls_timeout_s: float = 10.0
    stream_events: int = 1024
    stream_heartbeat_s: float = 15.0
    page_entries: int = 1000
    sweep_s: float = 1.0
