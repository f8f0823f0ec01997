"""Routes: which agent class lives at which node URI.

``/vehicle/{id}`` and ``/vehicle/:id`` mean the same: a parameter matches one non-empty path segment, letters count
by case (reference: the WARP servers' own routing).  A scheme may be part of a pattern, as in ``swim:meta:node/{node}``.
A hot module: types for Cython are in ``route.pxd``.
"""

from __future__ import annotations

import re
from typing import Generic, TypeVar
from urllib.parse import unquote

from natant.errors import PlaneError

__all__ = ["Route", "Router"]

T = TypeVar("T")

_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}|(?<=/):([A-Za-z_][A-Za-z0-9_]*)(?=/|$)")


class Route:
    """A compiled pattern.

    :raises PlaneError: ``NT-PLANE-001`` where the pattern is not one.
    """

    __slots__ = ("names", "pattern", "shape", "start", "_is_simple", "_match")

    def __init__(self, pattern: str) -> None:
        if not pattern or any(blank in pattern for blank in " \t\n") or not ("/" in pattern or ":" in pattern):
            raise PlaneError(
                "NT-PLANE-001",
                f'route {pattern!r} is not a pattern; write a path such as "/vehicle/{{id}}", '
                "where each {name} stands for one segment",
            )
        names: list[str] = []
        expression = ""
        shape = ""
        at = 0
        for found in _PARAMETER.finditer(pattern):
            name = found[1] or found[2]
            if name in names:
                raise PlaneError("NT-PLANE-001", f"route {pattern!r} names the parameter {name!r} twice")
            names.append(name)
            literal = pattern[at : found.start()]
            expression += re.escape(literal) + "([^/]+)"
            shape += literal + "{}"
            at = found.end()
        expression += re.escape(pattern[at:])
        shape += pattern[at:]
        self.pattern = pattern
        self.names = tuple(names)
        self.shape = shape
        #: the text before the first parameter, which every node of this pattern begins with
        self.start = shape.partition("{}")[0]
        #: a text and one parameter behind it, as most routes are: that is found without the regular expression
        self._is_simple = shape == self.start + "{}"
        self._match = re.compile(expression).fullmatch

    def match(self, node: str) -> dict[str, str] | None:
        """The decoded parameters where ``node`` fits, else None."""
        found = self._match(node)
        if found is None:
            return None
        return {name: unquote(text) for name, text in zip(self.names, found.groups(), strict=True)}

    def fits(self, node: str) -> bool:
        """True where ``node`` is of this pattern; dot segments never are."""
        if not node.startswith(self.start):
            return False
        if self._is_simple:
            segment = node[len(self.start) :]
            return segment != "" and "/" not in segment and segment != "." and segment != ".."
        found = self._match(node)
        return found is not None and "." not in found.groups() and ".." not in found.groups()

    def __repr__(self) -> str:
        return f"Route({self.pattern!r})"


class Router(Generic[T]):
    """All routes of a plane; a literal segment goes before a parameter."""

    def __init__(self) -> None:
        self._entries: list[tuple[Route, T]] = []

    def add(self, route: Route, target: T) -> None:
        """Add a route.

        :raises PlaneError: ``NT-PLANE-002`` where another route matches just the same nodes.
        """
        for other, _ in self._entries:
            if other.shape == route.shape:
                raise PlaneError(
                    "NT-PLANE-002",
                    f"routes {other.pattern!r} and {route.pattern!r} match the same nodes; change one of them",
                )
        self._entries.append((route, target))
        self._entries.sort(key=lambda entry: (len(entry[0].names), -len(entry[0].shape)))

    def copy(self) -> Router[T]:
        """A router with the same routes, to which more can be added."""
        other: Router[T] = Router()
        other._entries = list(self._entries)
        return other

    def find(self, node: str) -> T | None:
        """What lives at ``node``, None where no route fits."""
        for route, target in self._entries:
            if route.fits(node):
                return target
        return None
