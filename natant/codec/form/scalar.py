"""The plans of None, bool, int, float, str and bytes.

Numbers widen where nothing is lost: an int is taken where float is declared (the wire prints ``1.0`` as ``1``), an integral
float where int is declared.  Text is never made from a number, nor a number from text.
"""

from __future__ import annotations

import operator
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from typing import Any

from natant.codec.form.error import misfit, unfit
from natant.codec.form.plan import Plan
from natant.codec.recon.limit import MAX_DIGITS
from natant.codec.recon.value import Absent, Extant

__all__ = ["boolean", "data", "integer", "nothing", "real", "text"]


def nothing() -> Plan:
    """None: Extant or Absent in Recon, null in JSON."""

    def decode(value: Any) -> None:
        if value is Extant or value is Absent or value is None:
            return
        raise misfit(value, "nothing")

    def encode(obj: Any) -> Any:
        if obj is None:
            return Extant
        raise unfit(obj, "None")

    def lower(obj: Any) -> None:
        if obj is not None:
            raise unfit(obj, "None")

    plan = Plan("None", "empty", (type(None),)).turn(decode, encode, decode, lower)
    plan.schema = lambda definitions: {"type": "null"}
    return plan


def boolean() -> Plan:
    """The truth values: ``true`` and ``false``."""

    def decode(value: Any) -> bool:
        if value is True or value is False:
            return value
        raise misfit(value, "bool")

    def encode(obj: Any) -> bool:
        if obj is True or obj is False:
            return obj
        if type(obj).__name__ in ("bool", "bool_"):  # NumPy's
            return bool(obj)
        raise unfit(obj, "bool")

    def parse(key: str) -> bool:
        if key in ("true", "false"):
            return key == "true"
        raise misfit(key, "bool, as true or false")

    plan = Plan("bool", "bool", (bool,)).turn(decode, encode)
    plan.exact_in = plan.exact_out = bool
    plan.key = (parse, lambda obj: "true" if encode(obj) else "false")
    plan.schema = lambda definitions: {"type": "boolean"}
    return plan


def integer() -> Plan:
    """Integers of any size; an integral float is taken too."""

    def decode(value: Any) -> int:
        if type(value) is int:
            return value
        if type(value) is float:
            if value.is_integer():
                return int(value)
        elif isinstance(value, int) and type(value) is not bool:  # UInt32, UInt64
            return int(value)
        raise misfit(value, "int")

    def encode(obj: Any) -> int:
        if type(obj) is int:
            return obj
        try:
            return int(operator.index(obj))  # bool, and NumPy's integers
        except TypeError:
            raise unfit(obj, "int") from None

    def parse(key: str) -> int:
        if key.removeprefix("-").isdecimal() and key.isascii() and len(key) <= MAX_DIGITS:
            return int(key)
        raise misfit(key, "int")

    plan = Plan("int", "int", (int,), "float").turn(decode, encode)
    plan.exact_in = plan.exact_out = int
    plan.key = (parse, lambda obj: str(encode(obj)))
    plan.schema = lambda definitions: {"type": "integer"}
    return plan


def real() -> Plan:
    """Floats: finite numbers only, because neither Recon nor JSON has any others; an int is taken too."""

    def decode(value: Any) -> float:
        if type(value) is float:
            return value
        if isinstance(value, int) and type(value) is not bool:
            try:
                return float(value)
            except OverflowError:
                pass
        raise misfit(value, "float")

    def encode(obj: Any) -> float:
        if type(obj) is float:
            if obj - obj == 0.0:
                return obj
        elif isinstance(obj, int | float):
            try:
                number = float(obj)
            except OverflowError:
                raise unfit(obj, "float") from None
            if number - number == 0.0:
                return number
        elif hasattr(obj, "__float__") and type(obj).__module__ == "numpy":
            return encode(float(obj))
        raise unfit(obj, "float, a finite one (for a missing number declare float | None)")

    def parse(key: str) -> float:
        try:
            number = float(key)
            if number - number == 0.0 and key[-1:].isdigit() and not key[0].isspace() and "_" not in key:
                return number
        except ValueError:
            pass
        raise misfit(key, "float")

    plan = Plan("float", "float", (float,), "int").turn(decode, encode)
    plan.exact_in = float
    plan.key = (parse, lambda obj: repr(encode(obj)))
    plan.schema = lambda definitions: {"type": "number"}
    return plan


def text() -> Plan:
    """Text.  A bool is taken from Recon, since Java and JavaScript peers print the text ``true`` without quotes."""

    def decode(value: Any) -> str:
        if type(value) is str:
            return value
        if value is True:
            return "true"
        if value is False:
            return "false"
        return lift(value)

    def lift(value: Any) -> str:
        if type(value) is str:
            return value
        raise misfit(value, "str")

    def encode(obj: Any) -> str:
        if type(obj) is str:
            return obj
        if isinstance(obj, str):
            return str.__str__(obj)
        raise unfit(obj, "str")

    plan = Plan("str", "text", (str,)).turn(decode, encode, lift, encode)
    plan.exact_in = plan.exact_out = str
    plan.key = (lift, encode)
    plan.schema = lambda definitions: {"type": "string"}
    return plan


def data() -> Plan:
    """Bytes: data in Recon (``%`` and base64), base64 text in JSON."""

    def decode(value: Any) -> bytes:
        if type(value) is bytes:
            return value
        raise misfit(value, "bytes")

    def encode(obj: Any) -> bytes:
        if type(obj) is bytes:
            return obj
        if isinstance(obj, bytes | bytearray | memoryview):
            return bytes(obj)
        raise unfit(obj, "bytes")

    def lift(value: Any) -> bytes:
        if type(value) is str:
            try:
                return b64decode(value, validate=True)
            except (Base64Error, ValueError):
                pass
        raise misfit(value, "bytes, as base64 text")

    def lower(obj: Any) -> str:
        return b64encode(encode(obj)).decode("ascii")

    plan = Plan("bytes", "data", (bytes,)).turn(decode, encode, lift, lower)
    plan.exact_in = plan.exact_out = bytes
    plan.key = (lift, lower)
    plan.schema = lambda definitions: {"type": "string", "contentEncoding": "base64"}
    return plan
