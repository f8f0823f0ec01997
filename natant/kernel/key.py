"""The layout of a plane's keys in its store.

========================  ==============================================================
key                       value
========================  ==============================================================
``!identity``             the name of this store, made with its first group and never again
``!sequence``             number of the last commit group, 8 bytes, big-endian
``n NODE``                the agent exists: ``{agent:CLASS,created:MS}``
``l NODE 0 LANE 0 SUB``   one entry of a lane; SUB is empty for a value lane
``i NODE 0 N``            one remembered command id, N is 8 bytes
``t NODE 0 NAME``         a durable timer
``o N``                   a command in the outbox, N is 8 bytes
``s NAME``                the position of a source
``r NAME``                number of the last command taken in from another partition, whose store has that name; 8 bytes
``d NODE 0 LANE 0 SUB``   a bucket does not show this entry of a lane as it is; SUB begins with two zero bytes for all entries
``f BUCKET``              what the bucket shows is kept up to date: the lane it belongs to
``b DIGEST 0 NODE 0 LANE``  this lane refers to the large value of that content
``w NODE``                the agent keeps downlinks: bring it to life at start
========================  ==============================================================

(Blanks are for the eye only, ``0`` is a zero byte.)  Node URIs and lane names never hold a zero byte.
"""

from __future__ import annotations

__all__ = [
    "IDENTITY",
    "SEQUENCE",
    "blob_key",
    "blob_prefix",
    "dirty_key",
    "fed_key",
    "id_key",
    "id_prefix",
    "lane_prefix",
    "lane_tail",
    "node_key",
    "number",
    "outbox_key",
    "received_key",
    "source_key",
]

IDENTITY = b"!identity"
SEQUENCE = b"!sequence"
NODE = b"n"
LANE = b"l"
LANE_TEXT = LANE.decode()
ID = b"i"
TIMER = b"t"
OUTBOX = b"o"
SOURCE = b"s"
RECEIVED = b"r"
WAKE = b"w"
DIRTY = b"d"
FED = b"f"
BLOB = b"b"
#: the SUB of all entries of a lane
ALL = b"\0\0"


def number(value: int) -> bytes:
    """A count as 8 bytes whose order is that of the numbers."""
    return value.to_bytes(8, "big")


def node_key(node: str) -> bytes:
    """The record that says an agent exists."""
    return NODE + node.encode()


def lane_prefix(node: str, lane: str) -> bytes:
    """What the keys of all entries of a lane start with; the very key of a value lane."""
    return f"{LANE_TEXT}{node}{lane_tail(lane)}".encode()


def lane_tail(lane: str) -> str:
    """What stands behind the node in :func:`lane_prefix`; as text, since a key is put together as text and encoded once."""
    return f"\0{lane}\0"


def id_prefix(node: str) -> bytes:
    """What the keys of an agent's remembered command ids start with."""
    return ID + node.encode() + b"\0"


def id_key(node: str, count: int) -> bytes:
    """One remembered command id."""
    return ID + node.encode() + b"\0" + number(count)


def timer_key(node: str, name: str) -> bytes:
    """One durable timer."""
    return TIMER + node.encode() + b"\0" + name.encode()


def outbox_key(count: int) -> bytes:
    """One command that was sent and has not yet had its effect."""
    return OUTBOX + number(count)


def dirty_key(entry: bytes) -> bytes:
    """The mark that a bucket does not show an entry as it is; ``entry`` is the key of its record."""
    return DIRTY + entry[1:]


def fed_key(bucket: str) -> bytes:
    """The mark that a bucket is kept up to date from this store."""
    return FED + bucket.encode()


def blob_prefix(digest: str) -> bytes:
    """What the marks of all who refer to a content start with."""
    return BLOB + digest.encode() + b"\0"


def blob_key(digest: str, node: str, lane: str) -> bytes:
    """The mark that a lane refers to a content."""
    return f"b{digest}\0{node}\0{lane}".encode()


def source_key(name: str) -> bytes:
    """How far a source has been read."""
    return SOURCE + name.encode()


def received_key(identity: str) -> bytes:
    """How far the commands of another partition have been taken in; ``identity`` is the name of its store."""
    return RECEIVED + identity.encode()


def wake_key(node: str) -> bytes:
    """The mark of an agent that is brought to life at start."""
    return WAKE + node.encode()
