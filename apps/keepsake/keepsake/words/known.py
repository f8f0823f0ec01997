"""What is known of a person's names before a text is read: the person's gazetteer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

__all__ = ["Known"]


@dataclass(frozen=True)
class Known:
    """A person's names.

    :ivar names: by spelling, folded in case (`str.casefold`): the label (`keepsake.record.Entity`) and the name that it stands for.
    """

    names: Mapping[str, tuple[str, str]] = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def longest(self) -> int:
        """Words of the longest spelling."""
        return max((spelling.count(" ") + 1 for spelling in self.names), default=0)
