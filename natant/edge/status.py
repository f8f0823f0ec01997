"""What an edge or a hub tells of itself: counts, and whether the other side is there."""

from __future__ import annotations

from collections import Counter
from typing import Any

__all__ = ["EdgeStatus"]


class EdgeStatus:
    """Counts by name, and facts.

    :ivar counts: what only grows.
    :ivar facts: what is so at present.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.facts: dict[str, Any] = {}

    def count(self, name: str, by: int = 1) -> None:
        """Add to a count."""
        self.counts[name] += by
