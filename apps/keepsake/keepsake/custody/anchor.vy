# pragma version ^0.4.0
# @license Apache-2.0
"""
@title Anchors of Keepsake's logs: sizes and roots that nobody can take back, and proofs against them.
@notice A log is named by the SHA-256 of the key that signs it.  Whoever anchors a log first is the only one who may go on with it.
"""

MAX_PATH: constant(uint256) = 64

event Anchored:
    origin: indexed(bytes32)
    size: uint64
    root: bytes32

keeper: public(HashMap[bytes32, address])
latest: public(HashMap[bytes32, uint64])
root: public(HashMap[bytes32, HashMap[uint64, bytes32]])
time: public(HashMap[bytes32, HashMap[uint64, uint256]])

@external
def anchor(origin: bytes32, size: uint64, root: bytes32):
    """
    @notice Note that a log has this root at this size; a log only grows.
    """
    if self.keeper[origin] == empty(address):
        self.keeper[origin] = msg.sender
    assert self.keeper[origin] == msg.sender, "not the keeper of this log"
    assert size > self.latest[origin], "a log only grows"
    self.latest[origin] = size
    self.root[origin][size] = root
    self.time[origin][size] = block.timestamp
    log Anchored(origin=origin, size=size, root=root)

@external
@view
def verify(origin: bytes32, size: uint64, index: uint64, leaf: bytes32, path: DynArray[bytes32, MAX_PATH]) -> bool:
    """
    @notice Whether a leaf is at an index of a log at an anchored size (RFC 9162, 2.1.3.2).
    """
    expected: bytes32 = self.root[origin][size]
    if expected == empty(bytes32) or index >= size:
        return False
    first: uint64 = index
    last: uint64 = size - 1
    found: bytes32 = leaf
    for sibling: bytes32 in path:
        if last == 0:
            return False
        if first % 2 == 1 or first == last:
            found = sha256(concat(0x01, sibling, found))
            for step: uint256 in range(64):
                if first % 2 == 1 or first == 0:
                    break
                first = first // 2
                last = last // 2
        else:
            found = sha256(concat(0x01, found, sibling))
        first = first // 2
        last = last // 2
    return last == 0 and found == expected
