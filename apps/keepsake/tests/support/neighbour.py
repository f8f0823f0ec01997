"""A hostile neighbour: has a token of their own, speaks raw bytes, and tries every door for what another person said.

`Canaries` are words that only the other person ever said; `Eve` sends, keeps what comes back, and looks for them in it, in any of the
usual codings.  Used by ``tests/integration/test_neighbour.py`` and ``tests/chaos/fuzz_neighbour.py``.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from urllib.parse import quote, unquote_to_bytes

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.typing import Subprotocol

#: of one answer
ANSWER_BYTES = 1 << 20
#: for an answer
WAIT_S = 5.0
#: for more to come on a connection that stays open
QUIET_S = 0.3


class Canaries:
    """Words that are looked for, small and capital letters alike, plain, as base64 at any offset, in UTF-16 and percent-encoded."""

    def __init__(self, words: Sequence[str]) -> None:
        forms: set[bytes] = set()
        for word in words:
            for said in {word, word.lower(), word.upper()}:
                plain = said.encode()
                forms |= {plain, said.encode("utf-16-le"), plain.hex().encode()}
                for shift in range(3):
                    coded = base64.b64encode(b"\0" * shift + plain)
                    forms.add(coded[4 if shift else 0 : len(coded) // 4 * 4 - 4])
        self._pattern = re.compile(b"|".join(re.escape(form) for form in sorted(forms) if len(form) >= 6))

    def find(self, data: bytes) -> list[bytes]:
        """Those that are in the data."""
        return sorted({match.group() for match in self._pattern.finditer(data)})


class Eve:
    """The neighbour.

    :param port: of the service on this machine.
    :param token: her own, good one.
    :ivar leaks: what she got that she may not have: where, and which canary.
    :ivar answers: how many of each kind she got.
    """

    def __init__(self, port: int, token: str, canaries: Canaries) -> None:
        self.port = port
        self.token = token
        self.canaries = canaries
        self.leaks: list[str] = []
        self.answers: Counter[str] = Counter()
        self.got = 0

    def look(self, where: str, data: bytes, sent: bytes = b"") -> None:
        """Look for canaries in what came back; what she has sent herself does not count."""
        self.got += len(data)
        once = unquote_to_bytes(sent)
        known = {canary for text in (sent, once, unquote_to_bytes(once)) for canary in self.canaries.find(text)}
        found = [canary for canary in self.canaries.find(data) if canary not in known]
        if found:
            self.leaks.append(f"{where}: {found} in {data[:300]!r}")

    def raw(self, request: bytes, where: str = "") -> bytes:
        """Send bytes, read what comes."""
        answer = b""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S) as door:
                door.sendall(request)
                while len(answer) < ANSWER_BYTES and (piece := door.recv(65_536)):
                    answer += piece
                    if b"text/event-stream" in answer[:2000]:
                        door.settimeout(QUIET_S)
        except OSError as fault:
            if not answer:
                self.answers[type(fault).__name__] += 1
        self.answers[answer[9:12].decode("latin-1") or "nothing"] += 1
        self.look(where or repr(request[:200]), answer, request)
        return answer

    def http(
        self, method: str, target: str, *, token: str | None = "", body: bytes = b"", headers: Sequence[str] = ()
    ) -> tuple[int, bytes]:
        """One request whose target is sent as it is; ``token=None`` shows none."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Connection: close"]
        if token is not None:
            lines.append(f"Authorization: Bearer {token or self.token}")
        if body:
            lines += [f"Content-Length: {len(body)}", "Content-Type: application/json"]
        request = "\r\n".join([*lines, *headers, "", ""]).encode("utf-8", "surrogateescape") + body
        answer = self.raw(request, f"{method} {target}")
        head, _, content = answer.partition(b"\r\n\r\n")
        status = head[9:12]
        return int(status) if status.isdigit() else 0, content

    def warp(self, frames: Sequence[str], *, path: str = "/", token: str | None = "") -> bytes:
        """Frames of WARP over one connection; gives all that came back, until a lane of her own is answered behind them."""
        got = b""
        mine = '"/person/eve",lane:figures'
        frames = [*([f'@auth{{token:"{token or self.token}"}}'] if token is not None else []), *frames]
        try:
            with connect(
                f"ws://127.0.0.1:{self.port}{path}",
                subprotocols=[Subprotocol("warp0")],
                open_timeout=WAIT_S,
                close_timeout=1,
            ) as door:
                for frame in [*frames, f"@sync(node:{mine})"]:
                    door.send(frame)
                with contextlib.suppress(TimeoutError):
                    while len(got) < ANSWER_BYTES and not (got.rstrip().endswith(f"synced(node:{mine})".encode())):
                        piece = door.recv(timeout=WAIT_S)
                        got += piece.encode() if isinstance(piece, str) else piece
                        got += b"\n"
        except (WebSocketException, OSError, EOFError) as fault:
            self.answers[type(fault).__name__] += 1
        self.answers["warp"] += 1
        self.look(f"WARP {frames}", got, "\n".join(frames).encode())
        return got

    def socket(self, target: str, *, token: str | None = "", messages: Sequence[str | bytes] = ()) -> bytes:
        """A WebSocket of an application; gives what came back."""
        got = b""
        headers = {} if token is None else {"Authorization": f"Bearer {token or self.token}"}
        try:
            with connect(
                f"ws://127.0.0.1:{self.port}{target}", additional_headers=headers, open_timeout=WAIT_S, close_timeout=1
            ) as door:
                for message in messages:
                    door.send(message)
                with contextlib.suppress(TimeoutError):
                    while True:
                        piece = door.recv(timeout=QUIET_S)
                        got += piece.encode() if isinstance(piece, str) else piece
        except (WebSocketException, OSError, EOFError, ValueError) as fault:
            got += str(fault).encode()
        self.answers["socket"] += 1
        self.look(
            f"socket {target}",
            got,
            target.encode() + b"".join(m.encode() if isinstance(m, str) else m for m in messages),
        )
        return got

    def ask(
        self, about: str, text: str, *, grant: str = "", style: str = "quote", wait_s: float = 4.0
    ) -> dict[str, object]:
        """Ask another person by her own question agent; gives answer, state and refusal."""
        node = f"/person/eve/question/q{os.urandom(6).hex()}"
        body = json.dumps({"text": text, "about": about, "grant": grant, "style": style}).encode()
        status, content = self.http("POST", f"{node}?lane=ask", body=body)
        found: dict[str, object] = {"status": status, "content": content}
        limit = time.monotonic() + wait_s
        while time.monotonic() < limit and status == 200:
            found["state"] = json.loads(self.http("GET", f"{node}?lane=state")[1] or b"null")
            if found["state"] in {"answered", "refused"}:
                break
            time.sleep(0.1)
        for lane in ("answer", "refusal"):
            content = self.http("GET", f"{node}?lane={lane}")[1]
            found[lane] = content
            self.look(f"ask {about!r} {text!r} by {grant[:20]!r}: {lane}", content, text.encode())
        return found


def spellings(person: str, node: str) -> Iterator[str]:
    """The same node written in other ways, and ways around it."""
    first = f"%{ord(person[0]):02x}{person[1:]}"
    rest = node.removeprefix(f"/person/{person}")
    yield node
    yield f"/person/{first}{rest}"
    yield f"/person/{''.join(f'%{ord(letter):02X}' for letter in person)}{rest}"
    yield f"/person/{quote(first)}{rest}"
    yield quote(node, safe="")
    yield f"/{quote(node, safe='')}"
    yield f"/{node}"
    yield f"{node}/"
    yield f"/person/eve/..{node.removeprefix('/person')}"
    yield f"/person/eve/../..{node}"
    yield f"/person/eve/%2e%2e/%2e%2e{node}"
    yield f"/person/eve%2f..%2f{person}{rest}"
    yield f"/person/eve/stream/x/../../../{person}{rest}"
    yield f"/person/eve/./../{person}{rest}"
    yield f"/person/eve\\..\\{person}{rest}"
    yield f"/person/eve;/../{person}{rest}"
    yield f"/person/eve/?x=/../{person}{rest}"
    yield f"/person/eve#/../../{person}{rest}"
    yield f"{node}%00"
    yield f"{node};eve"
    yield f"{node}%3Feve"
    yield f"/person/{person.upper()}{rest}"
    yield f"/person/{''.join(chr(ord(letter) + 0xFEE0) for letter in person)}{rest}"
    yield f"/person/ev%65/..%2f{person}{rest}"
    yield f"//127.0.0.1{node}"
    yield f"http://127.0.0.1{node}"
    yield f"warp://127.0.0.1{node}"
    yield f"http://eve@127.0.0.1{node}"
    yield f"/capture/..{node}"
    yield f"/-/..{node}"
    yield f"/-/nodes/..%2f{node}"
