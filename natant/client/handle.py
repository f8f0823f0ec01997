"""The downlinks that a client gives out: those of :mod:`natant.link`, which one can await, iterate and close."""

from __future__ import annotations

from typing import Generic, TypeVar

from natant.client.follow import Followed
from natant.link.downlink import EventDownlink, ListDownlink, MapDownlink, ValueDownlink

__all__ = ["EventLink", "ListLink", "MapLink", "ValueLink"]

K = TypeVar("K")
V = TypeVar("V")


class EventLink(EventDownlink[V], Followed, Generic[V]):
    """Follows the events of a lane: ``async for change in link: change.new``."""


class ValueLink(ValueDownlink[V], Followed, Generic[V]):
    """Shows the value of a lane: ``link.get()``, ``link.set(value)``."""


class MapLink(MapDownlink[K, V], Followed, Generic[K, V]):
    """Shows the entries of a lane: ``link[key]``, ``link.items()``, ``link.put(key, value)``."""


class ListLink(ListDownlink[V], Followed, Generic[V]):
    """Shows the elements of a lane: ``link[0]``, ``link.append(value)``."""
