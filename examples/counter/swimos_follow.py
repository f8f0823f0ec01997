"""Follows a counter with SwimOS's own Python client: ``python examples/counter/swimos_follow.py``."""

# part: follow
import sys
import time
from typing import Any

from swimos import SwimClient

HOST = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:9001"


async def total_changed(new: Any, old: Any) -> None:
    print("total", new)


with SwimClient() as client:
    total = client.downlink_value().set_host_uri(HOST).set_node_uri("/counter/pears").set_lane_uri("total")
    total.did_set(total_changed).open()
    client.command(HOST, "/counter/pears", "add", 5)
    time.sleep(2)
# end: follow
