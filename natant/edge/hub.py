"""The hub's side: the stream that edges push into, what is done with it, and answers to what edges ask."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import TYPE_CHECKING, Any, Final

from natant.codec import recon
from natant.edge.batch import decode_parcel, digest_of
from natant.edge.ingest import Ingest
from natant.edge.name import SOURCE, EdgeNames
from natant.edge.status import EdgeStatus
from natant.errors import EdgeError, NatantError
from natant.fabric.nats.wire import Log, Wire

if TYPE_CHECKING:
    from natant.fabric.nats.engine import Engine
    from natant.host import Host
    from natant.server.port import HostPort

__all__ = ["HubSide"]

#: what may wait at the hub until its agents have done it
STREAM_BYTES: Final = 1024 * 1024 * 1024
#: parcels of one edge that may wait there: who sends more than its agents do keeps the others waiting no longer than these take
PARCELS: Final = 128
#: one answer with the state of lanes; what does not fit comes with the next question
COPY_BYTES: Final = 512 * 1024
#: what a hub counts
COUNTS: Final = ("done", "greetings", "missing", "questions_refused", "read_failures", "refused", "repeated")
#: lanes that one question may name
COPY_LANES: Final = 1000

_log = logging.getLogger("natant.edge")


class HubSide:
    """Receives edges, for one process of the hub.

    :param port: the plane, for what edges read.
    :param stream_bytes: how much may wait until agents have done it.
    """

    def __init__(self, engine: Engine, port: HostPort, *, stream_bytes: int = STREAM_BYTES) -> None:
        self._engine = engine
        self._port = port
        self._bytes = stream_bytes
        self.names = EdgeNames(engine.spec.plane)
        self.status = EdgeStatus(COUNTS)
        self._wire = Wire(engine.nc, engine.nc.new_inbox())
        self.stream = Log(self._wire, engine.subjects.aggregate_stream)
        self._ingests: list[Ingest] = []
        self._listening: list[Any] = []

    async def open(self) -> None:
        """Create the stream and answer edges."""
        await self._wire.open()
        await self.stream.ensure(
            [self.names.parcels()],
            max_bytes=self._bytes,
            replicas=self._engine.replicas,
            metadata={},
            max_per_subject=PARCELS,
        )
        listen = self._wire.listen
        self._listening = [
            await listen(self.names.questions(), self._answer, queue="natant"),
            await listen(self.names.news(), self._news),
        ]
        for ingest in self._ingests:
            ingest.wake()

    async def close(self) -> None:
        """Answer no more."""
        for subscription in self._listening:
            if self._engine.nc.is_connected:
                await subscription.unsubscribe()
        self._listening.clear()
        await self._wire.close()

    def attach(self, host: Host) -> None:
        """Have the host that reads the plane's sources take in what comes from edges."""
        if host.place is None or host.place.has_source(SOURCE):
            ingest = Ingest(host.kernel, self.stream, self.names, self.status)
            host.pumps.append(ingest)
            self._ingests.append(ingest)
            host.closers.append(lambda: self._ingests.remove(ingest))

    def counts(self) -> dict[str, int]:
        """For metrics."""
        return {f"edge_{name}": count for name, count in self.status.counts.items()}

    # --- answering ------------------------------------------------------------------------------------------------

    async def _news(self, message: Any) -> None:
        for ingest in self._ingests:
            ingest.wake()

    async def _answer(self, message: Any) -> None:
        try:
            edge = self.names.edge_of(message.subject)
        except NatantError as error:
            self.status.count("questions_refused")
            _log.warning("a question of nobody: %s", error)
            return
        if not message.reply.startswith(f"{self.names.answers(edge)}."):  # the hub may publish where an edge may not
            self.status.count("questions_refused")
            _log.warning("edge %s wants its answer at %r, which is none of its own subjects", edge, message.reply[:80])
            return
        try:
            question = json.loads(message.data)
            verb = question.get("verb") if isinstance(question, dict) else None
            answer: dict[str, Any]
            if verb == "hello":
                answer = await self._hello(edge)
            elif verb == "ping":
                answer = {}
            elif verb == "copy":
                answer = await self._copy(question)
            else:
                raise EdgeError(
                    "NT-EDGE-009", f"edge {edge} asks {str(verb)[:40]!r}; this hub answers hello, ping and copy"
                )
        except NatantError as error:
            self.status.count("questions_refused")
            answer = {"code": error.code, "message": error.message}
        except Exception as error:
            self.status.count("questions_refused")
            _log.warning("edge %s asked what cannot be read: %r", edge, error)
            answer = {"code": "NT-EDGE-009", "message": f"the question cannot be read: {type(error).__name__}"}
        await message.respond(json.dumps(answer).encode())

    async def _hello(self, edge: str) -> dict[str, Any]:
        """Which parcel of the edge is the newest here, and what is in it."""
        self.status.count("greetings")
        newest = await self.stream.last(self.names.parcels(edge))
        if newest is None:
            return {"after": 0, "origin": "", "sequence": 0, "digest": ""}
        try:
            parcel = decode_parcel(newest.data)
        except EdgeError as error:  # told of when it is taken in
            _log.info("the newest parcel of edge %s cannot be read: %s", edge, error)
            return {"after": newest.sequence, "origin": "", "sequence": 0, "digest": ""}
        sequence, bundle = parcel.bundles[-1] if parcel.bundles else (0, b"")
        return {
            "after": newest.sequence,
            "origin": parcel.origin,
            "sequence": sequence,
            "digest": digest_of(bundle),
        }

    async def _copy(self, question: dict[str, Any]) -> dict[str, Any]:
        """The state of the lanes that have changed since the edge last had them: ``[node, lane, digest or null]`` each.

        The answer is in the same order: null where nothing has changed, ``[digest, Recon]``, or ``{"code", "message"}``; it ends where
        there is no more room.
        """
        lanes = question.get("lanes")
        if not isinstance(lanes, list) or len(lanes) > COPY_LANES:
            raise EdgeError("NT-EDGE-009", f"a question for copies names its lanes, at most {COPY_LANES}")
        found: list[Any] = []
        size = 0
        for node, lane, digest in lanes:
            state = await self._state(str(node), str(lane), digest)
            size += len(state[1]) if isinstance(state, list) else 0
            if size > COPY_BYTES and found:
                break
            found.append(state)
        return {"lanes": found}

    async def _state(self, node: str, lane: str, digest: Any) -> Any:
        try:
            text = recon.encode(await self._port.read(node, lane), exact=True)
        except NatantError as error:
            return {"code": error.code, "message": error.message}
        if len(text) > COPY_BYTES:
            return {
                "code": "NT-EDGE-010",
                "message": f'lane "{lane}" of {node} takes {len(text)} characters; copies at edges are of lanes up to {COPY_BYTES}',
            }
        mark = hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
        return None if mark == digest else [mark, text]
