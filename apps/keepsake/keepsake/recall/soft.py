"""Words that mean nearly the same, for a match that spelling does not see."""

from __future__ import annotations

from typing import Final

__all__ = ["near"]

_NEAR: Final[dict[str, tuple[tuple[str, float], ...]]] = {}


def near(term: str) -> tuple[tuple[str, float], ...]:
    """Terms that are near a term, and how near, 0 to 1."""
    return _NEAR.get(term, ())
