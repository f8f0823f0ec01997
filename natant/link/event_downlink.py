"""A downlink that keeps nothing: each event of a lane is told and forgotten.  For supply, demand and command lanes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, TypeVar

from natant.codec.recon.value import Value
from natant.errors import NatantError
from natant.link.base import ANY, Downlink, Form

__all__ = ["EventDownlink"]

V = TypeVar("V")


class EventDownlink(Downlink, Generic[V]):
    """Follows the events of a lane; what happens while the connection is lost is not seen.

    Callback ``event(value)``.  Where another downlink of the same channel syncs the same lane, the events of that sync are
    seen too: they share one link, and WARP does not mark them.
    """

    EVENTS: ClassVar[tuple[str, ...]] = (*Downlink.EVENTS, "event")
    wants_sync: ClassVar[bool] = False

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

    def command(self, value: Any) -> None:
        """Send a command to the lane.

        :raises LinkError: ``NT-LINK-503`` where the downlink is not open, ``NT-LINK-501`` where too many commands wait.
        """
        self._command(value)

    def _event(self, body: Value) -> None:
        try:
            value = self.form.decode(body)
        except NatantError as error:
            self._misfit("an event", error)
            self._thaw()
            return
        self._tell("event", value)
