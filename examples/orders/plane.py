"""Reads a growing file of orders exactly once: ``ORDERS=orders.jsonl natant run examples/orders/plane.py``."""

# part: plane
import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from natant import Agent, Item, Plane, command, lane

ORDERS = Path(os.environ.get("ORDERS", "orders.jsonl"))
LOOK_AGAIN_S = 0.2


class Order(msgspec.Struct):
    shop: str
    cents: int


class Shop(Agent, route="/shop/{id}"):
    orders = lane.value(int, default=0)
    revenue = lane.value(int, default=0)

    @command
    def sell(self, order: Order) -> None:
        self.orders += 1
        self.revenue += order.cents


plane = Plane("orders", [Shop])


@plane.source("orders")
async def orders(position: int) -> AsyncIterator[Item]:
    """The lines that stand behind byte ``position``, and those that are written later."""
    while not ORDERS.exists():
        await asyncio.sleep(LOOK_AGAIN_S)
    with ORDERS.open("rb") as file:
        file.seek(position)
        while True:
            line = file.readline()
            if line.endswith(b"\n"):
                position += len(line)
                order = msgspec.json.decode(line, type=Order)
                yield Item(position, f"/shop/{order.shop}", "sell", order)
            else:  # the end, or a line that is still being written
                file.seek(position)
                await asyncio.sleep(LOOK_AGAIN_S)
                # end: plane
