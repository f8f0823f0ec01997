"""Compares what the agents hold with what the tables say."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from examples.flights.truth import Truth
from natant.host import Host

__all__ = ["audit", "get"]


async def get(host: Host, node: str, lane: str) -> Any:
    """The state of a lane as Python values."""
    from natant.codec.recon.value import Absent

    declared = host.lane(node, lane)
    value: Any = await host.read(node, lane)
    forms = declared.types()
    if "key" in forms:
        return {forms["key"].decode(slot.key): forms["value"].decode(slot.value) for slot in value.items}
    if declared.kind == "list":
        return [forms["value"].decode(item) for item in value.items]
    return None if value is Absent else forms["value"].decode(value)


async def audit(host: Host, truth: Truth) -> None:
    """Assert that all totals, shares, windows and waves are those of the tables."""
    await _totals(host, "/carrier/", "tally", truth.carriers)
    await _totals(host, "/plane/", "tally", truth.planes)
    await _totals(host, "/route/", "tally", truth.routes)
    await _totals(host, "/airport/", "movements", truth.airports)
    for route, share in truth.shares.items():
        held = await get(host, f"/route/{route}", "carriers")
        assert {carrier: (bucket.flights, bucket.delay) for carrier, bucket in held.items()} == share, route
    for route, delays in truth.recent.items():
        assert await get(host, f"/route/{route}", "recent") == delays, route
    for code, conditions in truth.conditions.items():
        held = await get(host, f"/airport/{code}", "by_weather")
        assert {name: (bucket.flights, bucket.delay) for name, bucket in held.items()} == conditions, code
    await _waves(host, truth)


async def _totals(host: Host, prefix: str, lane: str, wanted: Mapping[str, Counter[str]]) -> None:
    wrong = {}
    for name, total in wanted.items():
        held = msgspec.to_builtins(await get(host, prefix + name, lane))
        expected = {field: total[field] for field in held}
        assert set(total) <= set(held)
        if held != expected:
            wrong[prefix + name] = (held, expected)
    assert not wrong, f"{len(wrong)} of {len(wanted)}: {dict(list(wrong.items())[:3])}"


async def _waves(host: Host, truth: Truth) -> None:
    held = await get(host, "/control", "waves")
    wanted = {
        f"{code} {number:04}": (begin, end, peak, flights)
        for code, waves in truth.waves.items()
        for number, (begin, end, peak, flights) in enumerate(waves, 1)
    }
    # A wave that is on has been reported when it began, so the control does not know yet how high it went.
    assert {name: (wave.begin, wave.end) for name, wave in held.items()} == {
        name: (begin, end) for name, (begin, end, _, _) in wanted.items()
    }
    assert {name: (wave.peak, wave.flights) for name, wave in held.items() if wave.end} == {
        name: (peak, flights) for name, (_, end, peak, flights) in wanted.items() if end
    }
    loop = await get(host, "/control", "loop")
    assert loop.holds == len(wanted)
    assert loop.recoveries == sum(1 for _, end, _, _ in wanted.values() if end)
    reported = await get(host, "/control", "actions")
    assert len(reported) == min(60, loop.holds + loop.recoveries + loop.openings)
    modes = await _joined(host, set(truth.waves))
    for code, waves in truth.waves.items():
        mode = await get(host, f"/airport/{code}", "mode")
        assert (mode.mode == "hold") == bool(waves and not waves[-1][1]), code
        assert modes[code] in (mode, None), code


async def _joined(host: Host, codes: set[str]) -> dict[str, Any]:
    """The modes that the control sees; after a start its links take a moment."""
    modes: dict[str, Any] = {}
    async with asyncio.timeout(60):
        while not codes <= set(modes):
            await asyncio.sleep(0.01)
            modes = await get(host, "/control", "modes")
    return modes
