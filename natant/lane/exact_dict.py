"""A dict that tells ``True`` from ``1``, as Recon does and Python does not.

Map lanes without a declared key type hold keys of all kinds; in a plain dict the keys ``1`` and ``true`` would be one.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any, TypeVar

from natant.codec import recon
from natant.codec.recon.value import Record

__all__ = ["ExactDict"]

V = TypeVar("V")


def _identity(key: Any) -> Any:
    kind = key.__class__
    if kind is bool:
        return (bool, key)
    if kind is Record or kind is dict or kind is list:
        return (Record, recon.encode(key))
    return key


class ExactDict(MutableMapping[Any, V]):
    """A mapping whose keys are the same where Recon writes them alike."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: Any = ()) -> None:
        self._pairs: dict[Any, tuple[Any, V]] = {_identity(key): (key, value) for key, value in pairs}

    def __getitem__(self, key: Any) -> V:
        return self._pairs[_identity(key)][1]

    def __setitem__(self, key: Any, value: V) -> None:
        self._pairs[_identity(key)] = (key, value)

    def __delitem__(self, key: Any) -> None:
        del self._pairs[_identity(key)]

    def __contains__(self, key: object) -> bool:
        return _identity(key) in self._pairs

    def __iter__(self) -> Iterator[Any]:
        for key, _ in self._pairs.values():
            yield key

    def __reversed__(self) -> Iterator[Any]:
        for key, _ in reversed(self._pairs.values()):
            yield key

    def __len__(self) -> int:
        return len(self._pairs)
