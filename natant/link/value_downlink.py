"""A downlink that shows the value of a value lane."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Generic, TypeVar

from natant.codec.recon.value import Absent, Value
from natant.errors import NatantError
from natant.link.base import ANY, Downlink, Form

__all__ = ["ValueDownlink"]

V = TypeVar("V")


class ValueDownlink(Downlink, Generic[V]):
    """Shows the value of a lane; None until it is known, and while the lane has none.

    Callback ``changed(new, old)``: at each event while synced, even if the lane was set to an equal value; in a sync only if
    the value differs from what was shown.
    """

    EVENTS: ClassVar[tuple[str, ...]] = (*Downlink.EVENTS, "changed")

    def __init__(
        self,
        node: str,
        lane: str,
        form: Form[V] = ANY,
        *,
        prio: float = 0.0,
        rate: float = 0.0,
        on: Mapping[str, Callable[..., object]] | None = None,
    ) -> None:
        super().__init__(node, lane, prio=prio, rate=rate, on=on)
        self.form = form
        self._value: V | None = None
        self._body: Value = Absent

    def get(self) -> V | None:
        """The value as last heard; :attr:`state` and :meth:`age` tell how much that is worth."""
        return self._value

    def set(self, value: V) -> None:
        """Set the lane: sends a command; :meth:`get` shows the value once the host has published it.

        :raises LinkError: ``NT-LINK-503`` where the downlink is not open, ``NT-LINK-501`` where too many commands wait.
        """
        self._command(self.form.encode(value))

    def _event(self, body: Value) -> None:
        is_same = not self.is_synced and not self._is_frozen and _same(body, self._body)
        try:
            new = None if body is Absent else self.form.decode(body)
        except NatantError as error:
            self._misfit("the value", error)
            return
        self._thaw()
        old, self._value = self._value, new
        self._body = body
        if not is_same:
            self._tell("changed", new, old)


def _same(one: Value, other: Value) -> bool:
    """Equal, and of one type: 1 and true are equal to Python."""
    return type(one) is type(other) and one == other
