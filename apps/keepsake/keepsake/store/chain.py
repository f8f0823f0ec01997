"""Facts that end one another form chains: what becomes of a chain when a part of it is removed."""

from __future__ import annotations

__all__ = ["heir"]


def heir(name: str, gone: dict[str, tuple[float | None, str]]) -> tuple[float | None, str]:
    """When and by what a fact ends that a removed one had ended: the way of the removed ones, as far as they go."""
    ended, by = gone[name]
    for _ in gone:
        if by not in gone:
            break
        ended, by = gone[by]
    return (None, "") if by in gone else (ended, by)
