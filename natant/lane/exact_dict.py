"""A dict that tells ``True`` from ``1``, as Recon does and Python does not.

Map lanes without a declared key type hold keys of all kinds; in a plain dict the keys ``1`` and ``true`` would be one.
A hot module: types for Cython are in ``exact_dict.pxd``; the mixins of a mapping stand in ``ExactDict``, since a compiled class has
one base.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any, Final, TypeVar

from natant.codec import recon
from natant.codec.recon.value import Record

__all__ = ["MISSING", "ExactBase", "ExactDict"]

V = TypeVar("V")

#: what :meth:`ExactBase.find` gives for a key that is not there
MISSING: Final = object()


def _identity(key: Any) -> Any:
    kind = type(key)
    if kind is bool:
        return (bool, key)
    if kind is Record or kind is dict or kind is list:
        return (Record, recon.encode(key))
    return key


class ExactBase:
    """The accesses of :class:`ExactDict`."""

    __slots__ = ("_keys", "_values")

    def __init__(self) -> None:
        self._values: dict[Any, Any] = {}
        #: the keys that are neither text nor whole number, by what they lie under
        self._keys: dict[Any, Any] | None = None

    def find(self, key: Any) -> Any:
        """The value of ``key``, :data:`MISSING` where there is none."""
        kind = type(key)
        return self._values.get(key if kind is str or kind is int else _identity(key), MISSING)

    def put(self, key: Any, value: Any) -> None:
        """Set one entry."""
        kind = type(key)
        if kind is str or kind is int:
            if self._keys and key in self._keys:  # 1 for 1.0: the latest spelling counts
                self.take_out(key)
            self._values[key] = value
        else:
            place = _identity(key)
            self._values[place] = value
            if self._keys is None:
                self._keys = {}
            self._keys[place] = key

    def take_out(self, key: Any) -> None:
        """Remove one entry.

        :raises KeyError: where it is not there.
        """
        place = _identity(key)
        del self._values[place]
        if self._keys is not None:
            self._keys.pop(place, None)

    def __getitem__(self, key: Any) -> Any:
        value = self.find(key)
        if value is MISSING:
            raise KeyError(key)
        return value

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of ``key``, ``default`` where there is none."""
        value = self.find(key)
        return default if value is MISSING else value

    def __setitem__(self, key: Any, value: Any) -> None:
        self.put(key, value)

    def __delitem__(self, key: Any) -> None:
        self.take_out(key)

    def __contains__(self, key: object) -> bool:
        return self.find(key) is not MISSING

    def __len__(self) -> int:
        return len(self._values)


class ExactDict(ExactBase, MutableMapping[Any, V]):
    """A mapping whose keys are the same where Recon writes them alike.

    Texts and whole numbers, which nearly all keys are, lie in the dict as they are.
    """

    __slots__ = ()

    def __init__(self, pairs: Any = ()) -> None:
        super().__init__()
        for key, value in pairs:
            self.put(key, value)

    def __iter__(self) -> Iterator[Any]:
        return self._spelled(iter(self._values)) if self._keys else iter(self._values)

    def __reversed__(self) -> Iterator[Any]:
        return self._spelled(reversed(self._values)) if self._keys else reversed(self._values)

    def _spelled(self, places: Iterator[Any]) -> Iterator[Any]:
        keys = self._keys or {}
        return (keys.get(place, place) for place in places)
