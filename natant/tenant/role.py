"""What the users of a tenant may do: six roles, each with a signing key of its own in the tenant's account.

A user's token carries a name and nothing else; what its role may do stands in the account, as the template of the key that signed the
token.  So a user cannot be given more by its token, and a template that changes, changes for all.

==========  ============================================================  ======================================================
role        over NATS                                                     at the WebSocket and HTTP doors
==========  ============================================================  ======================================================
engine      everything in the account: what a worker of a plane needs     everything
writer      commands and reads all agents, follows all events             the same
reader      reads all agents, follows all events                          the same
owner       all of this, with agents whose second part is the user's      the same
            name: ``/vehicle/7`` for the user ``7``
device      as ``owner``, over MQTT only; the token alone is enough       nothing
edge        forwards to the hub and copies from it, as a leaf node        nothing
==========  ============================================================  ======================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

__all__ = ["ROLES", "Role"]

#: verbs of the subjects ``natant.<plane>.in.<verb>.<lane>.<node>`` that change nothing
READ_VERBS: Final = ("get", "follow", "describe")
#: verbs at the doors, as a policy knows them
_LOOK: Final = frozenset({"link", "sync", "read", "open", "describe"})
#: subscriptions that a user's connection may have
USER_SUBSCRIPTIONS: Final = 1_000
#: bytes of a message that a user may send
USER_PAYLOAD: Final = 1 << 20
#: what belongs to each user alone: replies; clients set their inbox prefix to it
_INBOX: Final = "_INBOX.{{name()}}.>"


@dataclass(frozen=True, slots=True)
class Role:
    """What holders of tokens of one signing key may do.

    :ivar verbs: what they may do at the doors: ``link``, ``sync``, ``read``, ``open``, ``describe``, ``command``; none: the doors are shut.
    :ivar is_own: only with agents whose second part is the user's name.
    """

    name: str
    verbs: frozenset[str]
    is_own: bool = False

    def may(self, user: str, verb: str, node: str) -> bool:
        """The policy of the doors."""
        if verb not in self.verbs:
            return False
        return not self.is_own or node.split("/")[2:3] == [user]

    def template(self) -> dict[str, Any]:
        """The permissions of NATS, as a scoped signing key has them.

        A server checks a publisher against the subject that a mapping has made of it, so both spellings are allowed.
        """
        if self.name == "engine":
            return {"pub": {"allow": [">"]}, "sub": {"allow": [">"]}, "subs": -1, "data": -1, "payload": -1}
        if self.name == "edge":
            # what passes between edges and their hub has a root of its own: natant/edge/name.py
            return {
                "pub": {"allow": [f"natant-edge.*.{verb}.{{{{name()}}}}" for verb in ("in", "new", "ask")]},
                "sub": {"allow": ["natant-edge.*.ack.{{name()}}.>"]},
                "subs": -1,
                "data": -1,
                "payload": USER_PAYLOAD,
                "allowed_connection_types": ["LEAFNODE"],
            }
        verbs = [*READ_VERBS, "command"] if self.is_own or "command" in self.verbs else READ_VERBS
        tails = ["*.*.{{name()}}", "*.*.{{name()}}.>"] if self.is_own else [">"]
        publish = [f"natant.*.{way}.{verb}.{tail}" for way in ("in", "at.*") for verb in verbs for tail in tails]
        publish.append("natant.*.in.health")
        if not self.is_own:  # a list names the agents of others
            publish.append("natant.*.in.list")
        follow = ["natant.*.ev.*.*.{{name()}}", "natant.*.ev.*.*.{{name()}}.>"] if self.is_own else ["natant.*.ev.>"]
        found: dict[str, Any] = {
            "pub": {"allow": publish},
            "sub": {"allow": [_INBOX, *follow]},
            "subs": USER_SUBSCRIPTIONS,
            "data": -1,
            "payload": USER_PAYLOAD,
        }
        if self.name == "device":
            # MQTT has no nonce to sign, so the token itself is what a device shows; QoS 1 comes by $MQTT.sub
            found["sub"]["allow"].append("$MQTT.sub.>")
            found["bearer_token"] = True
            found["allowed_connection_types"] = ["MQTT"]
        return found


ROLES: Final = {
    role.name: role
    for role in (
        Role("engine", _LOOK | {"command"}),
        Role("writer", _LOOK | {"command"}),
        Role("reader", _LOOK),
        Role("owner", _LOOK | {"command"}, is_own=True),
        Role("device", frozenset(), is_own=True),
        Role("edge", frozenset(), is_own=True),
    )
}
