"""Reading a VALUE of the command line: JSON where it looks like JSON, else Recon.

It looks like JSON where it begins with ``{``, ``[`` or ``"``, or is a number, ``true``, ``false`` or ``null``.  What looks like JSON
and is none is tried as Recon, so ``{lat:59.3}`` works without quotes.  ``-`` is read from stdin.
"""

from __future__ import annotations

import re
import sys
from typing import Any, Final, NamedTuple

from natant.errors import ClientError, NatantError

__all__ = ["JSON_TYPE", "RECON_TYPE", "Sent", "read_value"]

JSON_TYPE: Final = "application/json"
RECON_TYPE: Final = "application/recon"
#: what stdin may hold
STDIN_LIMIT_BYTES: Final = 16 * 1024 * 1024

_SCALAR: Final = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?|true|false|null")


class Sent(NamedTuple):
    """A value as it goes over HTTP: its bytes and their media type."""

    body: bytes
    media: str

    def as_recon(self) -> Any:
        """The Recon value, for WARP."""
        from natant.codec import recon
        from natant.codec.form import any_from_json

        if not self.body:
            return recon.Absent
        return any_from_json(self.body) if self.media == JSON_TYPE else recon.decode_body(self.body.decode())


def read_value(text: str | None, notation: str | None = None) -> Sent:
    """The value that ``text`` writes.

    :param text: None for no value.
    :param notation: ``json`` or ``recon`` to force one.
    :raises ClientError: ``NT-CLI-007`` where it is neither.
    """
    if text is None:
        return Sent(b"", RECON_TYPE)
    if text == "-":
        text = _stdin()
    troubles: list[str] = []
    if notation == "json" or (notation is None and _looks_like_json(text)):
        trouble = _json_trouble(text)
        if trouble is None:
            return Sent(text.strip().encode(), JSON_TYPE)
        troubles.append(f"as JSON: {trouble}")
    if notation != "json":
        trouble = _recon_trouble(text)
        if trouble is None:
            return Sent(text.encode(), RECON_TYPE)
        troubles.append(f"as Recon: {trouble}")
    shown = text if len(text) <= 60 else text[:57] + "..."
    raise ClientError(
        "NT-CLI-007",
        f"the value {shown!r} cannot be read; {'; '.join(troubles)}. "
        f"""Write JSON ('{{"lat":59.3}}') or Recon ('{{lat:59.3}}'); text with blanks wants its own quotes ('"two words"').""",
    )


def _looks_like_json(text: str) -> bool:
    text = text.strip()
    return text[:1] in ("{", "[", '"') or _SCALAR.fullmatch(text) is not None


def _json_trouble(text: str) -> str | None:
    import msgspec

    try:
        msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        return str(error)
    return None


def _recon_trouble(text: str) -> str | None:
    from natant.codec import recon

    try:
        recon.decode_body(text)
        text.encode()
    except NatantError as error:
        return error.message
    except UnicodeEncodeError as error:
        return str(error)
    return None


def _stdin() -> str:
    data = sys.stdin.buffer.read(STDIN_LIMIT_BYTES + 1)
    if len(data) > STDIN_LIMIT_BYTES:
        raise ClientError("NT-CLI-007", f"stdin holds more than {STDIN_LIMIT_BYTES} bytes; a value takes at most that")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ClientError("NT-CLI-007", f"stdin is not UTF-8: {error}") from None
