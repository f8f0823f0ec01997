"""What a host counts.  Plain integers, so that counting costs next to nothing."""

from __future__ import annotations

__all__ = ["Counter"]

_NAMES = (
    "activations", "commands", "conflated", "deliveries_refused", "duplicates", "faults", "form_errors", "frames_in",
    "frames_out", "idle_stops", "links_opened", "links_refused", "outbox_records", "overflows", "parked", "policy_refusals",
    "removals", "resyncs", "sends", "sends_undeliverable", "sessions_opened", "tasks", "timeouts", "timers_fired", "turns",
    "unknown_lanes", "unknown_nodes", "warp_errors",
)  # fmt: skip


class Counter:
    """Counts since the host started; each attribute is an ``int``."""

    __slots__ = _NAMES

    activations: int
    commands: int
    conflated: int
    deliveries_refused: int
    duplicates: int
    faults: int
    form_errors: int
    frames_in: int
    frames_out: int
    idle_stops: int
    links_opened: int
    links_refused: int
    outbox_records: int
    overflows: int
    parked: int
    policy_refusals: int
    removals: int
    resyncs: int
    sends: int
    sends_undeliverable: int
    sessions_opened: int
    tasks: int
    timeouts: int
    timers_fired: int
    turns: int
    unknown_lanes: int
    unknown_nodes: int
    warp_errors: int

    def __init__(self) -> None:
        for name in _NAMES:
            setattr(self, name, 0)

    def as_dict(self) -> dict[str, int]:
        """All counts by name."""
        return {name: getattr(self, name) for name in _NAMES}
