"""A downlink that shows the entries of a map lane (or of a join or demand-map lane)."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping
from functools import cmp_to_key
from typing import Any, ClassVar, Final, Generic, TypeVar

from natant.codec import recon
from natant.codec.recon.value import Absent, Extant, Value
from natant.codec.warp import operation
from natant.errors import NatantError
from natant.link.base import ANY, Downlink, Form

__all__ = ["MapDownlink"]

K = TypeVar("K")
V = TypeVar("V")

#: stands for the typed key or value of an entry that did not fit
_UNFIT: Final[Any] = object()


class _Entry:
    """One entry of the lane: its key as it came, and key and value as they are shown."""

    __slots__ = ("fits", "key", "raw", "value")

    def __init__(self, raw: Value) -> None:
        self.raw = raw
        self.key: Any = _UNFIT
        self.value: Any = _UNFIT
        self.fits = False


class MapDownlink(Downlink, Mapping[K, V], Generic[K, V]):
    """Shows the entries of a lane as a mapping, in the order in which their keys first came.

    Callbacks: ``updated(key, new, old)`` with None as ``old`` for a new key; ``removed(key, old)``; ``cleared(old)`` with the
    entries that there were (where it is not given, ``removed`` is called for each entry instead).

    After a reconnect the entries stay as they were, and are stale, until the sync is complete; then those that the host did not
    send any more are removed.  Observers hear of net changes only: an ``@clear`` that a host sends first in a sync is not told.

    Two keys are one where their Recon texts are: 1 and ``"1"``, 1 and ``true`` are different keys, 1 and 1.0 are not.
    """

    EVENTS: ClassVar[tuple[str, ...]] = (*Downlink.EVENTS, "updated", "removed", "cleared")

    def __init__(
        self,
        node: str,
        lane: str,
        forms: tuple[Form[K], Form[V]] = (ANY, ANY),
        *,
        prio: float = 0.0,
        rate: float = 0.0,
        on: Mapping[str, Callable[..., object]] | None = None,
    ) -> None:
        super().__init__(node, lane, prio=prio, rate=rate, on=on)
        self.key_form, self.value_form = forms
        self._entries: dict[str, _Entry] = {}
        self._shown = 0
        self._unfit = 0
        #: while a sync runs: the keys that came in it, in order
        self._seen: dict[str, None] | None = None
        self._was_cut = False

    # ------------------------------------------------------------------ mapping

    def __getitem__(self, key: K) -> V:
        entry = self._entries.get(self._text(key))
        if entry is None or entry.value is _UNFIT:
            raise KeyError(key)
        value: V = entry.value
        return value

    def __iter__(self) -> Iterator[K]:
        for entry in self._entries.values():
            if entry.value is not _UNFIT:
                yield entry.key

    def __len__(self) -> int:
        return self._shown

    def items(self) -> ItemsView[K, V]:
        """Keys and values; like all views it follows what comes later."""
        return _Items(self)

    def snapshot(self) -> list[tuple[K, V]]:
        """Keys and values as they are now."""
        return [(entry.key, entry.value) for entry in self._entries.values() if entry.value is not _UNFIT]

    # ------------------------------------------------------------------ writes

    def put(self, key: K, value: V) -> None:
        """Set an entry of the lane: sends a command; it shows once the host has published it.

        :raises LinkError: ``NT-LINK-503`` where the downlink is not open, ``NT-LINK-501`` where too many commands wait.
        """
        body = recon.encode_body(self.value_form.encode(value))
        self._command(body_text=operation.update(self._text(key), body))

    def remove(self, key: K) -> None:
        """Remove an entry of the lane; errors as of :meth:`put`."""
        self._command(body_text=operation.remove(self._text(key)))

    def clear(self) -> None:
        """Remove all entries of the lane; errors as of :meth:`put`."""
        self._command(body_text=operation.clear())

    def take(self, count: int) -> None:
        """Keep the first ``count`` entries of the lane in Recon order; errors as of :meth:`put`."""
        self._command(body_text=operation.take(count))

    def drop(self, count: int) -> None:
        """Remove the first ``count`` entries of the lane in Recon order; errors as of :meth:`put`."""
        self._command(body_text=operation.drop(count))

    def _text(self, key: K) -> str:
        return recon.encode(self.key_form.encode(key))

    # ------------------------------------------------------------------ sync

    def _start_sync(self) -> None:
        self._seen = {}
        self._was_cut = False

    def _finish_sync(self) -> None:
        seen, self._seen = self._seen, None
        if seen is None:
            return
        for text in [text for text in self._entries if text not in seen]:
            self._take_out(text)
        if self._unfit:
            self._freeze()
        if self._was_cut and list(seen) != self._ordered(seen):
            self._resync()

    def _drop_sync(self) -> None:
        self._seen = None

    # ------------------------------------------------------------------ events

    def _event(self, body: Value) -> None:
        change = operation.read(body)
        if change is None or change.op == operation.MOVE:
            self._fail(
                "NT-LINK-506",
                f"an event of {self.node} {self.lane} is no change of a map: {recon.encode(body)[:80]}. "
                "Follow the lane with the kind of downlink that it is made for.",
                None,
            )
        elif change.op == operation.UPDATE:
            self._update(change.key, change.value)
        elif change.op == operation.REMOVE:
            self._remove(recon.encode(change.key))
        elif change.op == operation.CLEAR:
            self._clear()
        else:
            self._cut(change.n, is_take=change.op == operation.TAKE)

    def _update(self, raw: Value, value: Value) -> None:
        text = recon.encode(raw)
        entry = self._entries.get(text)
        is_new = entry is None
        if entry is None:
            entry = self._entries[text] = _Entry(raw)
            self._unfit += 1
        if self._seen is not None:
            self._seen[text] = None
        try:
            key = self.key_form.decode(raw) if entry.key is _UNFIT else entry.key
            new = self.value_form.decode(Extant if value is Absent else value)
        except NatantError as error:
            if entry.fits:
                entry.fits = False
                self._unfit += 1
            self._misfit(f"the entry {text}", error)
            return
        if not entry.fits:
            entry.fits = True
            self._unfit -= 1
            if not self._unfit:
                self._thaw()
        old = entry.value
        entry.key, entry.value = key, new
        if old is _UNFIT:
            self._shown += 1
            self._tell("updated", key, new, None)
        elif self._seen is None or is_new or not _same(old, new):
            self._tell("updated", key, new, old)

    def _remove(self, text: str) -> None:
        if self._seen is not None:
            self._seen.pop(text, None)
        self._take_out(text)

    def _clear(self) -> None:
        if self._seen is not None:
            # What was there is compared with what comes: only what is missing at the end of the sync goes.
            self._seen.clear()
            return
        old = self.snapshot()
        if "cleared" in self._on or "removed" not in self._on:
            self._entries.clear()
            self._shown = self._unfit = 0
            self._thaw()
            self._tell("cleared", old)
            return
        for text in list(self._entries):
            self._take_out(text)

    def _cut(self, count: int, *, is_take: bool) -> None:
        """Keep or remove the first entries in Recon order.

        In a sync the host has sent only part of its entries.  As hosts send them in this same order, those seen are the first
        ones, and the cut falls as it did there; where they turn out to come in another order, the state is fetched once more.
        """
        self._was_cut = True
        ordered = self._ordered(self._entries if self._seen is None else self._seen)
        count = max(0, count)
        for text in ordered[count:] if is_take else ordered[:count]:
            self._remove(text)

    def _ordered(self, texts: Iterable[str]) -> list[str]:
        """Keys in Recon order; those that are gone are left out."""
        entries = self._entries

        def order(one: str, other: str) -> int:
            return recon.compare(entries[one].raw, entries[other].raw)

        return sorted((text for text in texts if text in entries), key=cmp_to_key(order))

    def _take_out(self, text: str) -> None:
        entry = self._entries.pop(text, None)
        if entry is None:
            return
        if not entry.fits:
            self._unfit -= 1
            if not self._unfit:
                self._thaw()
        if entry.value is not _UNFIT:
            self._shown -= 1
            self._tell("removed", entry.key, entry.value)


class _Items(ItemsView[K, V]):
    """Keys and values without looking each key up again."""

    _mapping: MapDownlink[K, V]

    def __iter__(self) -> Iterator[tuple[K, V]]:
        return iter(self._mapping.snapshot())


def _same(one: Any, other: Any) -> bool:
    """Equal, and of one type: 1 and true are equal to Python."""
    return type(one) is type(other) and bool(one == other)
