"""Asking the owner of a partition and waiting for its answer, wherever it is, through deaths and hand-overs.

A question is asked again when its partition has moved, until it is answered or :data:`DEADLINE_S` have passed.  A command always
has an id, so one that is asked again is not done again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from natant.cluster.message import (
    ANSWER,
    CALL,
    pack_body,
    pack_error,
    pack_identity,
    unpack_body,
    unpack_error,
    unpack_identity,
)
from natant.errors import FabricError, NatantError
from natant.kernel.turn import Outcome
from natant.lane.base import to_value
from natant.store.contract import DEPOSED

if TYPE_CHECKING:
    from natant.cluster.trunk import Trunk
    from natant.fabric.contract import Fabric
    from natant.host import Host
    from natant.kernel.env import Env
    from natant.link.identity import Identity

__all__ = ["Calls"]

#: how long a question is asked again before its asker is told to come back later; more than an election of servers takes
DEADLINE_S: Final = 12.0
#: time for one answer of another worker, after which it is asked again
ANSWER_S: Final = 10.0
#: questions of this worker that may be under way
CALL_LIMIT: Final = 20_000
#: how long one waits for a change of owners before one looks for oneself
LOOK_S: Final = 0.25

#: the partition has gone from there (or is going): the next owner is to be asked
_GONE: Final = frozenset({DEPOSED, "NT-FABRIC-303", "NT-TURN-008", "NT-TURN-018"})
#: the partition of questions to a worker as a whole
WHOLE: Final = -1


class Calls:
    """Questions to partitions and to other workers.

    :param hosts: by partition: those that run here and take work.
    """

    def __init__(self, fabric: Fabric, trunk: Trunk, env: Env, hosts: Mapping[int, Host]) -> None:
        self._fabric = fabric
        self._trunk = trunk
        self._env = env
        self._hosts = hosts
        self._number = 0
        #: by number: whom we asked, and what waits for the answer
        self._asked: dict[int, tuple[str, Any]] = {}
        self._waiting: list[Any] = []
        self._jobs: set[Any] = set()
        #: the questions to this worker as a whole, by verb
        self.whole: dict[str, Callable[..., Awaitable[Any]]] = {}
        #: questions asked again
        self.repeated = 0
        trunk.handlers[CALL] = self._call
        trunk.handlers[ANSWER] = self._answer

    # --- asking ---------------------------------------------------------------------------------------------------

    async def command(
        self, partition: int, node: str, lane: str, value: Any, *, command_id: str | None, identity: Identity
    ) -> Outcome:
        """Command a lane; returns after the commit."""
        name = command_id or format(self._env.random.getrandbits(128), "032x")

        async def here(host: Host) -> Outcome:
            return await host.command(node, lane, value, command_id=name, identity=identity)

        result = await self._ask(
            partition, here, lambda: ("command", node, lane, pack_body(value), name, pack_identity(identity))
        )
        if isinstance(result, Outcome):
            return result
        body, sequence, is_duplicate = result
        return Outcome(None if body is None else unpack_body(body), sequence, is_duplicate)

    async def read(self, partition: int, node: str, lane: str, *, identity: Identity, fresh: bool) -> Any:
        """The committed state of a lane."""

        async def here(host: Host) -> list[Any]:
            return [await host.read(node, lane, identity=identity, fresh=fresh)]

        result = await self._ask(partition, here, lambda: ("read", node, lane, pack_identity(identity), fresh))
        if isinstance(result, list):
            return result[0]
        return unpack_body(result)

    async def describe(self, partition: int, node: str) -> dict[str, Any]:
        """What lives at a node."""

        async def here(host: Host) -> dict[str, Any]:
            return await host.describe(node)

        found: dict[str, Any] = await self._ask(partition, here, lambda: ("describe", node))
        return found

    async def everybody(self, verb: str, *arguments: Any) -> list[Any]:
        """Ask all workers; what each says.

        :raises FabricError: ``NT-FABRIC-303`` where one of them went meanwhile.
        """
        others = [worker for worker in self._fabric.members if worker != self._fabric.worker]
        own = self.whole[verb](*arguments)
        return list(
            await asyncio.gather(own, *(self._ask_worker(worker, WHOLE, (verb, *arguments)) for worker in others))
        )

    async def _ask(
        self, partition: int, here: Callable[[Host], Awaitable[Any]], there: Callable[[], tuple[Any, ...]]
    ) -> Any:
        env = self._env
        deadline_s = env.now() + DEADLINE_S
        cause: NatantError | None = None
        arguments: tuple[Any, ...] | None = None
        while True:
            try:
                host = self._hosts.get(partition)
                if host is not None:
                    return await here(host)
                owner = self._fabric.owners[partition]
                if owner is not None and owner.worker != self._fabric.worker and owner.worker in self._fabric.members:
                    arguments = arguments or there()
                    return await self._ask_worker(owner.worker, partition, arguments)
            except NatantError as error:
                if error.code not in _GONE:
                    raise
                cause = error
            if env.now() >= deadline_s:
                raise FabricError(
                    "NT-FABRIC-304",
                    f"nobody had partition {partition} for {DEADLINE_S:g} s; it is not known whether what was asked was done. "
                    "Ask again, with the same command id.",
                    http_status=503,
                ) from cause
            self.repeated += 1
            await self._change()

    async def _change(self) -> None:
        """Wait until owners or hosts are other than before, or a moment."""
        gate = self._env.future()
        self._waiting.append(gate)
        timer = self._env.call_at(self._env.now() + LOOK_S, lambda: None if gate.done() else gate.set_result(None))
        await gate
        timer.cancel()

    def settle(self) -> None:
        """Owners, members or hosts are other than before."""
        waiting, self._waiting = self._waiting, []
        for gate in waiting:
            if not gate.done():
                gate.set_result(None)

    async def _ask_worker(self, worker: str, partition: int, arguments: tuple[Any, ...]) -> Any:
        if len(self._asked) >= CALL_LIMIT:
            raise FabricError(
                "NT-FABRIC-305",
                f"{CALL_LIMIT} questions of this worker to others are under way, its bound; try again later.",
                http_status=503,
            )
        self._number += 1
        number = self._number
        future = self._env.future()
        self._asked[number] = (worker, future)
        size = sum(len(each) for each in arguments if isinstance(each, (bytes, str))) + 64
        self._trunk.send(worker, (CALL, number, partition, *arguments), size)
        timer = self._env.call_at(self._env.now() + ANSWER_S, self._late, number, worker)
        try:
            return await future
        finally:
            timer.cancel()
            self._asked.pop(number, None)

    def _late(self, number: int, worker: str) -> None:
        self._fail(number, f"worker {worker} gave no answer within {ANSWER_S:g} s")

    def _fail(self, number: int, why: str) -> None:
        asked = self._asked.get(number)
        if asked is not None and not asked[1].done():
            asked[1].set_exception(FabricError("NT-FABRIC-303", f"{why}; ask again", http_status=503))

    def lose_worker(self, worker: str) -> None:
        """What was shared with a worker is gone: ask somebody else."""
        for number in [number for number, (asked, _) in self._asked.items() if asked == worker]:
            self._fail(number, f"worker {worker} is gone")

    # --- answering ------------------------------------------------------------------------------------------------

    def _call(self, worker: str, item: list[Any]) -> None:
        self._jobs.add(job := self._env.spawn(self._serve(worker, item)))
        job.add_done_callback(self._jobs.discard)

    async def _serve(self, worker: str, item: list[Any]) -> None:
        number, partition, verb, *arguments = item[1:]
        result: Any = None
        failure: list[Any] | None = None
        try:
            result = await self._do(partition, verb, arguments)
        except NatantError as error:
            failure = pack_error(error)
        except Exception as error:
            failure = [
                "NT-FABRIC-306",
                f"{verb} failed on another worker: {type(error).__name__}: {error}",
                {"http_status": 500},
            ]
        size = 64 + (len(result) if isinstance(result, bytes) else 0)
        self._trunk.send(worker, (ANSWER, number, result, failure), size)

    async def _do(self, partition: int, verb: str, arguments: list[Any]) -> Any:
        if partition == WHOLE:
            return await self.whole[verb](*arguments)
        host = self._hosts.get(partition)
        if host is None:
            raise FabricError(
                "NT-FABRIC-303", f"partition {partition} is not on this worker; ask again", http_status=503
            )
        if verb == "command":
            node, lane, body, command_id, identity = arguments
            outcome = await host.command(
                node, lane, unpack_body(body), command_id=command_id, identity=unpack_identity(identity)
            )
            value = None if outcome.value is None else pack_body(to_value(outcome.value))
            return [value, outcome.sequence, outcome.is_duplicate]
        if verb == "read":
            node, lane, identity, fresh = arguments
            return pack_body(await host.read(node, lane, identity=unpack_identity(identity), fresh=fresh))
        return await host.describe(*arguments)

    def _answer(self, worker: str, item: list[Any]) -> None:
        _, number, result, failure = item
        asked = self._asked.get(number)
        if asked is None or asked[0] != worker or asked[1].done():
            return
        if failure is not None:
            asked[1].set_exception(unpack_error(failure))
        else:
            asked[1].set_result(result)
