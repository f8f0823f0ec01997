"""The plane of the captured SwimOS server: run it and replay the capture against it, or measure it.

    natant run tests/conformance/plane.py --host 127.0.0.1 --port 9001

``NATANT_TEST_AUTH=1`` adds the authenticator: it takes the token ``s3cret``, forbids ``forbid`` and denies the rest.
``NATANT_TEST_META=0`` takes the nodes away that tell about the server itself.
The names of lanes are those of the captured server, hence the capitals inside.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from natant import Agent, Plane, command, lane
from natant.codec.recon.value import Record
from natant.lane import MapLane
from natant.link.hub import Identity, Refusal


class Count:
    """One counter for the whole process: how many commands have been handled."""

    value = 0


class Unit(Agent, route="/unit/{id}"):
    """State, history and commands to fill them."""

    info = lane.value()
    history: MapLane[Any, Any] = lane.map()

    @command
    def publish(self, body: Any) -> None:
        self.info = body
        self.history[body.get("t")] = body.get("v")
        Count.value += 1

    @command
    def setInfo(self, body: Any) -> None:  # noqa: N802  # the lane's name
        self.info = body
        Count.value += 1

    @command
    def fill(self, count: int) -> None:
        for number in range(count):
            self.history[number] = 7 * number
        Count.value += 1


class Cell(Agent, route="/cell/{id}"):
    """State and nothing else."""

    info = lane.value()

    @info.changed
    def count(self, new: Any, old: Any) -> None:
        Count.value += 1


class Control(Agent, route="/control"):
    """Tells how many commands have been handled."""

    total = lane.value()

    @command
    def poll(self, token: Any) -> None:
        self.total = Record.of({"tok": token, "n": Count.value})

    @command
    def reset(self) -> None:
        Count.value = 0


class Zoo(Agent, route="/zoo/{id}"):
    """One lane of each kind."""

    value = lane.value()
    typed = lane.value(str)
    map: MapLane[Any, Any] = lane.map()
    list = lane.list(Any)
    supply = lane.supply(Any)
    demand = lane.demand(str)
    demandMap = lane.demand_map(str, Any)  # noqa: N815  # the lane's name
    http = lane.value()

    @command(name="command")
    def any_command(self, body: Any) -> None:
        """Only the echo to those who are linked."""

    @command
    def setValue(self, body: Any) -> None:  # noqa: N802  # the lane's name
        self.value = body

    @command
    def boom(self, body: Any) -> None:
        raise RuntimeError("boom")

    @command
    def push(self, body: Any) -> None:
        self.supply.push(body)

    @demand.cue
    def answer(self) -> str:
        return "cued"

    @command
    def cue(self) -> None:
        self.demand.cue()

    @demandMap.cue
    def entry(self, key: str) -> Any:
        return {"k": key}

    @demandMap.keys
    def entry_keys(self) -> Iterable[str]:
        return ("a", "b")

    @command
    def cueKey(self, key: str) -> None:  # noqa: N802  # the lane's name
        self.demandMap.cue(key)

    @command
    def mapOps(self, body: Record) -> None:  # noqa: N802  # the lane's name
        match body.get("op"):
            case "put":
                self.map[body.get("k")] = body.get("v")
            case "remove":
                self.map.pop(body.get("k"), None)
            case "clear":
                self.map.clear()
            case "take":
                self.map.take(body.get("n"))
            case "drop":
                self.map.drop(body.get("n"))

    @command
    def listOps(self, body: Record) -> None:  # noqa: N802  # the lane's name
        index = body.get("i", body.get("index", body.get("from", 0)))
        match body.get("op"):
            case "add":
                self.list.append(body.get("v"))
            case "insert":
                self.list.insert(index, body.get("v"))
            case "set":
                self.list[index] = body.get("v")
            case "move":
                self.list.move(index, body.get("to", body.get("j", 0)))
            case "remove":
                del self.list[index]
            case "clear":
                self.list.clear()
            case "take":
                self.list.take(body.get("n"))
            case "drop":
                self.list.drop(body.get("n"))


class Join(Agent, route="/join/{id}"):
    """The lanes of other agents in one."""

    joinValue = lane.join_value(str, Any)  # noqa: N815  # the lane's name
    joinMap = lane.join_map(Any, Any)  # noqa: N815  # the lane's name

    def on_start(self) -> None:
        for key in ("x", "y"):
            self.joinValue.join(key, f"/zoo/j{key}", "value")
        for node in ("jx", "jy", "xs", "ys"):
            self.joinMap.join(f"/zoo/{node}", "map")


def authenticate(credentials: Any, request_uri: str) -> Identity | Refusal | None:
    """Take one token, bar another, refuse the rest."""
    token = credentials.get("token") if isinstance(credentials, Record) else None
    if token == "s3cret":
        return Identity("tester")
    return Refusal(is_forbidden=token == "forbid")


plane = Plane(
    "conformance",
    [Unit, Cell, Control, Zoo, Join],
    authenticator=authenticate if os.environ.get("NATANT_TEST_AUTH") == "1" else None,
    meta=os.environ.get("NATANT_TEST_META") != "0",
)
