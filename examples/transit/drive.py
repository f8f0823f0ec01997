"""Drives three vehicles round in circles: ``python drive.py [warp://127.0.0.1:9001]``, until Ctrl-C."""

# part: drive
import math
import sys
import time

from natant.client import blocking


def drive(url: str, steps: int = 100_000, pause_s: float = 0.5) -> None:
    with blocking.connect(url) as host:
        for number in range(3):
            host.ask(f"/vehicle/{number}", "assign", "north")
        for step in range(steps):
            for number in range(3):
                angle = step / (10 + 5 * number)
                fix = {"lat": 59 + math.cos(angle), "lon": 18 + math.sin(angle), "speed": 30.0 + number}
                host.command(f"/vehicle/{number}", "report", fix)
            time.sleep(pause_s)


if __name__ == "__main__":
    drive(sys.argv[1] if len(sys.argv) > 1 else "warp://127.0.0.1:9001")
# end: drive
