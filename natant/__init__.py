"""natant: stateful services in Python.

Every thing a program cares about is a web agent with a URI, its state resident in lanes, durable, and streamed to
whoever links to it.  This module holds what an author writes with; :class:`Agent` is the guide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from natant import lane
from natant.agent import Agent
from natant.codec.recon.value import Absent, Attr, Extant, Record, Slot, Value
from natant.errors import NatantError, Refused
from natant.kernel.config import Config
from natant.kernel.turn import Outcome
from natant.lane import command
from natant.lane.jobs_lane import JobState
from natant.link.hub import Identity, Refusal
from natant.plane import Item, Plane
from natant.queue.job import Job
from natant.schedule import after, cron, every

if TYPE_CHECKING:
    from natant.client.blocking import connect

__all__ = [
    "Absent",
    "Agent",
    "Attr",
    "Config",
    "Extant",
    "Identity",
    "Item",
    "Job",
    "JobState",
    "NatantError",
    "Outcome",
    "Plane",
    "Record",
    "Refusal",
    "Refused",
    "Slot",
    "Value",
    "__version__",
    "after",
    "command",
    "connect",
    "cron",
    "every",
    "lane",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """The blocking client, loaded when first asked for."""
    if name == "connect":
        from natant.client.blocking import connect

        return connect
    raise AttributeError(f"module 'natant' has no attribute {name!r}")
