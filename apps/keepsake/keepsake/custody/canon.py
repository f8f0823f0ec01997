"""Canonical JSON: one text for one value, so that a hash of it means the value (RFC 8785)."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Final

from keepsake.errors import KeepsakeError

__all__ = ["encode"]

#: integers that every reader of JSON understands exactly (RFC 7493)
INTEGER_LIMIT: Final = 2**53 - 1

#: how deep lists and objects may lie in each other
DEPTH_LIMIT: Final = 32

#: from which power of ten a number is written with an exponent (ECMAScript, Number::toString)
EXPONENT_FROM: Final = 21
EXPONENT_BELOW: Final = -6


def _refused(what: str) -> KeepsakeError:
    return KeepsakeError(
        "KS-CUSTODY-001", f"{what}; a record takes text, numbers, true, false, null, lists and objects"
    )


def _number(value: float) -> str:
    """As ECMAScript writes it: the shortest digits that read back as the same number."""
    if not math.isfinite(value):
        raise _refused(f"{value} has no canonical form in JSON")
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    point = len(text) + exponent
    if len(text) <= point <= EXPONENT_FROM:
        written = text + "0" * (point - len(text))
    elif 0 < point <= EXPONENT_FROM:
        written = f"{text[:point]}.{text[point:]}"
    elif EXPONENT_BELOW < point <= 0:
        written = f"0.{'0' * -point}{text}"
    else:
        fraction = f".{text[1:]}" if len(text) > 1 else ""
        written = f"{text[0]}{fraction}e{point - 1:+d}"
    return "-" * sign + written


def _text(value: object, depth: int) -> str:
    if depth > DEPTH_LIMIT:
        raise _refused(f"lists and objects lie more than {DEPTH_LIMIT} deep in each other")
    if value is None or isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        if abs(value) > INTEGER_LIMIT:
            raise _refused(f"{value} is beyond 2**53 and would be read as another number")
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(_text(item, depth + 1) for item in value)}]"
    if isinstance(value, dict):
        if not all(isinstance(name, str) for name in value):
            raise _refused("a name in an object is no text")
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return f"{{{','.join(f'{_text(name, depth)}:{_text(value[name], depth + 1)}' for name in names)}}}"
    raise _refused(f"a {type(value).__name__} cannot be written")


def encode(value: object) -> bytes:
    """The canonical form of a value, in UTF-8.

    :raises KeepsakeError: ``KS-CUSTODY-001`` for what JSON cannot say: NaN, large integers, half of a surrogate pair, other types.
    """
    try:
        return _text(value, 0).encode()
    except UnicodeEncodeError:
        raise _refused("a text holds half of a surrogate pair") from None
