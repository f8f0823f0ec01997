"""The blob lane: a value too large for the journal, whose content lies in the object store.

What is journaled, and what links see, is a reference: digest, size, and the name of the object.  The content is durable before the turn that
names it can end, so a reference never points at nothing; a turn that fails takes the reference back like any other value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from natant.codec import recon
from natant.codec.form import Form, form
from natant.codec.recon.value import Absent
from natant.errors import CodecError, FormError, LaneError, NatantError
from natant.kernel import key
from natant.kernel.blob import Blobs
from natant.kernel.cell import Cell
from natant.kernel.turn import Misfit, require_turn
from natant.lane.base import decode_input, encode_texts
from natant.lane.value_base import ValueBase

__all__ = ["Blob", "BlobLane", "BlobRef"]

T = TypeVar("T")
A = TypeVar("A")


@dataclass(frozen=True)
class BlobRef:
    """Where a content lies.

    :ivar digest: its SHA-256 in hex digits, by which it is known.
    :ivar size: its bytes.
    :ivar object: its name in the object store.
    """

    digest: str
    size: int
    object: str


class Blob(Generic[T]):
    """The large value of one agent."""

    __slots__ = ("_cell", "_lane")

    def __init__(self, cell: Cell, lane: BlobLane[T]) -> None:
        self._cell = cell
        self._lane = lane

    @property
    def ref(self) -> BlobRef | None:
        """The reference; None where there is no value."""
        return self._lane.reference(self._cell)

    def __bool__(self) -> bool:
        return self.ref is not None

    async def put(self, value: T) -> BlobRef:
        """Set the value: uploads its content, then writes the reference in the open turn.

        :raises LaneError: ``NT-LANE-001`` outside a turn, ``NT-LANE-012`` where it does not fit, ``NT-LANE-019`` where this plane keeps no
            large values, ``NT-LANE-021`` where it is too large.
        :raises FabricError: where the object store cannot be reached; nothing has happened then.
        """
        return await self._lane.upload(self._cell, value)

    async def read(self) -> T | None:
        """The value; None where there is none.

        :raises LaneError: ``NT-LANE-020`` where its content is gone or damaged.
        """
        found: T | None = await self._lane.download(self._cell)
        return found

    def clear(self) -> None:
        """Have no value any more; the content is removed later."""
        self._lane.put(self._cell, None)


class BlobLane(ValueBase, Generic[T]):
    """One large value of type ``T`` for each agent.

    :param content: the form of the value; bytes are kept as they are, everything else as Recon text.
    """

    kind = "value"
    conflation = "latest"

    def __init__(self, content: Form[T], **options: Any) -> None:
        super().__init__(form(BlobRef), None, **options)
        self.content = content
        self._is_bytes = content.name in ("bytes", "data")

    if TYPE_CHECKING:

        @overload
        def __get__(self, agent: None, owner: type) -> BlobLane[T]: ...
        @overload
        def __get__(self, agent: Cell, owner: type) -> Blob[T]: ...
        def __get__(self, agent: Cell | None, owner: type) -> Any: ...
    else:

        def __get__(self, agent: Any, owner: Any) -> Any:
            return self if agent is None else Blob(agent, self)

    def __set__(self, agent: Any, value: Any) -> None:
        raise LaneError(
            "NT-LANE-018",
            f'lane "{self.name}" of {agent.node} holds a large value; in an async handler, await self.{self.attribute}.put(value)',
        )

    def changed(
        self, function: Callable[[A, BlobRef | None, BlobRef | None], object]
    ) -> Callable[[A, BlobRef | None, BlobRef | None], object]:
        """Decorator: ``function(self, new, old)`` runs after each change, with the references."""
        return self.on("changed", function)

    def reference(self, cell: Cell) -> BlobRef | None:
        """What the lane holds."""
        found: BlobRef | None = super().__get__(cell, type(cell))
        return found

    # --- content --------------------------------------------------------------------------------------------------

    async def upload(self, cell: Cell, value: Any) -> BlobRef:
        """Keep the content of a value and set the reference in the open turn."""
        require_turn(cell, self.name)
        content = self._pack(cell, value)
        digest, name = await self._blobs(cell).put(content, self._where(cell))
        ref = BlobRef(digest, len(content), name)
        self.put(cell, ref)
        return ref

    async def download(self, cell: Cell) -> Any:
        """The value; None where there is none."""
        ref = self.reference(cell)
        if ref is None:
            return None
        content = await self._blobs(cell).get(ref.digest, self._where(cell))
        return content if self._is_bytes else self.content.decode(recon.decode(content.decode()))

    def put(self, cell: Cell, value: Any) -> None:
        """Set the reference in the open turn, and note who holds it."""
        turn = require_turn(cell, self.name)
        old = self.reference(cell)
        super().put(cell, value)
        if not self.is_kept(cell):
            return
        if value is not None:
            turn.note_record((0, key.blob_key(value.digest, cell.node, self.name), b""))
        if old is not None and (value is None or value.digest != old.digest):
            turn.note_record((1, key.blob_key(old.digest, cell.node, self.name), b""))
            blobs = cell._host.blobs
            if blobs is not None:
                turn.then(partial(blobs.released, old.digest))

    def receive(self, cell: Any, body: Any) -> Any:
        if body is Absent:
            self.put(cell, None)
            return None
        return self._take(cell, decode_input(self.content, body))

    async def _take(self, cell: Cell, value: Any) -> None:
        try:
            await self.upload(cell, value)
        except NatantError as error:
            raise Misfit(error) from error  # the sender has it still, so it is not parked

    def _pack(self, cell: Cell, value: Any) -> bytes:
        try:
            if self._is_bytes and isinstance(value, bytes | bytearray | memoryview):
                return bytes(value)
            return recon.encode(self.content.encode(value), exact=True).encode()
        except (FormError, CodecError) as error:
            raise self.refuse(cell, value, error) from error

    def _blobs(self, cell: Cell) -> Blobs:
        blobs = cell._host.blobs
        if blobs is None:
            raise LaneError(
                "NT-LANE-019",
                f"{self._where(cell)} holds a large value, and this plane has nowhere to keep its content; serve it with a data folder or "
                "with --nats",
                http_status=503,
            )
        return blobs

    def _where(self, cell: Cell) -> str:
        return f'lane "{self.name}" of {cell.node}'

    # --- what links and doors ask ---------------------------------------------------------------------------------

    def snapshot(self, cell: Any, uri: str = "") -> Iterator[tuple[str | None, str]]:
        yield None, self._text(cell)

    def entry(self, cell: Any, key: Any) -> str | None:
        return self._text(cell)

    def read(self, cell: Any) -> Any:
        ref = self.reference(cell)
        return Absent if ref is None else self.form.encode(ref)

    def types(self) -> dict[str, Any]:
        return {"value": self.form, "input": self.content}

    def _text(self, cell: Cell) -> str:
        ref = self.reference(cell)
        return "" if ref is None else encode_texts(self, cell, self.form, ref)[0]
