"""Recon, the text notation of WARP: values in :mod:`natant.codec.recon.value`, reading, writing and their order.

>>> from natant.codec import recon
>>> recon.decode("@fix(7){lat:59.3}")
Record([Attr('fix', 7), Slot('lat', 59.3)])
>>> recon.encode({"lat": 59.3, "tags": ["a", "b c"]})
'{lat:59.3,tags:{a,"b c"}}'
"""

from natant.codec.recon.check import check
from natant.codec.recon.limit import DEFAULT_LIMITS, Limits
from natant.codec.recon.order import compare, sort_key
from natant.codec.recon.parse import decode, decode_block, decode_body
from natant.codec.recon.value import (
    Absent,
    AbsentType,
    Attr,
    Extant,
    ExtantType,
    Item,
    Record,
    Slot,
    UInt32,
    UInt64,
    Value,
)
from natant.codec.recon.writer import encode, encode_block, encode_body, encode_pair

__all__ = [
    "DEFAULT_LIMITS",
    "Absent",
    "AbsentType",
    "Attr",
    "Extant",
    "ExtantType",
    "Item",
    "Limits",
    "Record",
    "Slot",
    "UInt32",
    "UInt64",
    "Value",
    "check",
    "compare",
    "decode",
    "decode_block",
    "decode_body",
    "encode",
    "encode_block",
    "encode_body",
    "encode_pair",
    "sort_key",
]
