"""The order of a map lane's keys, kept only while somebody asks for it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

from natant.codec.form import Form
from natant.codec.recon import sort_key

__all__ = ["KeyOrder"]

K = TypeVar("K")


class KeyOrder(Generic[K]):
    """The keys in Recon order.

    Nothing is kept until :meth:`keys` is first called; from then on each new key is put in its place, so that lanes which are
    written but never read in order pay nothing.
    """

    __slots__ = ("_form", "_keys", "_ranks")

    def __init__(self, form: Form[K]) -> None:
        self._form = form
        self._keys: list[K] | None = None
        self._ranks: list[Any] = []

    def _rank(self, key: K) -> Any:
        return sort_key(key if self._form.is_any else self._form.encode(key))

    def keys(self, data: Mapping[K, Any]) -> Iterable[K]:
        """All keys of ``data`` in order."""
        if self._keys is None:
            keys: list[Any] = list(data)
            if set(map(type, keys)) == {int}:  # most large maps, and many times as fast as below
                keys.sort()
                self._ranks = [sort_key(key) for key in keys]
            else:
                pairs = sorted(((self._rank(key), key) for key in keys), key=lambda pair: pair[0])
                self._ranks = [rank for rank, _ in pairs]
                keys = [key for _, key in pairs]
            self._keys = keys
        return self._keys

    def add(self, key: K) -> None:
        """A key has come."""
        if self._keys is not None:
            rank = self._rank(key)
            at = bisect_left(self._ranks, rank)
            self._ranks.insert(at, rank)
            self._keys.insert(at, key)

    def discard(self, key: K) -> None:
        """A key has gone."""
        if self._keys is not None:
            at = bisect_left(self._ranks, self._rank(key))
            while at < len(self._keys) and self._keys[at] != key:
                at += 1
            if at < len(self._keys):
                del self._ranks[at], self._keys[at]

    def reset(self) -> None:
        """The keys have changed as a whole."""
        self._keys = None
        self._ranks = []
