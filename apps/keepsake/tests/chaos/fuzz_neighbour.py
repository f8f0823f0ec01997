"""Let a hostile neighbour loose on a running service for a while, and count what comes through.

    python tests/chaos/fuzz_neighbour.py --seconds 120 --seed 1

Requests, links and capture connections are made of good ones by changing them at random: percent-encodings, dots, case, bytes cut, doubled or put in,
lanes and nodes of others, tokens cut and joined. The exit code is 0 where not one canary of the other person was seen, and that person lost nothing.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))
from support.neighbour import Eve, spellings
from test_neighbour import LANES, NODES, TEXTS, Town  # type: ignore[import-not-found, unused-ignore]  # by its folder

DOORS = ["/capture/ann/diary", "/upload/ann", "/export/ann", "/ask", "/service", "/-/nodes?prefix=/person/ann"]
INSETS = [
    "..",
    "/",
    "%2f",
    "%2e",
    "%00",
    "\\",
    ";",
    "?",
    "#",
    "%25",
    "//",
    "/./",
    "ann",
    "eve",
    "\u2024\u2024",
    "\uff0f",
    "*",
    ">",
    "$",
    " ",
]


def changed(text: str, chance: random.Random) -> str:
    """A text with some things in it changed."""
    for _ in range(chance.choice((0, 1, 1, 2, 3, 5))):
        place = chance.randrange(len(text) + 1)
        kind = chance.randrange(6)
        if kind == 0:
            text = text[:place] + chance.choice(INSETS) + text[place:]
        elif kind == 1 and place < len(text):
            text = text[:place] + "".join(f"%{byte:02x}" for byte in text[place].encode()) + text[place + 1 :]
        elif kind == 2:
            text = text[:place] + text[place + chance.randrange(4) :]
        elif kind == 3 and place < len(text):
            text = text[:place] + text[place].swapcase() + text[place + 1 :]
        elif kind == 4:
            text = text[:place] + text[: chance.randrange(len(text) + 1)] + text[place:]
        else:
            text = text[:place] + chr(chance.randrange(33, 0x250)) + text[place:]
    return text


class Fuzz:
    """One kind of try after the other."""

    def __init__(self, town: Town, eve: Eve, seed: int) -> None:
        self.town = town
        self.eve = eve
        self.chance = random.Random(seed)
        self.nodes = [spelling for node in NODES for spelling in spellings("ann", node)]

    def node(self) -> str:
        return changed(self.chance.choice([*self.nodes, *DOORS]), self.chance)

    def token(self) -> str | None:
        mine, hers = str(self.town.tokens["eve"]), str(self.town.tokens["ann"]).rpartition(".")[0]
        return self.chance.choice(
            [mine, mine, mine, None, changed(mine, self.chance), hers + "." + mine.rpartition(".")[2]]
        )

    def request(self) -> None:
        """An HTTP request."""
        method = self.chance.choice(
            ["GET", "GET", "GET", "HEAD", "POST", "PATCH", "OPTIONS", "DELETE", changed("GET", self.chance)]
        )
        lane = (
            changed(self.chance.choice(LANES), self.chance) if self.chance.random() < 0.2 else self.chance.choice(LANES)
        )
        target = self.node().replace(" ", "%20") + self.chance.choice(
            ["", f"?lane={lane}", f"?lane={lane}&fresh=1", f"?lane={lane}&key=0"]
        )
        headers = self.chance.choice(
            [(), ("Accept: text/event-stream",), ("Tus-Resumable: 1.0.0",), ("X-Original-URL: /person/ann",)]
        )
        body = (
            changed('{"text":"where","about":"ann","to":"eve","until":2e9}', self.chance).encode()
            if method == "POST"
            else b""
        )
        token = self.token()
        self.eve.http(
            method, target, token=token if token is None else token.replace("\n", ""), headers=headers, body=body
        )

    def bytes(self) -> None:
        """A request of which any byte may be another one."""
        node = self.chance.choice(NODES)
        request = f"GET {node}?lane=timeline HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.eve.token}\r\nConnection: close\r\n\r\n"
        content = bytearray(request.encode())
        for _ in range(self.chance.randrange(1, 6)):
            content[self.chance.randrange(len(content))] = self.chance.randrange(256)
        self.eve.raw(bytes(content) + b"\r\n\r\n")

    def link(self) -> None:
        """Frames of WARP."""
        frames = []
        for _ in range(8):
            node = self.node().replace('"', "%22").replace("\\", "%5c")
            verb = self.chance.choice(["sync", "link", "command", "sync"])
            frame = f'@{verb}(node:"{node}",lane:{self.chance.choice(LANES)})'
            frames.append(changed(frame, self.chance) if self.chance.random() < 0.2 else frame)
        self.eve.warp(frames, token=self.token())

    def capture(self) -> None:
        """A capture connection."""
        person = changed("ann", self.chance).replace(" ", "")
        self.eve.socket(
            f"/capture/{person}/diary-plumvexit?kind=text", token=self.token(), messages=['{"n":3,"text":"x"}']
        )


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        town = Town(Path(folder) / "data")
        try:
            fuzz = Fuzz(town, town.eve, options.seed)
            tries: list[Callable[[], None]] = [fuzz.request] * 20 + [fuzz.bytes] * 4 + [fuzz.link] * 2 + [fuzz.capture]
            limit, count = time.monotonic() + options.seconds, 0
            while time.monotonic() < limit:
                fuzz.chance.choice(tries)()
                count += 1
            messages = town.running.get("ann", "figures")["messages"]
            received = town.running.get("ann", "received", "/stream/diary-plumvexit")
        finally:
            town.running.close()
        print(f"{count} tries, {town.eve.got} bytes came back, answers {dict(town.eve.answers.most_common())}")
        print(f"{len(town.eve.leaks)} leaks; ann has {messages} of {len(TEXTS)} messages, {received} pieces")
        print("\n".join(town.eve.leaks[:20]))
        return 0 if not town.eve.leaks and messages == received == len(TEXTS) else 1


if __name__ == "__main__":
    raise SystemExit(main())
