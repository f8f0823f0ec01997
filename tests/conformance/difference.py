"""Where natant answers otherwise than the captured server, on purpose: what is missing, what comes instead, and why.

The reference for "why" is what the captured server gets wrong or leaves open; each entry is held to happen exactly so, and one
that does not happen any more fails the test.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from tests.conformance.replay import Answer

__all__ = ["DIFFERENCES", "PREPARED", "REPEATING", "Difference"]


class Difference(NamedTuple):
    """One expected difference.

    :ivar scenario: its name.
    :ivar sent: a client frame of the exchange, after its connection where that is not the first.
    :ivar missing: answers of the captured server that natant does not give.
    :ivar instead: answers of natant that the captured server does not give.
    :ivar reason: why.
    """

    scenario: str
    sent: str
    missing: tuple[Answer, ...]
    instead: tuple[Answer, ...]
    reason: str


#: what the agents of a scenario were told before it began
PREPARED: Final[dict[str, tuple[str, ...]]] = {
    "value.link_with_state": ('@command(node:"/unit/v4",lane:info){temp:21.5,ok:true}',),
    "nodeuri.06": ('@command(node:"/unit/1",lane:info) 1',),
    "join.value": ('@command(node:"/zoo/jx",lane:value)"x0"',),
}

#: where an answer may come once or twice, as the first value of a joined lane races with the sync
REPEATING: Final = frozenset({"join.value"})


def _text(text: str, connection: str = "a") -> Answer:
    return (connection, "text", text)


def _event(node: str, lane: str, body: str, connection: str = "a") -> Answer:
    return _text(f'@event(node:"{node}",lane:{lane}){body}', connection)


_TYPED = "a value that does not fit the lane's type is dropped and logged; the captured server stores anything"
_QUOTED = 'the texts "true" and "false" are quoted, or they would come back as bools'
_MARKUP = "markup is never written: Rust peers cannot read it; braces mean the same"
_EXPRESSION = (
    "the expression language of Recon is no part of the wire; a message that cannot be read ends the connection"
)
_CLEAR = (
    "a lane that lost entries sends @clear first in a sync, as clients keep their maps and lists across a reconnect"
)
_KEYED = "a removal names the key of the element, also where the command did not, so that others can follow"
_WRITTEN = "a command through a join goes on to the joined lane; the captured server sets it to nothing"
_REPLY = "each link that fails is answered; the captured server is silent until the client unlinks"
_HARNESS = "the capture sent this into a connection that had ended; here a new one is opened"
_UNMASKED = "RFC 6455 5.1: a server closes a connection on an unmasked frame"
_SIZE = "messages of more than 16 MiB are refused with close 1009"
_HOST = "a name of the server that is not allowed on loopback is refused with 421, against DNS rebinding"
_NO_KEY = "an upgrade without its key is a bad request (RFC 6455 4.2.2), not something that is not there"
_GARBAGE = "what is no HTTP is answered with 400 before the connection ends"

_ECHOES: Final = (
    ("r44", '"true"', " true", '"true"', _QUOTED),
    ("r136", "[a @b c]", "[a @b c]", '{"a ",@b," c"}', _MARKUP),
    ("r144", "[x@y(1)z]", "[x@y(1)z]", "{x,@y(1),z}", _MARKUP),
)
_EXPRESSIONS: Final = (
    ("r166", " $a.b", "$a.b"),
    ("r168", " (1+2)", "1 + 2"),
    ("r170", " -a", "-a"),
    ("r174", " $foo", "$foo"),
    ("r176", " *", ""),
    ("r190", " a%b", "a % b"),
)
_REQUESTS: Final = (
    ("handshake.no_key", "GET /", "404", "400", _NO_KEY),
    ("http.get_root", "GET /", "404", "421", _HOST),
    ("http.get_node", "GET /unit/h1", "404", "421", _HOST),
    ("http.get_lane_value", "GET /zoo/h2?lane=value", "404", "421", _HOST),
    ("http.get_lane_unknown", "GET /zoo/h3?lane=nope", "", "421", _HOST),
    ("http.get_lane_unknown", "GET /nope/h3?lane=http", "404", "421", _HOST),
    ("http.garbage", "NOT HTTP", "", "400", _GARBAGE),
)

_SYNC_MAP: Final = '@sync(node:"/zoo/m1",lane:map)'

DIFFERENCES: Final[tuple[Difference, ...]] = (
    *(
        Difference(
            "value.typed_string_lane",
            f'@command(node:"/zoo/t1",lane:typed){body}',
            (_event("/zoo/t1", "typed", body),),
            (),
            _TYPED,
        )
        for body in (" 42", "{a:1}")
    ),
    *(
        Difference(
            "recon.echo_value_lane",
            f'@command(node:"/unit/{unit}",lane:info){body}',
            (_event(f"/unit/{unit}", "info", theirs),),
            (_event(f"/unit/{unit}", "info", ours),),
            reason,
        )
        for unit, body, theirs, ours, reason in _ECHOES
    ),
    *(
        Difference(
            "recon.echo_value_lane",
            f'@command(node:"/unit/{unit}",lane:info){body}',
            (_event(f"/unit/{unit}", "info", theirs),),
            (("a", "eof", ""),),
            _EXPRESSION,
        )
        for unit, body, theirs in _EXPRESSIONS
    ),
    *(
        Difference(
            "map.commands", f"{connection} {_SYNC_MAP}", (), (_event("/zoo/m1", "map", "@clear", connection),), _CLEAR
        )
        for connection in "cde"
    ),
    Difference(
        "list.commands",
        'b @sync(node:"/zoo/l1",lane:list)',
        (),
        (_event("/zoo/l1", "list", "@clear", "b"),),
        _CLEAR,
    ),
    Difference(
        "list.commands",
        '@command(node:"/zoo/l1",lane:list)@remove(index:1)',
        (_event("/zoo/l1", "list", "@remove(index:1,key:)"),),
        (_event("/zoo/l1", "list", "@remove(index:1,key:%*)"),),
        _KEYED,
    ),
    Difference(
        "join.value",
        '@command(node:"/join/1",lane:joinValue)@update(key:x)"pushed"',
        (
            _event("/join/1", "joinValue", "@update(key:x)"),
            _event("/join/1", "joinValue", "@update(key:x)", "b"),
        ),
        (),
        _WRITTEN,
    ),
    Difference(
        "join.value",
        'c @sync(node:"/zoo/jx",lane:value)',
        (_event("/zoo/jx", "value", "", "c"),),
        (_event("/zoo/jx", "value", " pushed", "c"),),
        _WRITTEN,
    ),
    Difference(
        "error.unknown_node",
        '@unlink(node:"/nope/1",lane:info)',
        (),
        (_text('@unlinked(node:"/nope/1",lane:info)@nodeNotFound'),),
        _REPLY,
    ),
    Difference(
        "error.unknown_lane",
        '@sync(node:"/unit/e1",lane:info)',
        (),
        (_text('@unlinked(node:"/unit/e1",lane:nope)@laneNotFound'),),
        _REPLY,
    ),
    Difference(
        "error.invalid_utf8",
        '@sync(node:"/unit/e5",lane:info)',
        (),
        (
            _text('@linked(node:"/unit/e5",lane:info)'),
            _event("/unit/e5", "info", ""),
            _text('@synced(node:"/unit/e5",lane:info)'),
        ),
        _HARNESS,
    ),
    Difference(
        "frame.unmasked",
        '@sync(node:"/unit/f4",lane:info)',
        (
            _text('@linked(node:"/unit/f4",lane:info)'),
            _event("/unit/f4", "info", ""),
            _text('@synced(node:"/unit/f4",lane:info)'),
        ),
        (("a", "eof", ""),),
        _UNMASKED,
    ),
    Difference(
        "frame.large_20MB",
        '@command(node:"/unit/f6",lane:info)"x..."',
        (_event("/unit/f6", "info", " x*"),),
        (("a", "eof", ""),),
        _SIZE,
    ),
    *(
        Difference(scenario, sent, (("a", "http", theirs),), (("a", "http", ours),), reason)
        for scenario, sent, theirs, ours, reason in _REQUESTS
    ),
)
