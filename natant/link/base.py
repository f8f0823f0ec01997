"""What all downlinks have in common: address, state, age, and whom they tell.

A downlink is the near end of a link to a lane, typed by a form.  It belongs to one :class:`~natant.link.channel.Channel`
while it is open; only the channel calls the methods whose names start with an underscore.  Nothing here knows sockets,
tasks or clocks: agents' downlinks, join lanes and :mod:`natant.client` all stand on it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Protocol, TypeVar

from natant.codec.recon.value import Value
from natant.errors import LinkError, NatantError
from natant.link.change import Change
from natant.link.state import TRANSITION, Signal, State

if TYPE_CHECKING:
    from natant.link.channel import Channel

__all__ = ["ANY", "Downlink", "Form", "Source"]

T = TypeVar("T")

_log = logging.getLogger("natant.link")


class Form(Protocol[T]):
    """What a downlink needs of a typed mapping; :mod:`natant.codec.form` makes them."""

    def decode(self, value: Any, /) -> T:
        """The typed object of a Recon value.

        :raises FormError: where it does not fit.
        """

    def encode(self, obj: T, /) -> Any:
        """The Recon value of a typed object."""


class _Any:
    """The form that leaves Recon values as they are."""

    def decode(self, value: Any, /) -> Any:
        return value

    def encode(self, obj: Any, /) -> Any:
        return obj


#: The form that leaves Recon values as they are.
ANY: Final[Form[Any]] = _Any()


class Source(NamedTuple):
    """Where what a downlink shows comes from."""

    host: str
    node: str
    lane: str


class Downlink:
    """The near end of a link to one lane.

    :param node: URI of the agent, as the host spells it (``/vehicle/7``).
    :param lane: name of the lane.
    :param prio: priority that is asked for; higher goes first.
    :param rate: events per second that are asked for at most; 0 is without limit.
    :param on: callbacks by name; :attr:`EVENTS` lists the names.  They are called at once and in order; one that raises
        is reported through ``failed`` and does no further harm.
    :raises LinkError: ``NT-LINK-505`` for a callback name that this kind does not have.
    """

    #: names that ``on`` may hold, beside those of the kind
    EVENTS: ClassVar[tuple[str, ...]] = ("linked", "synced", "stale", "unlinked", "failed")
    #: whether the state of the lane is asked for
    wants_sync: ClassVar[bool] = True

    def __init__(
        self,
        node: str,
        lane: str,
        *,
        prio: float = 0.0,
        rate: float = 0.0,
        on: Mapping[str, Callable[..., object]] | None = None,
    ) -> None:
        self.node = node
        self.lane = lane
        self.prio = prio
        self.rate = rate
        self.state = State.CLOSED
        #: why the link ended or was lost; empty while all is well
        self.reason = ""
        #: how many events were left out because they did not fit
        self.misfits = 0
        #: gets every :class:`Change`, after the callback of its kind
        self.watch: Callable[[Change], object] | None = None
        self._on: dict[str, Callable[..., object]] = dict(on or {})
        unknown = sorted(set(self._on) - set(self.EVENTS))
        if unknown:
            raise LinkError(
                "NT-LINK-505",
                f"{type(self).__name__} to {node} {lane} has no callback {unknown[0]!r}; it has {', '.join(self.EVENTS)}.",
            )
        self._channel: Channel | None = None
        self._since_s = math.nan
        self._proof_s = -math.inf
        self._is_frozen = False

    # ------------------------------------------------------------------ facts

    @property
    def is_open(self) -> bool:
        """True from opening until the owner closes it or the host ends it."""
        return self.state not in (State.CLOSED, State.UNLINKED)

    @property
    def is_linked(self) -> bool:
        """True while events can arrive."""
        return self.state in (State.LINKED, State.SYNCING, State.SYNCED)

    @property
    def is_synced(self) -> bool:
        """True while what it shows is the state of the lane, kept up to date."""
        return self.state is State.SYNCED

    @property
    def source(self) -> Source:
        """Host, node and lane of what it shows; the host is empty while it has never been opened."""
        return Source(self._channel.host_uri if self._channel is not None else "", self.node, self.lane)

    @property
    def since(self) -> float:
        """When it came into its present state, in seconds of the channel's clock; NaN before it was first opened."""
        return self._since_s

    def age(self) -> float:
        """Seconds since the last proof that what it shows is current; infinite where there never was one.

        While it is synced, anything that the host sends over the connection is such a proof, a pong included: a host
        sends a change before, or together with, what it sends later.  So the age of a quiet but healthy lane stays below the
        interval of the pings.  What the host itself holds back is not seen in it: a link asked for at ``rate`` events a second
        may be up to ``1/rate`` seconds behind, and a host that is slower than its lane sends the newest state a little later.

        Once the connection is lost, or the state is being fetched anew, the age counts on from the last proof.  The same holds
        from the moment that an event did not fit the type, until one does that replaces it.
        """
        channel = self._channel
        if channel is None:
            return math.inf
        if self._is_proved():
            self._proof_s = max(self._proof_s, channel.heard_s)
        return max(0.0, channel.now() - self._proof_s)

    def _is_proved(self) -> bool:
        return self.state is (State.SYNCED if self.wants_sync else State.LINKED) and not self._is_frozen

    # ------------------------------------------------------------------ for the channel

    def _attach(self, channel: Channel) -> None:
        self._channel = channel
        self.reason = ""
        self._move(Signal.OPEN)

    def _move(self, signal: Signal, reason: str = "") -> None:
        """Pass to the next state and tell; entering a state is told once."""
        before = self.state
        after = TRANSITION[signal].get(before)
        assert after is not None, f"downlink to {self.node} {self.lane} got {signal.value} while {before.value}"
        assert self._channel is not None
        if after is before:
            return
        if self._is_proved():
            self._proof_s = max(self._proof_s, self._channel.heard_s)
        self.state = after
        self._since_s = self._channel.now()
        if after is State.LINKED:
            self.reason = ""
            self._tell("linked")
        elif after is State.SYNCING:
            self._thaw()
            self._start_sync()
        elif after is State.SYNCED:
            self._proof_s = self._channel.heard_s
            self._finish_sync()
            self._tell("synced")
        elif after is State.STALE or after is State.UNLINKED:
            self.reason = reason
            self._drop_sync()
            self._tell(after.value, reason)
        elif after is State.CLOSED:
            self._drop_sync()

    def _start_sync(self) -> None:
        """The state of the lane is on its way."""

    def _finish_sync(self) -> None:
        """The state of the lane has arrived."""

    def _drop_sync(self) -> None:
        """What was on its way will not arrive."""

    def _event(self, body: Value) -> None:
        """An event of the lane came, with this body."""
        raise AssertionError(f"{type(self).__name__} takes no events")

    # ------------------------------------------------------------------ for the kinds

    def _command(self, value: Any = None, *, body_text: str | None = None) -> None:
        channel = self._channel
        if channel is None or not self.is_open:
            raise LinkError(
                "NT-LINK-503",
                f"the downlink to {self.node} {self.lane} is {self.state.value}, so nothing can be written through it. "
                "Open it first, or send a command.",
            )
        channel.command(self.node, self.lane, value, body_text=body_text)

    def _resync(self) -> None:
        """Ask for the state again, because what is shown may not be right any more."""
        if self._channel is not None:
            self._channel.resync(self)

    def _tell(self, kind: str, *args: Any) -> None:
        """Call the callback of this kind."""
        function = self._on.get(kind)
        if function is not None:
            self._run(function, *args)
        if self.watch is not None:
            self._run(self.watch, _change(kind, args))

    def _run(self, function: Callable[..., object], *args: Any) -> None:
        try:
            function(*args)
        except Exception as error:
            self._fail(
                "NT-LINK-507",
                f"a callback of the downlink to {self.node} {self.lane} raised {type(error).__name__}: {error}",
                error,
                is_told=function is not self._on.get("failed") and function is not self.watch,
            )

    def _fail(self, code: str, message: str, cause: BaseException | None, *, is_told: bool = True) -> None:
        """Report something that was left out."""
        error = LinkError(code, message, node=self.node, lane=self.lane)
        error.__cause__ = cause
        if code == "NT-LINK-507" or self._channel is None or self._channel.may_log():
            _log.warning("%s", error, exc_info=cause if code == "NT-LINK-507" else None)
        if is_told:
            self._tell("failed", error)

    def _misfit(self, what: str, error: NatantError) -> None:
        """Report an event that does not fit the type."""
        self.misfits += 1
        self._freeze()
        self._fail(
            "NT-LINK-504",
            f"{what} of {self.node} {self.lane} was left out, because it does not fit: {error}. "
            "Declare the type that the lane really has.",
            error,
        )

    def _freeze(self) -> None:
        """What is shown is not known to be current from now on."""
        if not self._is_frozen:
            if self._channel is not None and self._is_proved():
                self._proof_s = max(self._proof_s, self._channel.heard_s)
            self._is_frozen = True

    def _thaw(self) -> None:
        """All that is shown is known to be current again."""
        self._is_frozen = False

    # A downlink is itself, also where it is a mapping: two views of one lane are not one view.
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.node} {self.lane} {self.state.value}>"


def _change(kind: str, args: tuple[Any, ...]) -> Change:
    """The arguments of a callback as a :class:`Change`."""
    if kind == "changed":
        return Change(kind, None, *args)
    if kind in ("updated", "inserted"):
        return Change(kind, *args)
    if kind == "removed":
        return Change(kind, args[0], None, args[1])
    if kind == "moved":
        return Change(kind, (args[0], args[1]), args[2])
    if kind == "cleared":
        return Change(kind, None, None, args[0])
    return Change(kind, None, args[0] if args else None)
