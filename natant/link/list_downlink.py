"""A downlink that shows the elements of a list lane."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final, Generic, TypeVar, overload

from natant.codec import recon
from natant.codec.recon.value import Absent, Extant, Value
from natant.codec.warp import operation
from natant.errors import NatantError
from natant.link.base import ANY, Downlink, Form

__all__ = ["ListDownlink"]

V = TypeVar("V")

#: how long an element that was appended counts before it comes back
ECHO_WAIT_S: Final = 5.0
#: elements that may be on their way at a time, for reckoning where the next one goes
MAX_SENT: Final = 10_000


class _Element:
    """One element: the host's opaque key of it (None where the host gave none), and the value that is shown."""

    __slots__ = ("fits", "key", "value")

    def __init__(self, key: str | None, value: Any, *, fits: bool) -> None:
        self.key = key
        self.value = value
        self.fits = fits


class ListDownlink(Downlink, Sequence[V], Generic[V]):
    """Shows the elements of a lane as a sequence.

    Callbacks: ``inserted(index, value)``, ``updated(index, new, old)``, ``moved(from, to, value)``, ``removed(index, old)``,
    ``cleared(old)`` with a list of what there was.

    Elements are told apart by the host's keys; where it gives none, by their index.  An index that is not there is ignored, and the
    state is fetched anew.  During a sync the list shows what it showed before; when the sync is complete the difference is told
    as removals, moves, insertions and updates, in this order, and nothing is told of what is the same.

    An element that does not fit the type keeps its place and shows its last fitting value, else None.
    """

    EVENTS: ClassVar[tuple[str, ...]] = (*Downlink.EVENTS, "inserted", "updated", "moved", "removed", "cleared")

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
        self._shown: list[_Element] = []
        #: keys of what was inserted through here and has not come back, in order, with the time
        self._sent: dict[str, float] = {}
        #: while a sync runs: the elements that came in it
        self._coming: list[_Element] | None = None

    # ------------------------------------------------------------------ sequence

    @overload
    def __getitem__(self, index: int) -> V: ...

    @overload
    def __getitem__(self, index: slice) -> list[V]: ...

    def __getitem__(self, index: int | slice) -> V | list[V]:
        if isinstance(index, slice):
            return [element.value for element in self._shown[index]]
        value: V = self._shown[index].value
        return value

    def __len__(self) -> int:
        return len(self._shown)

    def snapshot(self) -> list[V]:
        """The elements as they are now."""
        return [element.value for element in self._shown]

    # ------------------------------------------------------------------ writes

    def append(self, value: V) -> None:
        """Add an element at the end of the lane: sends a command; it shows once the host has published it.

        WARP has no command for that: the index is that after all that is shown and all that this downlink has sent.  Where others
        write to the lane at the same time, the element may stand elsewhere; then let a command of the agent append.

        :raises LinkError: ``NT-LINK-503`` where the downlink is not open, ``NT-LINK-501`` where too many commands wait.
        """
        due_s = 0.0 if self._channel is None else self._channel.now() - ECHO_WAIT_S
        self._sent = {key: sent_s for key, sent_s in self._sent.items() if sent_s > due_s}
        self.insert(len(self._shown) + len(self._sent), value)

    def insert(self, index: int, value: V) -> None:
        """Put an element before the one at ``index``; errors as of :meth:`append`."""
        channel = self._channel
        key = "" if channel is None else recon.encode(channel.token())
        self._command(body_text=operation.list_update(index, key, self._body(value)))
        if channel is not None and len(self._sent) < MAX_SENT:
            self._sent[key] = channel.now()

    def set(self, index: int, value: V) -> None:
        """Replace the element at ``index``; IndexError where there is none; further errors as of :meth:`append`."""
        self._command(body_text=operation.list_update(index, self._shown[index].key or "", self._body(value)))

    def remove(self, index: int) -> None:
        """Remove the element at ``index``; IndexError where there is none; further errors as of :meth:`append`."""
        self._command(body_text=operation.list_remove(index, self._shown[index].key or ""))

    def move(self, index: int, to: int) -> None:
        """Move the element at ``index`` to ``to``; IndexError where there is none; further errors as of :meth:`append`."""
        self._command(body_text=operation.list_move(index, to, self._shown[index].key or ""))

    def take(self, count: int) -> None:
        """Keep the first ``count`` elements; errors as of :meth:`append`."""
        self._command(body_text=operation.take(count))

    def drop(self, count: int) -> None:
        """Remove the first ``count`` elements; errors as of :meth:`append`."""
        self._command(body_text=operation.drop(count))

    def clear(self) -> None:
        """Remove all elements; errors as of :meth:`append`."""
        self._command(body_text=operation.clear())

    def _body(self, value: V) -> str:
        return recon.encode_body(self.form.encode(value))

    # ------------------------------------------------------------------ sync

    def _start_sync(self) -> None:
        self._coming = []

    def _drop_sync(self) -> None:
        self._coming = None
        self._sent.clear()

    def _finish_sync(self) -> None:
        coming, self._coming = self._coming, None
        if coming is None:
            return
        shown = self._shown
        staying = {_name(element, index) for index, element in enumerate(coming)}
        for index in range(len(shown) - 1, -1, -1):
            if _name(shown[index], index) not in staying:
                self._remove(shown, index)
        for index, new in enumerate(coming):
            at = index if index < len(shown) and _is_one(shown[index], new) else _find(shown, new.key, index)
            if at is None:
                self._insert(shown, index, new)
                continue
            if at != index:
                self._move_element(shown, at, index)
            self._replace(shown, index, new, is_net=True)
        for index in range(len(shown) - 1, len(coming) - 1, -1):
            self._remove(shown, index)
        if not all(element.fits for element in shown):
            self._freeze()

    # ------------------------------------------------------------------ events

    def _event(self, body: Value) -> None:
        change = operation.read(body)
        if change is None:
            self._fail(
                "NT-LINK-506",
                f"an event of {self.node} {self.lane} is no change of a list: {recon.encode(body)[:80]}. "
                "Follow the lane with the kind of downlink that it is made for.",
                None,
            )
        elif change.op == operation.UPDATE:
            self._update(change.index, _key(change.key), change.value)
        elif change.op == operation.REMOVE:
            self._locate(self._remove, _key(change.key), change.index)
        elif change.op == operation.MOVE:
            to = change.to
            self._locate(lambda elements, at: self._move_element(elements, at, to), _key(change.key), change.index)
        elif change.op == operation.CLEAR:
            self._clear()
        else:
            self._cut(max(0, change.n), is_take=change.op == operation.TAKE)

    def _update(self, index: int, key: str | None, value: Value) -> None:
        elements = self._shown if self._coming is None else self._coming
        new = _Element(key, None, fits=True)
        try:
            new.value = self.form.decode(Extant if value is Absent else value)
        except NatantError as error:
            new.fits = False
            self._misfit(f"the element {index}", error)
        if key in self._sent:
            # A host handles the commands of one link in order: what was sent before this is done, or was refused.
            while next(iter(self._sent)) != key:
                del self._sent[next(iter(self._sent))]
            del self._sent[key]
        at = _find(elements, key, index)
        if at is not None:
            self._replace(elements, at, new, is_net=False)
        elif 0 <= index <= len(elements):
            self._insert(elements, index, new)
        else:
            self._lose_track()

    def _locate(self, act: Callable[[list[_Element], int], None], key: str | None, index: int) -> None:
        """Do something with the element of this key, or at this index where the host gave no key."""
        elements = self._shown if self._coming is None else self._coming
        at = _find(elements, key, index)
        if at is not None:
            act(elements, at)
        elif key is None:
            self._lose_track()

    def _clear(self) -> None:
        if self._coming is not None:
            self._coming.clear()
            return
        old = self.snapshot()
        self._shown.clear()
        self._thaw()
        self._tell("cleared", old)

    def _cut(self, count: int, *, is_take: bool) -> None:
        elements = self._shown if self._coming is None else self._coming
        gone = range(len(elements) - 1, count - 1, -1) if is_take else range(min(count, len(elements)) - 1, -1, -1)
        for index in gone:
            self._remove(elements, index)

    def _lose_track(self) -> None:
        """The host speaks of an element that is not here: what is shown is not right any more."""
        if self._coming is None:
            self._resync()

    # ------------------------------------------------------------------ steps, told where the list is the one shown

    def _insert(self, elements: list[_Element], index: int, new: _Element) -> None:
        elements.insert(index, new)
        if elements is self._shown:
            self._tell("inserted", index, new.value)

    def _replace(self, elements: list[_Element], index: int, new: _Element, *, is_net: bool) -> None:
        before = elements[index]
        if not new.fits:
            new.value = before.value
        if new.key is None:
            new.key = before.key
        elements[index] = new
        if elements is not self._shown:
            return
        if not before.fits and new.fits and all(element.fits for element in elements):
            self._thaw()
        if new.fits and not (is_net and type(new.value) is type(before.value) and new.value == before.value):
            self._tell("updated", index, new.value, before.value)

    def _move_element(self, elements: list[_Element], index: int, to: int) -> None:
        element = elements.pop(index)
        to = max(0, min(to, len(elements)))
        elements.insert(to, element)
        if elements is self._shown:
            self._tell("moved", index, to, element.value)

    def _remove(self, elements: list[_Element], index: int) -> None:
        element = elements.pop(index)
        if elements is self._shown:
            if not element.fits and all(other.fits for other in elements):
                self._thaw()
            self._tell("removed", index, element.value)


def _key(raw: Any) -> str | None:
    """The text of a key that names an element; an empty key names none."""
    return None if raw is None or raw is Absent or raw is Extant else recon.encode(raw)


def _name(element: _Element, index: int) -> str | int:
    return index if element.key is None else element.key


def _is_one(shown: _Element, new: _Element) -> bool:
    return shown.key == new.key


def _find(elements: list[_Element], key: str | None, index: int) -> int | None:
    """Where the element of this key is; without a key, the index where it is one."""
    if key is None:
        return index if 0 <= index < len(elements) else None
    if 0 <= index < len(elements) and elements[index].key == key:
        return index
    for at, element in enumerate(elements):
        if element.key == key:
            return at
    return None
