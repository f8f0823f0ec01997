"""The yardstick: a picows listener with nothing behind it.

    python -m bench.yard 9002

It counts text frames, answers ``@sync`` at once (that of a lane ``history`` with a hundred thousand entries), gives the body of each ``@command`` to whoever has synced the node (one
write a connection, as a server must), and plays the control agent of the load generator.  So what natant costs can be told apart from
what sockets, frames and the loop cost.
"""

from __future__ import annotations

import sys
from typing import Any

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

from natant.codec.warp.frame import frame

#: nodes by spelling, each with the transports of those who have synced it
_LINKS: dict[str, list[Any]] = {}
_COUNT = [0]
#: entries of a lane called history
WIDE = 100_000


class Bare(WSListener):
    """One connection."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.raw = transport.underlying_transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT:
            if frame.msg_type is WSMsgType.CLOSE:
                transport.disconnect()
            return
        _COUNT[0] += 1
        if frame.payload_size != 100:
            self.answer(frame.get_payload_as_utf8_text())

    def answer(self, text: str) -> None:
        """What the load generator needs."""
        node = text.split('"', 2)[1]
        if text.startswith("@sync"):
            lane = text.split("lane:", 1)[1].partition(")")[0].strip('"')
            _LINKS.setdefault(node, []).append(self.raw)
            events = range(WIDE) if lane == "history" else ()
            head = f'(node:"{node}",lane:{lane})'.encode()
            entries = [b"@event" + head + b"@update(key:%d)%d" % (number, 7 * number) for number in events]
            self.raw.write(b"".join(map(frame, [b"@linked" + head, *entries, b"@synced" + head])))
        elif text.startswith("@command"):
            body = text.partition(")")[2].strip()
            if node == "/control":
                _COUNT[0] -= 1
                body = f"{{tok:{body},n:{_COUNT[0]}}}"
            event = frame(f'@event(node:"{node}",lane:info){body}'.encode())
            for raw in _LINKS.get(node, ()):
                raw.write(event)


async def main() -> None:
    """Serve until killed."""
    server = await ws_create_server(lambda _: Bare(), "127.0.0.1", int(sys.argv[1]), logger_name=None)
    print("open", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
