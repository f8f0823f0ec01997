"""What all lanes share: name, place, types, callbacks, and the note of a change in the open turn.

A hot module: types for Cython are in ``base.pxd``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

from natant.codec import recon
from natant.codec.form import form as form_of
from natant.codec.recon.check import check
from natant.codec.recon.value import Absent, Extant, Record
from natant.errors import CodecError, FormError, LaneError, NatantError
from natant.kernel import key
from natant.kernel.cell import Cell
from natant.kernel.change import Event
from natant.kernel.lanekind import LaneKind
from natant.kernel.turn import Misfit, Turn

__all__ = [
    "Lane",
    "decode_input",
    "decode_stored",
    "encode_key",
    "encode_texts",
    "refuse_unwritable",
    "stored_misfit",
    "to_value",
]

F = TypeVar("F", bound=Callable[..., Any])
L = TypeVar("L", bound="Lane")


_LANE: Final = key.LANE_TEXT


class Lane(LaneKind):
    """A lane of an agent class.

    :ivar name: the lane's URI, which is the attribute's name unless another was given.
    :ivar attribute: the name of the class attribute.
    :ivar index: its place in the state of each cell.
    """

    #: whether it keeps something in each agent, at the place ``index`` of its state
    has_state = True
    #: what it shows is computed from other lanes, so it is shown as late as they are
    is_derived = False

    def __init__(
        self,
        *,
        name: str | None = None,
        is_volatile: bool = False,
        is_published: bool = False,
        bucket: str | None = None,
        doc: str = "",
    ) -> None:
        if name is not None and (not name or "\0" in name):
            raise LaneError(
                "NT-LANE-003", f"{name!r} cannot be the name of a lane; take a non-empty text without zero bytes"
            )
        super().__init__(name or "", is_volatile)
        self.attribute = ""
        #: what its records' keys hold between the agent's node and the key of an entry
        self._tail = ""
        self.doc = doc
        #: changes go out by subject while a NATS door is open, asked for or not
        self.is_published = is_published
        #: the bucket that shows it to others; None for most
        self.bucket = bucket
        if bucket is not None and (is_volatile or not bucket):
            raise LaneError(
                "NT-LANE-017",
                f"bucket={bucket!r} shows what is committed, under a name; a volatile lane has nothing to show there",
            )
        self.owner = ""
        #: event -> the author's function, as it is for the class whose lane this is
        self.callbacks: dict[str, Callable[..., Any]] = {}
        #: all functions that were registered, in their order; subclasses add to those of their bases
        self.marks: list[tuple[str, Callable[..., Any]]] = []

    def __set_name__(self, owner: type, attribute: str) -> None:
        self.attribute = attribute
        self.owner = owner.__name__
        self.name = self.name or attribute
        self.again = ("command", self.name)

    def bind(self, index: int) -> None:
        """Take a place in the state of the class; called once when the class is made."""
        self.index = index
        self._tail = key.lane_tail(self.name)

    def on(self, event: str, function: F) -> F:
        """Register the author's method for an event of this lane; a subclass may register another one for its own agents.

        :raises LaneError: ``NT-LANE-006`` for an ``async`` method, ``NT-LANE-016`` for a second one in the same class.
        """
        inner: Any = getattr(function, "function", function)
        if inspect.iscoroutinefunction(inner):
            raise LaneError(
                "NT-LANE-006",
                f"{inner.__qualname__} is async; what a {self.kind} lane calls must be a plain function, which may call self.spawn",
            )
        for other_event, other in self.marks:
            if other_event == event and _class_of(other) == _class_of(inner) != ("", ""):
                raise LaneError(
                    "NT-LANE-016",
                    f'lane "{self.attribute or self.name}" has {other.__qualname__} for "{event}" already; let one method do both',
                )
        self.marks.append((event, inner))
        if self.index >= 0 and _class_of(inner) == ("", ""):
            self.callbacks[event] = inner
        return function

    def resolve(self, owner: type) -> dict[str, Callable[..., Any]]:
        """The functions to call for agents of the class ``owner``: a subclass may override a method by its name."""
        classes = {(base.__module__, base.__qualname__): base for base in owner.__mro__}
        found: dict[str, Callable[..., Any]] = {}
        for event, function in self.marks:
            place = _class_of(function)
            base = classes.get(place)
            if base is not None:
                is_named = vars(base).get(function.__name__) is function
                found[event] = getattr(owner, function.__name__) if is_named else function
            elif place == ("", ""):
                found[event] = function
        return found

    def call(self, cell: Any, event: str, *arguments: Any) -> Any:
        """Call the author's method for ``event``, where there is one."""
        function = self.callbacks.get(event)
        return None if function is None else function(cell, *arguments)

    def is_kept(self, cell: Cell) -> bool:
        """True where the state of this lane is journaled."""
        host = cell._host
        return not self.is_volatile and not host.is_volatile

    def is_stored(self, cell: Cell) -> bool:
        """True where the store may hold records of this lane.  It has none of an agent that it does not know."""
        return cell._is_known and self.is_kept(cell)

    def is_shown_late(self, cell: Cell) -> bool:
        """True where what it shows must be durable first."""
        return not cell._host.is_volatile and (self.is_derived or not self.is_volatile)

    def prefix(self, cell: Cell) -> bytes:
        """What the keys of this lane's records start with."""
        return f"{_LANE}{cell.node}{self._tail}".encode()

    def entry_key(self, cell: Cell, text: str) -> bytes:
        """The key of the record of one entry; ``text`` is the exact text of its key."""
        return f"{_LANE}{cell.node}{self._tail}{text}".encode()

    def note(self, cell: Cell, turn: Turn, event: Event) -> None:
        """Publish ``event`` with the turn: at its end for a volatile lane, behind the commit otherwise."""
        if self.is_kept(cell):
            if cell._links is not None:  # or nobody is linked, nor will be before the commit
                turn.note_event(event)
        else:
            links = cell._links
            if links is not None and self.index in links:
                turn.note_instant(event)

    def mark(self, cell: Cell, turn: Turn, entry: bytes) -> None:
        """Note with the turn that the lane's bucket does not show the entry with this key as it is."""
        feed = cell._host.feed
        if feed is not None:
            turn.note_record((0, key.dirty_key(entry), b""))
            turn.then(partial(feed.touch, entry))

    def refuse(self, cell: Cell, value: Any, error: FormError | CodecError) -> LaneError:
        """The error for a value that does not fit the lane's type."""
        return LaneError("NT-LANE-012", f'lane "{self.name}" of {cell.node} got {_short(value)}: {error.message}')

    # --- what the kernel and links ask ------------------------------------------------------------------------------

    def read(self, cell: Any) -> Any:
        """The state as one value."""
        return Absent

    def types(self) -> dict[str, Any]:
        """The forms of what the lane holds and takes, by role: ``value``, ``key``, ``input``."""
        return {}

    def describe(self) -> dict[str, Any]:
        """Facts for people and programs; plain JSON values."""
        facts: dict[str, Any] = {"name": self.name, "kind": self.kind, "volatile": self.is_volatile}
        facts.update({role: form.name for role, form in self.types().items()})
        if self.doc:
            facts["doc"] = self.doc
        return facts

    def __repr__(self) -> str:
        return f"<{self.kind} lane {self.owner}.{self.attribute}>"


def _class_of(function: Any) -> tuple[str, str]:
    """Module and name of the class in whose body a function was written; empty where in none."""
    owner: str = function.__qualname__.rpartition(".")[0]
    return ("", "") if not owner or owner.endswith("<locals>") else (function.__module__, owner)


def decode_input(form: Any, body: Any) -> Any:
    """What came from outside, in the lane's type.

    :raises Misfit: where it does not fit.
    """
    try:
        return form.decode(body)
    except (FormError, CodecError) as error:
        raise Misfit(error) from error


def decode_stored(lane: Lane, cell: Cell, form: Any, text: Any) -> Any:
    """What was stored, in the lane's type.

    :raises LaneError: ``NT-LANE-014`` where it does not fit: the program declares another type than the one that wrote it.
    """
    try:
        return form.decode(recon.decode(text))
    except (FormError, CodecError, UnicodeDecodeError) as error:
        raise stored_misfit(lane, cell, text, error) from error


def stored_misfit(lane: Lane, cell: Cell, text: Any, error: Exception) -> LaneError:
    """The error for a record that the lane cannot read."""
    why = error.message if isinstance(error, NatantError) else str(error)
    return LaneError(
        "NT-LANE-014",
        f'lane "{lane.name}" of {cell.node} is a {lane.kind} lane of another type in the store: {_short(text)} {why}; declare the '
        "type that it had (a union of both will do), or give the new lane another name",
        http_status=500,
    )


def to_value(thing: Any) -> Any:
    """Any mappable Python object as a Recon value.

    :raises FormError: where its type cannot be mapped.
    """
    kind = thing.__class__
    if kind is str or kind is int or kind is float or kind is bool or kind is bytes or kind is Record:
        return thing
    if thing is None:
        return Extant
    if thing is Absent or thing is Extant:
        return thing
    if kind is dict:
        return Record.of({to_value(name): to_value(item) for name, item in thing.items()})
    if kind is list or kind is tuple:
        return Record([to_value(item) for item in thing])
    return form_of(kind).encode(thing)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def encode_texts(lane: Lane, cell: Cell, form: Any, value: Any) -> tuple[str, str]:
    """``value`` as wire text and exact text.

    :raises LaneError: ``NT-LANE-012`` where it does not fit.
    """
    try:
        texts: tuple[str, str] = form.texts(value)
        return texts
    except (FormError, CodecError) as error:
        raise lane.refuse(cell, value, error) from error


def encode_key(lane: Lane, cell: Cell, form: Any, key: Any) -> tuple[str, str]:
    """The key of an entry as wire text and exact text.

    :raises LaneError: ``NT-LANE-012`` where it does not fit.
    """
    try:
        value = key if form.is_any else form.encode(key)
        wire = recon.encode(value)
        kind = value.__class__
        return wire, wire if kind is str or kind is int else recon.encode(value, exact=True)
    except (FormError, CodecError) as error:
        raise lane.refuse(cell, key, error) from error


def refuse_unwritable(lane: Lane, cell: Cell, form: Any, value: Any) -> None:
    """See that ``value`` can be written, where its text is not needed now.

    :param form: None where values of any type are taken.
    :raises LaneError: ``NT-LANE-012`` where it cannot.
    """
    try:
        check(value) if form is None else form.check(value)
    except (FormError, CodecError) as error:
        raise lane.refuse(cell, value, error) from error
