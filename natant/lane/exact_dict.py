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
    """A mapping whose keys are the same where Recon writes them alike.

    Texts and whole numbers, which nearly all keys are, lie in the dict as they are.
    """

    __slots__ = ("_keys", "_values")

    def __init__(self, pairs: Any = ()) -> None:
        self._values: dict[Any, V] = {}
        #: the keys that are neither text nor whole number, by what they lie under
        self._keys: dict[Any, Any] = {}
        for key, value in pairs:
            self[key] = value

    def __getitem__(self, key: Any) -> V:
        kind = key.__class__
        return self._values[key if kind is str or kind is int else _identity(key)]

    def get(self, key: Any, default: Any = None) -> Any:
        kind = key.__class__
        return self._values.get(key if kind is str or kind is int else _identity(key), default)

    def __setitem__(self, key: Any, value: V) -> None:
        kind = key.__class__
        if kind is str or kind is int:
            if self._keys and key in self._keys:  # 1 for 1.0: the latest spelling counts
                del self[key]
            self._values[key] = value
        else:
            place = _identity(key)
            self._values[place] = value
            self._keys[place] = key

    def __delitem__(self, key: Any) -> None:
        place = _identity(key)
        del self._values[place]
        self._keys.pop(place, None)

    def __contains__(self, key: object) -> bool:
        kind = key.__class__
        return (key if kind is str or kind is int else _identity(key)) in self._values

    def __iter__(self) -> Iterator[Any]:
        return self._spelled(iter(self._values)) if self._keys else iter(self._values)

    def __reversed__(self) -> Iterator[Any]:
        return self._spelled(reversed(self._values)) if self._keys else reversed(self._values)

    def _spelled(self, places: Iterator[Any]) -> Iterator[Any]:
        keys = self._keys
        return (keys.get(place, place) for place in places)

    def __len__(self) -> int:
        return len(self._values)
