"""What an engine is given, and the configuration file of the embedded server made from it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from natant.fabric.nats.leaf import Edges, edge_user, leaf_remote
from natant.fabric.nats.subject import Subjects

__all__ = [
    "EngineSpec",
    "Identity",
    "Operator",
    "Ports",
    "Quoted",
    "block",
    "embedded_config",
    "operator_part",
    "users_of",
]

#: the largest message: a journal record or a chunk of a snapshot is at most 1 MiB, its headers come on top
MAX_PAYLOAD: Final = 2 * 1024 * 1024
#: what the server keeps for a client that reads slowly before it cuts it off
MAX_PENDING: Final = 256 * 1024 * 1024
#: connections of clients, browsers and devices; an idle one costs the server about 48 KiB
MAX_CONNECTIONS: Final = 20_000
#: memory of streams without files: progress of consumers, leases
MAX_MEMORY_STORE: Final = 256 * 1024 * 1024
#: streams of one plane: its partitions, queues, buckets
MAX_STREAMS: Final = 2000
MAX_CONSUMERS: Final = 20_000
#: between two tries of an edge to reach its hub
LEAF_RECONNECT: Final = "500ms"
#: an edge's server pings so often; after two without an answer it connects anew
LEAF_PING: Final = "3s"
#: the server's own log: this much for each of so many files
LOG_BYTES: Final = 8 * 1024 * 1024
LOG_FILES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Whose accounts a server serves.

    :ivar token: the operator's JWT.
    :ivar system_account: public key of the servers' own account.
    :ivar accounts: public key -> JWT, the system account's among them; the server keeps a newer one that it was brought meanwhile.
    """

    token: str
    system_account: str
    accounts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSpec:
    """How a plane reaches NATS.

    :ivar plane: name of the plane; all its subjects and streams begin with it.
    :ivar url: servers that run already, comma-separated; None starts the embedded one.
    :ivar folder: embedded: where the server keeps streams, credentials, ports and log.
    :ivar credentials: a ``.creds`` file for the external servers.
    :ivar monitors: ``http://host:8222`` of each external server: at the start they are asked whether they are safe.
    :ivar partitions: into how many parts the agents are hashed; fixed for the life of a plane.
    :ivar replicas: copies of each stream; None finds out: 3 in a cluster, else 1.
    :ivar inbox: first tokens of the subjects of replies; a user who may only listen to their own needs them.
    :ivar host: embedded: the address all listeners are bound to.
    :ivar port: embedded: the port for NATS clients; 0 chooses one, which then stays.
    :ivar websocket: embedded: a listener for browsers; True chooses a port, which then stays.
    :ivar mqtt: embedded: a listener for MQTT devices.
    :ivar leafs: embedded: a listener for edges that connect as leaf nodes.
    :ivar leafs_host: embedded: the address that listener is bound to; None: as ``host``.
    :ivar leaf: embedded: the hub this server connects to as a leaf, ``nats-leaf://user:password@host:port``.
    :ivar leaf_credentials: embedded: a ``.creds`` file for the hub.
    :ivar domain: embedded: JetStream's domain; None keeps the folder's, or makes one.
    :ivar buckets: embedded: buckets of lanes, by the names their lanes give them, that clients may read.
    :ivar allow_origins: embedded: web origins that browsers may come from; empty: any.
    :ivar operator: embedded: whose accounts the server serves, in place of one of its own; the engine then needs ``credentials``.
    :ivar disk_bytes: embedded: how much streams may take in all; 0: 20 GiB, or 80 % of what is free at the first start.
    :ivar memory_mib: embedded: the server's GOMEMLIMIT.
    """

    plane: str
    url: str | None = None
    folder: Path | None = None
    credentials: Path | None = None
    monitors: Sequence[str] = ()
    partitions: int = 64
    replicas: int | None = None
    inbox: str = "_INBOX"
    host: str = "127.0.0.1"
    port: int = 0
    websocket: bool | int = False
    mqtt: bool | int = False
    leafs: bool | int = False
    leafs_host: str | None = None
    leaf: str | None = None
    leaf_credentials: Path | None = None
    domain: str | None = None
    buckets: Sequence[str] = ()
    allow_origins: Sequence[str] = ()
    operator: Operator | None = None
    disk_bytes: int = 0
    memory_mib: int = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the embedded server listens; 0: not at all."""

    nats: int = 0
    http: int = 0
    websocket: int = 0
    mqtt: int = 0
    leafs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What the folder of an embedded server keeps for its whole life.

    :ivar name: the server's name.
    :ivar domain: JetStream's domain, by which a cluster can later copy this store.
    :ivar disk_bytes: how much its streams may take.
    :ivar partitions: to how many partitions its mappings turn what is asked.
    """

    name: str
    domain: str
    disk_bytes: int
    partitions: int


class Quoted(str):
    """A text that goes into the configuration as it is: a name, a number, a size."""

    __slots__ = ()


def block(values: Mapping[str, Any], depth: int = 0) -> str:
    """Values as the server's configuration language; a mapping is a block, a list an array."""
    pad = "  " * depth
    return "\n".join(f"{pad}{_key(key)}: {_form(value, depth)}" for key, value in values.items() if value is not None)


def _key(text: str) -> str:
    return text if text.replace("_", "").isalnum() else json.dumps(text)


def _form(value: Any, depth: int) -> str:
    if isinstance(value, Mapping):
        inner = block(value, depth + 1)
        return f"{{\n{inner}\n{'  ' * depth}}}" if inner else "{}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Quoted | int):
        return str(value)
    if isinstance(value, str | Path):
        return json.dumps(str(value), ensure_ascii=False)
    if isinstance(value, Iterable):
        return "[" + ", ".join(_form(each, depth) for each in value) + "]"
    raise TypeError(f"no form of the configuration for {type(value).__name__}")


def users_of(
    subjects: Subjects,
    secrets: Mapping[str, str],
    edges: Mapping[str, str] | None = None,
    buckets: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """The users of the plane's account: the engine may everything, the others what the doors offer.

    :param edges: passwords of the edges by their names.
    :param buckets: buckets of lanes that clients may read.
    """
    reading = [right for bucket in buckets for right in subjects.may_read(bucket)]
    live = [f"$KV.{subjects.lane_bucket(bucket)}.>" for bucket in buckets]
    root = subjects.root
    return [
        {"user": "engine", "password": secrets["engine"]},
        {
            "user": "client",
            "password": secrets["client"],
            "allowed_connection_types": ["STANDARD", "WEBSOCKET"],
            "permissions": {
                "publish": [*subjects.may_ask(), *reading],
                "subscribe": [f"{root}.ev.>", "_INBOX.>", *live],
            },
        },
        {
            "user": "device",
            "password": secrets["device"],
            "allowed_connection_types": ["MQTT"],
            "permissions": {"publish": subjects.may_ask(), "subscribe": [f"{root}.ev.>", "$MQTT.sub.>"]},
        },
        {"user": "leaf", "password": secrets["leaf"], "allowed_connection_types": ["LEAFNODE"]},
        *(edge_user(subjects.edge_root, edge, password) for edge, password in (edges or {}).items()),
    ]


def embedded_config(
    spec: EngineSpec, identity: Identity, ports: Ports, secrets: Mapping[str, str], folder: Path
) -> str:
    """The whole configuration file of an embedded server; it holds passwords.

    :param folder: the embedded server's folder, absolute.
    """
    subjects = Subjects(spec.plane)
    edges = Edges(folder).all() if ports.leafs else {}
    limits = {
        "max_mem": MAX_MEMORY_STORE,
        "max_file": identity.disk_bytes,
        "max_streams": MAX_STREAMS,
        "max_consumers": MAX_CONSUMERS,
    }
    app = {
        "jetstream": limits,
        "mappings": subjects.mappings(identity.partitions),
        "users": users_of(subjects, secrets, edges, spec.buckets),
    }
    accounts: dict[str, Any] = {
        "accounts": {"SYS": {"users": [{"user": "sys", "password": secrets["sys"]}]}, "APP": app},
        "system_account": "SYS",
    }
    if spec.operator is not None:
        accounts = operator_part(spec.operator, folder / "jwt")
    values: dict[str, Any] = {
        "server_name": identity.name,
        "host": spec.host,
        "port": ports.nats,
        "http": f"127.0.0.1:{ports.http}",
        "ports_file_dir": folder / "run",
        "log_file": folder / "server.log",
        "logfile_size_limit": LOG_BYTES,
        "logfile_max_num": LOG_FILES,
        "max_payload": MAX_PAYLOAD,
        "max_pending": MAX_PENDING,
        "max_connections": MAX_CONNECTIONS,
        "write_deadline": "10s",
        # an edge learns by this that its cable is dead where nobody says so
        "ping_interval": LEAF_PING if spec.leaf else "20s",
        "ping_max": 2,
        "lame_duck_grace_period": "1s",
        "lame_duck_duration": "30s",
        "jetstream": {
            "store_dir": folder / "store",
            "domain": identity.domain,
            # An acknowledgement means that it is on the disk; packed records make that cheap.
            "sync_interval": Quoted("always"),
            "max_memory_store": MAX_MEMORY_STORE,
            "max_file_store": identity.disk_bytes,
        },
        **accounts,
        **_listeners(spec, ports),
    }
    return block(values) + "\n"


def operator_part(operator: Operator, folder: Path) -> dict[str, Any]:
    """What makes a server serve the accounts of an operator; each server of a cluster has it, with a folder of its own.

    :param folder: where the server keeps accounts that it is brought while it runs.
    """
    return {
        "operator": operator.token,
        "system_account": operator.system_account,
        "resolver": {"type": "full", "dir": folder, "allow_delete": True, "hard_delete": True, "interval": "2m"},
        "resolver_preload": dict(operator.accounts),
    }


def _listeners(spec: EngineSpec, ports: Ports) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if ports.websocket:
        found["websocket"] = {
            "host": spec.host,
            "port": ports.websocket,
            "no_tls": True,
            "compression": True,
            "allowed_origins": list(spec.allow_origins) or None,
        }
    if ports.mqtt:
        found["mqtt"] = {"host": spec.host, "port": ports.mqtt}
    leafs: dict[str, Any] = {}
    if ports.leafs:
        # Edges keep to the address they were given: behind NAT or a proxy the server's own is of no use to them.
        leafs |= {"host": spec.leafs_host or spec.host, "port": ports.leafs, "no_advertise": True}
    if spec.leaf:
        remote = leaf_remote(spec.leaf, spec.leaf_credentials)
        leafs |= {"reconnect": LEAF_RECONNECT, "remotes": [remote]}
    if leafs:
        found["leafnodes"] = leafs
    return found
