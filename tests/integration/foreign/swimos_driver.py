"""SwimOS's Python client, driven by lines of JSON on standard input; answers go to standard output.  Values are JSON.

Run by :mod:`tests.integration.foreign.peer` in a process of its own.
"""

from __future__ import annotations

import json
import sys
import threading
import warnings
from typing import Any

from swimos import SwimClient

_lock = threading.Lock()


def tell(**message: Any) -> None:
    with _lock:
        print(json.dumps(message, default=str), flush=True)


class Driver:
    """Handles requests as ``driver.mjs`` does, as far as this client can."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.links: dict[str, Any] = {}

    def open(self, request: dict[str, Any]) -> None:
        name, kind = request["name"], request["kind"]
        link = {
            "value": self.client.downlink_value,
            "map": self.client.downlink_map,
            "event": self.client.downlink_event,
        }[kind]()
        link.set_host_uri(request["host"]).set_node_uri(request["node"]).set_lane_uri(request["lane"])

        async def linked() -> None:
            tell(name=name, heard="linked")

        async def synced() -> None:
            tell(name=name, heard="synced")

        async def heard_set(new: Any, old: Any) -> None:
            tell(name=name, heard="set", value=new)

        async def heard_event(value: Any) -> None:
            tell(name=name, heard="event", value=value)

        async def updated(key: Any, new: Any, old: Any) -> None:
            tell(name=name, heard="updated", key=key, value=new)

        async def removed(key: Any, old: Any) -> None:
            tell(name=name, heard="removed", key=key)

        link.did_link(linked)
        if kind != "event":
            link.did_sync(synced)
        if kind == "value":
            link.did_set(heard_set)
        elif kind == "map":
            link.did_update(updated).did_remove(removed)
        else:
            link.on_event(heard_event)
        self.links[name] = link.open()

    def close(self, request: dict[str, Any]) -> None:
        link = self.links.pop(request["name"], None)
        if link is not None:
            link.close()

    def state(self, request: dict[str, Any]) -> Any:
        link = self.links[request["name"]]
        if request["kind"] == "value":
            return link.get(wait_sync=True)
        return [list(entry) for entry in link.get_all(wait_sync=True)]

    def command(self, request: dict[str, Any]) -> None:
        self.client.command(request["host"], request["node"], request["lane"], request["value"]).result(10)

    def set(self, request: dict[str, Any]) -> None:
        self.links[request["name"]].set(request["value"], blocking=True)

    def put(self, request: dict[str, Any]) -> None:
        self.links[request["name"]].put(request["key"], request["value"], blocking=True)

    def remove(self, request: dict[str, Any]) -> None:
        self.links[request["name"]].remove(request["key"], blocking=True)


def main() -> None:
    warnings.simplefilter("ignore")
    with SwimClient() as client:
        driver = Driver(client)
        tell(heard="ready")
        for line in sys.stdin:
            request = json.loads(line)
            try:
                tell(id=request["id"], result=getattr(driver, request["do"])(request))
            except Exception as error:
                tell(id=request["id"], error=repr(error))


if __name__ == "__main__":
    main()
