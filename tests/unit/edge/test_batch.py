"""What is stored and forwarded, as bytes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from natant.codec.recon.value import Absent, Extant, Record
from natant.edge.batch import FORMAT, Bundle, Parcel, decode_bundle, decode_parcel, encode, of_send, to_send
from natant.edge.name import EdgeNames, check_name
from natant.errors import EdgeError
from natant.kernel.turn import Send
from natant.lane.base import to_value


def test_a_command_comes_out_as_it_went_in() -> None:
    send = Send("/depot/1", "take", to_value({"count": 3}), "hub:")
    bundle = Bundle(FORMAT, 7, [of_send(send)])
    parcel = decode_parcel(encode(Parcel(FORMAT, "ab", [(4, encode(bundle))])))

    assert (parcel.origin, parcel.bundles[0][0]) == ("ab", 4)
    again = decode_bundle(parcel.bundles[0][1])
    assert again.last == 7
    found = to_send(again.commands[0])
    assert (found.node, found.lane, found.body.get("count"), found.host) == ("/depot/1", "take", 3, None)


@pytest.mark.parametrize("body", [Extant, Absent, "", 7, 1.0, True, b"raw", Record([1, 2]), Record([])])
def test_a_body_stays_what_it_is(body: Any) -> None:
    found = to_send(decode_bundle(encode(Bundle(FORMAT, 1, [of_send(Send("/depot/1", "tick", body))]))).commands[0])

    assert (type(found.body), found.body) == (type(body), body)


@pytest.mark.parametrize(
    ("decode", "data"),
    [
        (decode_bundle, b""),
        (decode_bundle, b"\xc1"),
        (decode_bundle, msgspec.msgpack.encode([1, "seven", []])),
        (decode_bundle, msgspec.msgpack.encode([9, 7, []])),
        (decode_parcel, b"rubbish"),
        (decode_parcel, msgspec.msgpack.encode([9, "ab", []])),
        (decode_parcel, msgspec.msgpack.encode([1, b"\xff", []])),
        (decode_parcel, msgspec.msgpack.encode([1, "", []])),
        (decode_parcel, msgspec.msgpack.encode([1, "a b", []])),
        (decode_parcel, msgspec.msgpack.encode([1, "a" * 65, []])),
        (decode_bundle, msgspec.msgpack.encode([1, 7, [[1, "take", b""]]])),
        (decode_bundle, msgspec.msgpack.encode([1, 7, [["/depot/1"]]])),
        (to_send, ("/depot/1", "take", b"{")),
        (to_send, ("/depot/1", "take", b"\xff")),
    ],
)
def test_what_cannot_be_read_says_so(decode: object, data: Any) -> None:
    with pytest.raises(EdgeError, match="NT-EDGE-005"):
        decode(data)  # type: ignore[operator]


def test_subjects_name_their_edge() -> None:
    names = EdgeNames("my plane")

    assert names.parcels("truck-7") == "natant-edge.my%20plane.in.truck-7"
    assert names.edge_of(names.parcels("truck-7")) == names.edge_of(names.questions("truck-7")) == "truck-7"
    assert names.bundles("00ff") == "natant-edge.my%20plane.keep.00ff"


@pytest.mark.parametrize("name", ["", "a.b", "a b", "*", ">", "-a", "a" * 65, "ä", "a\n"])
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(EdgeError, match="NT-EDGE-007"):
        check_name(name)
