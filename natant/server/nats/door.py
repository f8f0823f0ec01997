"""The NATS door: any NATS client asks a plane by subject, as others do over HTTP and WebSocket.

In a single process it takes all that is asked.  In a cluster each worker's door takes what is asked of the partitions that the worker owns
(:meth:`NatsDoor.own`); what no mapping of the account has turned to a partition goes to any one worker, which routes it.

Messages come in by callbacks that return at once; each request is one task, bounded in all and for each agent.  Past the bounds the
answer is an error of status 503: nobody's flood grows memory, or keeps the requests to other agents out.

Called by :mod:`natant.server.run` and the cluster's worker; ``ask.py`` has the headers, ``address.py`` the subjects.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any, Final

from natant.errors import NatantError, ServerError
from natant.fabric.nats.subject import Subjects
from natant.link.identity import INTERNAL
from natant.server.nats.address import parse
from natant.server.nats.ask import Answer, Ask, fault_answer
from natant.server.nats.follow import Follows
from natant.server.nats.limit import NatsLimit
from natant.server.nats.outflow import Outflow
from natant.server.nats.verb import Verbs

if TYPE_CHECKING:
    from natant.server.port import HostPort

__all__ = ["NatsDoor"]

#: time for what waits to leave when the door closes
GRACE_S: Final = 2.0
#: what the subject of an answer begins with.  The door may publish more than who asks: an answer that went wherever it is told to could
#: be a record in a journal, or a call of JetStream's management
INBOX: Final = "_INBOX"
#: what workers take together
QUEUE_GROUP: Final = "natant"
#: troubles of one cause are logged once in so many seconds
QUIET_S: Final = 1.0

_LOG = logging.getLogger("natant.server.nats")


class NatsDoor:
    """One door.

    :param host: the host that is served, or a cluster's worker.
    :param client: a connected client of nats-py.
    :param subjects: the names of the plane's subjects.
    """

    def __init__(self, host: HostPort, client: Any, subjects: Subjects, *, limit: NatsLimit | None = None) -> None:
        self.host = host
        self.limit = limit or NatsLimit()
        self.counters = {"requests": 0, "commands": 0, "errors": 0, "refused": 0, "unanswered_errors": 0}
        self._client = client
        self._subjects = subjects
        self._outflow = Outflow(client, self.limit)
        self._loop = asyncio.get_running_loop()
        self.follows = Follows(host, subjects, self._outflow, self.limit, self._loop.time)
        self._verbs = Verbs(host, self.follows, self.limit)
        self._outflow.on_room = self.follows.resume
        self._outflow.on_dropped = self._on_dropped
        self._tasks: set[asyncio.Task[None]] = set()
        self._bytes = 0
        self._of_node: dict[str, int] = {}
        self._subscriptions: dict[str, Any] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self._quiet_until_s: dict[str, float] = {}

    # --- life -----------------------------------------------------------------------------------------------------

    async def open(self, *, is_alone: bool = True) -> None:
        """Take requests.

        :param is_alone: this process owns all partitions; else :meth:`own` says which.
        """
        self._outflow.start()
        self._on_sweep()
        await self._subscribe(self._subjects.all_asked, queue=QUEUE_GROUP)
        if is_alone:
            await self._subscribe(f"{self._subjects.root}.at.>")
        await self._client.flush()

    async def own(self, partition: int) -> None:
        """Take what is asked of the agents of a partition, from the return of this on."""
        await self._subscribe(self._subjects.at(partition))
        await self._client.flush()

    async def disown(self, partition: int) -> None:
        """Take nothing more of a partition; what has come is answered."""
        await self._unsubscribe(self._subjects.at(partition))

    async def close(self) -> None:
        """Take no more requests, answer those that came, end what is followed."""
        for subject in list(self._subscriptions):
            await self._unsubscribe(subject)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE_S)
        for task in list(self._tasks):
            task.cancel()
        self.follows.close("the plane is stopping")
        if self._sweep is not None:
            self._sweep.cancel()
        await self._outflow.stop(GRACE_S)

    def attach(self, host: Any) -> None:
        """Publish the lanes of this host that their authors declared so; called once for each host before it starts."""
        host.kernel.on_active = lambda cell: self._publish(host, cell)
        host.closers.append(lambda: self.follows.forget(host))

    def counts(self) -> dict[str, int]:
        """What the door counted since it opened, with what is under way."""
        return {
            **{f"nats_{name}": count for name, count in self.counters.items()},
            "nats_under_way": len(self._tasks),
            "nats_followed": len(self.follows),
            "nats_sent": self._outflow.sent,
            "nats_dropped": self._outflow.dropped,
        }

    async def _subscribe(self, subject: str, *, queue: str = "") -> None:
        if subject not in self._subscriptions:
            self._subscriptions[subject] = await self._client.subscribe(subject, queue=queue, cb=self._on_message)

    async def _unsubscribe(self, subject: str) -> None:
        subscription = self._subscriptions.pop(subject, None)
        if subscription is not None:
            with contextlib.suppress(Exception):  # the connection may be gone, and the subscription with it
                await subscription.drain()

    def _publish(self, host: Any, cell: Any) -> None:
        for lane in cell._schema.published:
            try:
                self.follows.pin(host, cell.node, lane, INTERNAL)
            except NatantError as error:
                self._complain("publish", "lane %s of %s is not published: %s", lane.name, cell.node, error)

    def _on_sweep(self) -> None:
        self.follows.sweep()
        self._outflow.look()
        self._sweep = self._loop.call_later(self.limit.sweep_s, self._on_sweep)

    # --- requests -------------------------------------------------------------------------------------------------

    async def _on_message(self, message: Any) -> None:
        """Take one message; never waits."""
        self.counters["requests"] += 1
        ask: Ask | None = None
        if message.reply and not message.reply.startswith(INBOX):
            self._refuse(message.subject, "", _foreign_reply(message.reply))
            return
        try:
            ask = self._read(message)
            self._check_room(ask)
        except NatantError as error:
            self._refuse(message.subject, message.reply, error)
            return
        self._bytes += len(ask.data)
        self._of_node[ask.node] = self._of_node.get(ask.node, 0) + 1
        task = self._loop.create_task(self._serve(ask))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _read(self, message: Any) -> Ask:
        data = message.data
        if len(data) > self.limit.body_bytes:
            raise ServerError(
                "NT-SERVER-009",
                f"the body has {len(data)} bytes, more than {self.limit.body_bytes}; send less at a time",
                http_status=413,
            )
        verb, lane, node = parse(message.subject, self._subjects.root)
        headers = {name.lower(): value for name, value in (message.headers or {}).items()}
        return Ask(message.subject, verb, lane, node, data, message.reply, headers)

    def _check_room(self, ask: Ask) -> None:
        limit = self.limit
        if len(self._tasks) >= limit.requests or self._bytes + len(ask.data) > limit.request_bytes:
            what = f"{len(self._tasks)} requests are under way"
        elif self._of_node.get(ask.node, 0) >= limit.node_requests and ask.node:
            what = f"{limit.node_requests} requests to {ask.node} are under way"
        else:
            return
        self.counters["refused"] += 1
        raise ServerError("NT-SERVER-032", f"{what}; wait for answers, then try again", http_status=503)

    async def _serve(self, ask: Ask) -> None:
        try:
            if ask.verb == "command":
                self.counters["commands"] += 1
            answer = await self._verbs.answer(ask)
        except NatantError as error:
            self._refuse(ask.subject, ask.reply, error)
        except Exception:
            _LOG.exception("a request at %s failed", ask.subject)
            self._refuse(ask.subject, ask.reply, _broken(ask))
        else:
            self._send(ask.reply, answer)
        finally:
            self._bytes -= len(ask.data)
            count = self._of_node[ask.node] - 1
            if count:
                self._of_node[ask.node] = count
            else:
                del self._of_node[ask.node]

    def _refuse(self, subject: str, reply: str, error: NatantError) -> None:
        self.counters["errors"] += 1
        if reply:
            self._send(reply, fault_answer(error))
        else:  # whoever published it does not listen, so people are told
            self.counters["unanswered_errors"] += 1
            self._complain(error.code, "what was published at %s was not done: %s", subject, error)

    def _send(self, reply: str, answer: Answer) -> None:
        if reply:
            self._outflow.put(reply, answer.body, answer.headers)

    def _on_dropped(self, subject: str, error: Exception | None) -> None:
        self._complain("dropped", "a message to %s did not leave: %s", subject, error or "too many wait")

    def _complain(self, cause: str, message: str, *values: object) -> None:
        now_s = self._loop.time()
        if now_s >= self._quiet_until_s.get(cause, 0.0):
            self._quiet_until_s[cause] = now_s + QUIET_S
            _LOG.warning(message, *values)


def _foreign_reply(reply: str) -> ServerError:
    return ServerError(
        "NT-SERVER-036",
        f"the answer is asked for at {reply[:80]!r}; answers go to subjects that begin with {INBOX}, as those of all clients do",
        http_status=400,
    )


def _broken(ask: Ask) -> ServerError:
    return ServerError(
        "NT-SERVER-035", f'"{ask.verb}" failed on this side; the log of the plane says more', http_status=500
    )
