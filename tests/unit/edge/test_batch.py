"""What is stored and forwarded, as bytes."""

from __future__ import annotations

import msgspec
import pytest

from natant.codec.recon.value import Extant
from natant.edge.batch import FORMAT, Bundle, Parcel, decode_bundle, decode_parcel, encode, to_send
from natant.edge.name import EdgeNames, check_name
from natant.errors import EdgeError
from natant.kernel.outbox import Outbox
from natant.kernel.turn import Send


def test_a_command_comes_out_as_it_went_in() -> None:
    send = Send("/depot/1", "take", {"count": 3}, "hub:")
    bundle = Bundle(FORMAT, 7, [Outbox.text(send)])
    parcel = decode_parcel(encode(Parcel(FORMAT, "ab", [(4, encode(bundle))])))

    assert (parcel.origin, parcel.bundles[0][0]) == ("ab", 4)
    again = decode_bundle(parcel.bundles[0][1])
    assert again.last == 7
    found = to_send(again.commands[0])
    assert (found.node, found.lane, found.body.get("count"), found.host) == ("/depot/1", "take", 3, None)


def test_a_command_without_a_body_stays_one() -> None:
    assert to_send(Outbox.text(Send("/depot/1", "tick", Extant, "hub:"))).body is Extant


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
        (to_send, b"{"),
        (to_send, b"7"),
        (to_send, b"{node:1,lane:take}"),
        (to_send, b'{node:"/depot/1"}'),
    ],
)
def test_what_cannot_be_read_says_so(decode: object, data: bytes) -> None:
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
