"""Who may do what: a plane with an authenticator and a policy, ``natant run examples/guard/plane.py --volatile``."""

# part: plane
import hmac
from typing import Any

from natant import Agent, Identity, Plane, Record, Refusal, command, lane

#: token -> who holds it; a real plane asks its user store, or checks a signature
TOKENS = {"token-of-ann": "ann", "token-of-bob": "bob"}


class Diary(Agent, route="/diary/{owner}"):
    owner: str
    pages = lane.list(str)
    size = lane.value(int, default=0)

    @command
    def write(self, text: str) -> None:
        self.pages.append(text)
        self.size = len(self.pages)


def authenticate(credentials: Any, request_uri: str) -> Identity | Refusal:
    token = credentials.get("token") if isinstance(credentials, Record) else None
    for known, name in TOKENS.items():
        if isinstance(token, str) and hmac.compare_digest(token.encode(), known.encode()):
            return Identity(name)
    return Refusal()


def may(identity: Identity, verb: str, node: str, lane: str) -> bool:
    """Everybody may see how long a diary is; the rest is its owner's."""
    return node == f"/diary/{identity.name}" or (lane == "size" and verb != "command")


plane = Plane("diaries", [Diary], authenticator=authenticate, policy=may)
# end: plane
