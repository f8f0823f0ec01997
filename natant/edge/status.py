"""What an edge or a hub tells of itself: counts, and whether the other side is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

__all__ = ["EdgeStatus"]


class EdgeStatus:
    """Counts by name, and facts.

    :param names: counts that are shown before anything was counted.
    :ivar counts: what only grows.
    :ivar facts: what is so at present.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.counts: Counter[str] = Counter(dict.fromkeys(names, 0))
        self.facts: dict[str, Any] = {}

    def count(self, name: str, by: int = 1) -> None:
        """Add to a count."""
        self.counts[name] += by
