# cython: annotation_typing=False, boundscheck=False, wraparound=False
"""WARP envelopes: the messages of the protocol (reference, section 2.2).

    @command(node:"/vehicle/7",lane:report){lat:59.3,lng:18.1}

Reading goes one of two ways with the same result. What every client sends, ``@tag(node:"…",lane:…)``, is cut apart without
building a record; anything else the grammar allows (slots in another order, without names, unknown ones, blanks, comments)
goes through the Recon reader. Either way the body stays a part of the message's text until :attr:`Envelope.body` or
:attr:`Envelope.body_text` is asked for.

Called by the sessions and channels of :mod:`natant.link`, once for every message: a hot module, compiled where that is
possible; types for Cython are in ``envelope.pxd``.
"""

from __future__ import annotations

from typing import Any, Final

from natant.codec.recon import raw
from natant.codec.recon.limit import DEFAULT_LIMITS
from natant.codec.recon.parse import decode_body, read_body
from natant.codec.recon.reader import Reader
from natant.codec.recon.value import Record, Slot
from natant.codec.recon.writer import encode as encode_value
from natant.codec.uri import check_node
from natant.errors import CodecError, WarpError

__all__ = ["HOST_TAGS", "NODE_TAGS", "Envelope", "decode", "encode", "header", "join"]

#: tags of envelopes that name a node and a lane
NODE_TAGS: Final = frozenset(("command", "event", "link", "linked", "sync", "synced", "unlink", "unlinked"))
#: tags of envelopes for the whole host
HOST_TAGS: Final = frozenset(("auth", "authed", "deauth", "deauthed"))

_PLACES: Final = ("node", "lane")
_IS_COMPILED: Final = not __file__.endswith(".py")


class Envelope:
    """One message.

    :ivar tag: ``link``, ``sync``, ``unlink``, ``command``, ``linked``, ``synced``, ``unlinked``, ``event``, ``auth``,
        ``authed``, ``deauth`` or ``deauthed``.
    :ivar node: URI of the node as it was written; None for the tags of the host.
    :ivar lane: URI of the lane; None for the tags of the host.
    :ivar prio: priority, 0.0 where none was given.
    :ivar rate: most events a second, 0.0 where none was given.
    """

    __slots__ = ("_body", "_start", "_text", "lane", "node", "prio", "rate", "tag")

    def __init__(
        self, tag: str, node: str | None, lane: str | None, body_text: str = "", prio: float = 0.0, rate: float = 0.0
    ) -> None:
        self.tag = tag
        self.node = node
        self.lane = lane
        self._text = body_text
        self._start = 0
        self.prio = prio
        self.rate = rate
        self._body: Any = None

    @property
    def body(self) -> Any:
        """The body as a value, Absent where there is none.

        :raises CodecError: where the body is no Recon (``NT-RECON``).
        """
        body = self._body
        if body is None:
            try:
                body = read_body(self._text, self._start, DEFAULT_LIMITS)
            except CodecError:
                body = decode_body(self.body_text)  # raises as well, with lines and columns of the body
            self._body = body
        return body

    @property
    def body_text(self) -> str:
        """The body as it was written, not yet checked."""
        return self._text[self._start :]

    def __repr__(self) -> str:
        return f"Envelope({join(_head(self), self.body_text)})"


def _head(envelope: Envelope) -> str:
    if envelope.node is None or envelope.lane is None:
        return "@" + envelope.tag
    return header(envelope.tag, envelope.node, envelope.lane, envelope.prio, envelope.rate)


def decode(payload: bytes | str) -> Envelope:
    """Read one message.

    :raises WarpError: ``NT-WARP-001`` where it is no envelope, ``NT-WARP-002`` for an unknown tag, ``NT-WARP-003`` where node or
        lane is missing, ``NT-WARP-004`` for a node that is no URI, ``NT-WARP-005`` for bytes that are no UTF-8.
    """
    if isinstance(payload, str):
        text = payload
    else:
        try:
            data = payload if type(payload) is bytes else bytes(payload)
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise WarpError(
                "NT-WARP-005", f"byte {error.start} of the message is not valid UTF-8; WARP messages are UTF-8 text"
            ) from None
    return _decode_common(text) or _decode_any(text)


def _decode_common(text: str) -> Envelope | None:
    """Cut ``@tag(node:"…",lane:…)`` apart; None for any other form, right or wrong."""
    opening = text.find("(", 0, 10)
    if opening < 0 or not text.startswith('(node:"', opening) or text[0] != "@" or not raw.is_narrow(text):
        return None
    tag = raw.word(text, 1, opening)
    if tag not in NODE_TAGS:
        return None
    start = opening + 7
    stop = raw.quote_end(text, start)
    if stop < 0 or not text.startswith('",lane:', stop):
        return None
    first = stop + 7
    last = raw.word_end(text, first)
    if last > first:
        if text[first] in "0123456789-":
            return None
        lane = raw.word(text, first, last)
    else:
        if first >= len(text) or text[first] != '"':
            return None
        first += 1
        last = raw.quote_end(text, first)
        if last < 0:
            return None
        lane = text[first:last]
        last += 1
    if last >= len(text) or text[last] != ")":
        return None
    node = text[start:stop]
    if not (_IS_COMPILED and _is_plain(node)):
        check_node(node)
    envelope = Envelope.__new__(Envelope)  # faster than calling the class
    envelope.tag = tag
    envelope.node = node
    envelope.lane = lane
    envelope._text = text
    envelope._start = last + 1
    envelope.prio = 0.0
    envelope.rate = 0.0
    envelope._body = None
    return envelope


def _is_plain(node: str) -> bool:
    """True where ``node`` is a path that needs no closer look; what :func:`check_node` finds by a regular expression."""
    chars = raw.chars(node)
    end = len(node)
    i = 0
    is_after_slash = False
    while i < end:
        c = chars[i]
        if c == "/" or c == ".":
            if is_after_slash:
                return False
            is_after_slash = c == "/"
        elif c in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_~!$&'()*+,;=:@":
            is_after_slash = False
        else:
            return False
        i += 1
    return end > 0 and chars[0] == "/" and not is_after_slash


def _decode_any(text: str) -> Envelope:
    """Read the header with the Recon reader."""
    try:
        reader = Reader.__new__(Reader)
        reader.open(text, 0, DEFAULT_LIMITS)
        reader.whites()
        if reader.pos >= reader.end or text[reader.pos] != "@":
            raise _no_envelope(text)
        attribute = reader.attribute()
    except CodecError as error:
        raise WarpError("NT-WARP-001", f"the message is no envelope: {error.message}") from error
    tag = attribute.name
    body = text[reader.pos :]
    if tag in HOST_TAGS:
        return Envelope(tag, None, None, body)
    if tag not in NODE_TAGS:
        known = ", ".join(sorted(NODE_TAGS | HOST_TAGS))
        raise WarpError("NT-WARP-002", f'"@{tag}" is no WARP message; the tags are {known}')
    found: dict[Any, Any] = {}
    value = attribute.value
    items = value.items if isinstance(value, Record) else (value,)
    for place, item in enumerate(items):
        if isinstance(item, Slot):
            found[item.key] = item.value
        elif place < 2:
            found[_PLACES[place]] = item
    node = _uri_text(found.get("node"))
    lane = _uri_text(found.get("lane"))
    if node is None or lane is None:
        missing = "node" if node is None else "lane"
        raise WarpError(
            "NT-WARP-003", f'@{tag} names no {missing}; it begins like @{tag}(node:"/vehicle/7",lane:position)'
        )
    check_node(node)
    return Envelope(tag, node, lane, body, _number(found.get("prio")), _number(found.get("rate")))


def _no_envelope(text: str) -> WarpError:
    shown = repr(text[:40]) + ("…" if len(text) > 40 else "") if text else "an empty message"
    return WarpError("NT-WARP-001", f'{shown} is no envelope; one begins like @link(node:"/vehicle/7",lane:position)')


def _uri_text(value: Any) -> str | None:
    """The text of a header's slot: text itself, or a number or bool as it is written."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        return encode_value(value)
    return None


def _number(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300:
        return float(value)
    return 0.0


def header(tag: str, node: str, lane: str, prio: float = 0.0, rate: float = 0.0) -> str:
    """The part of an envelope before its body; the same for all events of a link, so worth keeping."""
    text = f"@{tag}(node:{encode_value(node)},lane:{encode_value(lane)}"
    if prio:
        text += ",prio:" + encode_value(float(prio))
    if rate:
        text += ",rate:" + encode_value(float(rate))
    return text + ")"


def join(head: str, body_text: str) -> str:
    """An envelope of a header and the text of a body, with a blank between them where the body is a bare word or number."""
    if not body_text:
        return head
    c = body_text[0]
    if c == "{" or c == "@" or c == '"' or c == "%" or c == "[" or c == " ":
        return head + body_text
    return head + " " + body_text


def encode(
    tag: str, node: str | None, lane: str | None, body_text: str = "", prio: float = 0.0, rate: float = 0.0
) -> str:
    """Print an envelope.

    :param node: None for the tags of the host.
    :param body_text: as :func:`~natant.codec.recon.encode_body` or :mod:`~natant.codec.warp.operation` gives it.
    """
    if node is None or lane is None:
        return join("@" + tag, body_text)
    return join(header(tag, node, lane, prio, rate), body_text)
