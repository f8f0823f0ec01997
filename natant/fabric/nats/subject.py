"""The names of subjects, streams and buckets of a plane; how texts become tokens is told in ``natant.fabric.token``."""

from __future__ import annotations

import re
from typing import Final

from natant.fabric.token import node_of, text_of, token, tokens_of

__all__ = ["MAPPED_TOKENS", "Subjects", "name_of", "node_of", "text_of", "token", "tokens_of"]

#: nodes of up to so many segments are mapped to their partition by the server; longer ones are routed by a worker
MAPPED_TOKENS: Final = 8

_NAME: Final = re.compile(rb"[A-Za-z0-9-]")


def name_of(text: str) -> str:
    """A name for a stream or bucket: ``A-Z a-z 0-9 -`` stay, any other byte is ``_`` and two hex digits."""
    return "".join(
        chr(byte) if _NAME.match(bytes((byte,))) else f"_{byte:02X}" for byte in text.encode("utf-8", "surrogatepass")
    )


class Subjects:
    """All names of one plane.

    :param plane: the plane's name.
    :ivar root: the first two tokens of all its subjects.
    :ivar name: the beginning of the names of its streams and buckets; holds no ``-`` of the plane's own, so that no two
        planes share a name.
    """

    __slots__ = ("_event", "name", "plane", "root")

    def __init__(self, plane: str) -> None:
        self.plane = plane
        self.root = f"natant.{token(plane)}"
        self.name = f"natant-{name_of(plane).replace('-', '_2D')}"
        self._event = f"{self.root}.ev."

    # -- agents ------------------------------------------------------------------------------------------------

    @property
    def all_asked(self) -> str:
        """What anybody asks and no mapping has turned."""
        return f"{self.root}.in.>"

    def ask(self, verb: str, lane: str, node: str) -> str:
        """Where anybody asks something of an agent's lane."""
        return f"{self.root}.in.{verb}.{token(lane)}.{'.'.join(tokens_of(node))}"

    def may_ask(self, verb: str = "*") -> list[str]:
        """What a user may publish who may ask: the server checks a permission against the subject that its mapping has made."""
        return [f"{self.root}.in.{verb}", f"{self.root}.in.{verb}.>", f"{self.root}.at.*.{verb}.>"]

    def may_read(self, bucket: str) -> list[str]:
        """What a user may publish who may read the bucket of a lane, key by key; changes come on the bucket's own subjects.

        No consumers: whoever makes one names the subject that it delivers to, and could aim it at anybody in the account.
        """
        stream = f"KV_{self.lane_bucket(bucket)}"
        return [
            f"$JS.API.DIRECT.GET.{stream}.>",
            f"$JS.API.STREAM.INFO.{stream}",
            f"$JS.API.STREAM.MSG.GET.{stream}",
        ]

    def at(self, partition: int) -> str:
        """What is asked of the agents of a partition, once mapped."""
        return f"{self.root}.at.{partition}.>"

    def event(self, lane: str, node: str) -> str:
        """Where the events of a lane that is followed come."""
        return f"{self._event}{token(lane)}.{'.'.join(tokens_of(node))}"

    def mappings(self, partitions: int) -> dict[str, str]:
        """The account's mappings from what is asked to its partition, for nodes of up to 8 tokens."""
        source = [f"{self.root}.in.*.*"]
        target = ["{{wildcard(1)}}", "{{wildcard(2)}}"]
        found = {}
        for number in range(3, 3 + MAPPED_TOKENS):
            source.append("*")
            target.append(f"{{{{wildcard({number})}}}}")
            hashed = ",".join(map(str, range(3, number + 1)))
            found[".".join(source)] = f"{self.root}.at.{{{{partition({partitions},{hashed})}}}}.{'.'.join(target)}"
        return found

    # -- workers -----------------------------------------------------------------------------------------------

    def trunk(self, worker: str) -> str:
        """Where a worker takes what other workers send."""
        return f"{self.root}.w.{worker}.t"

    def ping(self, worker: str) -> str:
        """Where a worker says that it lives."""
        return f"{self.root}.w.{worker}.ping"

    def pong(self, worker: str, other: str) -> str:
        """Where a worker takes the answers of another one to its pings."""
        return f"{self.root}.w.{worker}.pong.{other}"

    @property
    def table_changed(self) -> str:
        """Where workers tell each other that the bucket of members and owners has changed."""
        return f"{self.root}.w.changed"

    @property
    def cluster_bucket(self) -> str:
        """The bucket of members and owners."""
        return f"{self.name}-cluster"

    # -- journals ----------------------------------------------------------------------------------------------

    def journal_stream(self, partition: int) -> str:
        """The stream of a partition's journal."""
        return f"{self.name}-J{partition}"

    def journal(self, partition: int) -> str:
        """All subjects of a partition's journal."""
        return f"{self.root}.j.{partition}.>"

    def epoch(self, partition: int) -> str:
        """Where the owners of a partition announce themselves."""
        return f"{self.root}.j.{partition}.epoch"

    def record(self, partition: int) -> str:
        """Where the records of a partition's journal go."""
        return f"{self.root}.j.{partition}.r"

    @property
    def snapshot_stream(self) -> str:
        """The stream of all snapshots."""
        return f"{self.name}-SNAP"

    @property
    def all_snapshots(self) -> str:
        """All subjects of snapshots."""
        return f"{self.root}.snap.>"

    def snapshot(self, partition: int, part: str) -> str:
        """A part of a partition's snapshot: ``head``, or ``c.NAME.I`` for piece I of the snapshot NAME."""
        return f"{self.root}.snap.{partition}.{part}"

    # -- queues, lanes, edges ----------------------------------------------------------------------------------

    def queue_stream(self, queue: str) -> str:
        """The stream of a work queue."""
        return f"{self.name}-Q-{name_of(queue)}"

    def queue(self, queue: str) -> str:
        """The first tokens of a work queue's subjects; what follows is the queue's own."""
        return f"{self.root}.q.{token(queue)}"

    def lane_bucket(self, name: str) -> str:
        """The bucket that shows a lane to others."""
        return f"{self.name}-lane-{name_of(name)}"

    def object_bucket(self, name: str) -> str:
        """The object store of large values."""
        return f"{self.name}-obj-{name_of(name)}"

    @property
    def edge_root(self) -> str:
        """The first tokens of what passes between edges and their hub; see :mod:`natant.edge.name`."""
        return f"natant-edge.{self.root.partition('.')[2]}"

    @property
    def edge_stream(self) -> str:
        """At an edge: what is kept until the hub has it."""
        return f"{self.name}-EDGE"

    @property
    def aggregate_stream(self) -> str:
        """At the hub: what came from the edges."""
        return f"{self.name}-AGG"
