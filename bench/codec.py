"""How fast Recon and WARP are read and written: microseconds a message, best of five rounds.

Run by ``scripts/bench codec``.  The message is the command of 100 bytes with a record of six fields.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable

from natant import build
from natant.codec import recon, warp

MESSAGE = '@command(node:"/vehicle/7",lane:report){at:1357034400,lat:40.63,lon:-73.77,speed:54,line:B6,late:true}'
BODY = "{at:1357034400,lat:40.63,lon:-73.77,speed:54,line:B6,late:true}"
VALUE = recon.decode(BODY)
ROUNDS = 5
CALLS = 20_000


def measure(name: str, call: Callable[[], object]) -> None:
    """Print the time of one call."""
    best_s = min(timeit.repeat(call, number=CALLS, repeat=ROUNDS)) / CALLS
    print(f"{name:<44} {best_s * 1e6:8.2f} us")


def main() -> None:
    """Measure reading and writing."""
    print(f"hot modules: {build.summary()}; message of {len(MESSAGE)} bytes")
    measure("read the body", lambda: recon.decode(BODY))
    measure("write the body", lambda: recon.encode(VALUE))
    measure("read the envelope", lambda: warp.decode(MESSAGE))
    measure("read the envelope and its body", lambda: warp.decode(MESSAGE).body)
    measure("write the envelope", lambda: warp.encode("event", "/vehicle/7", "position", BODY))


if __name__ == "__main__":
    main()
