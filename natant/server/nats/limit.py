"""The limits and durations of the NATS door, in one table.  Units are last in each name."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NatsLimit"]

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsLimit:
    """What the NATS door takes from its clients, and how long it waits for them.

    :ivar body_bytes: body of one request.
    :ivar requests: requests under way at a time; further ones are answered 503.
    :ivar request_bytes: the bodies of all of them together.
    :ivar node_requests: of these for one agent.
    :ivar id_size: characters of a command id.
    :ivar reply_bytes: the body of one answer; a state that is larger is asked for page by page.
    :ivar page_entries: the largest page of a list of nodes or of a map lane.
    :ivar follows: lanes of agents that are followed at a time.
    :ivar lease_s: how long a lane is followed for one request that names no time.
    :ivar longest_lease_s: and the longest time that a request may name.
    :ivar out_messages: answers and events that wait for the connection; past it links conflate and answers are dropped.
    :ivar out_bytes: the same in bytes.
    :ivar sweep_s: how often leases are looked at.
    """

    body_bytes: int = 1 * MIB
    requests: int = 4096
    request_bytes: int = 64 * MIB
    node_requests: int = 512
    id_size: int = 200
    reply_bytes: int = 1 * MIB
    page_entries: int = 1000
    follows: int = 10_000
    lease_s: float = 60.0
    longest_lease_s: float = 3600.0
    out_messages: int = 16_384
    out_bytes: int = 8 * MIB
    sweep_s: float = 1.0
