"""The command lane: an author's method that is called from outside.

A hot module: types for Cython are in ``command_lane.pxd``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import CoroutineType
from typing import Any

from natant.codec import recon
from natant.codec.form import Form, form, hints
from natant.codec.recon.value import Absent, Extant
from natant.errors import LaneError
from natant.kernel.change import PUSH, Event
from natant.lane.base import Lane, decode_input, to_value

__all__ = ["CommandLane"]


class CommandLane(Lane):
    """Calls ``function(self)`` or ``function(self, argument)``; the argument has the annotated type.

    Every command is echoed to those who are linked to the lane.  What the function returns is the answer of an acknowledged command.
    """

    kind = "command"
    conflation = "queue"
    has_state = False

    def __init__(self, function: Callable[..., Any], **options: Any) -> None:
        super().__init__(doc=inspect.getdoc(function) or "", **options)
        self.function = function
        self.queue: int | None = None
        self.overflow = "drop_oldest"
        parameters = list(inspect.signature(function).parameters.values())[1:]
        is_wrong = any(p.kind in (p.KEYWORD_ONLY, p.VAR_KEYWORD) for p in parameters[:1])
        if is_wrong or (len(parameters) > 1 and any(p.default is p.empty for p in parameters[1:])):
            raise LaneError(
                "NT-LANE-004",
                f"command {function.__qualname__} takes {len(parameters)} arguments; a command takes one value by position, "
                "so give it a dataclass that holds them",
            )
        self._takes = bool(parameters)
        self._is_optional = self._takes and parameters[0].default is not parameters[0].empty
        self._parameter = parameters[0].name if self._takes else ""
        self._form: Form[Any] | None = None
        #: the body goes to the method as it is; known once the form is
        self._is_plain = False

    @property
    def form(self) -> Form[Any]:
        """The form of the argument; made when first needed, so that annotations may name later classes."""
        if self._form is None:
            annotation = hints(self.function).get(self._parameter, Any) if self._takes else None
            self._form = form(annotation)
            self._is_plain = self._takes and not self._is_optional and self._form.is_any
        return self._form

    def __get__(self, agent: Any, owner: type) -> Any:
        if agent is None:
            return self
        return self.function.__get__(agent, owner)

    def __call__(self, *arguments: Any) -> Any:
        """Plain call of the function, as where a subclass calls ``super().report(...)``."""
        return self.function(*arguments)

    def receive(self, cell: Any, body: Any) -> Any:
        links = cell._links
        if links is not None and self.index in links:
            text = "" if body is Absent or body is Extant else recon.encode(body)
            cell._turn.note_event(Event(self.index, PUSH, text))
        if self._is_plain:
            result = self.function(cell, body)
        elif not self._takes or (self._is_optional and (body is Absent or body is Extant)):
            result = self.function(cell)
        elif self.form.is_any:
            result = self.function(cell, body)
        else:
            result = self.function(cell, decode_input(self.form, body))
        if result is None:
            return None
        return result if type(result) is CoroutineType else to_value(result)

    def types(self) -> dict[str, Any]:
        return {"input": self.form} if self._takes else {}
