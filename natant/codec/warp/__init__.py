"""WARP, the protocol of links: envelopes in :mod:`natant.codec.warp.envelope`, changes of maps and lists in
:mod:`natant.codec.warp.operation`.

    >>> from natant.codec import warp
    >>> message = warp.decode('@command(node:"/vehicle/7",lane:report){lat:59.3}')
    >>> message.tag, message.node, message.lane, message.body
    ('command', '/vehicle/7', 'report', Record([Slot('lat', 59.3)]))
"""

from natant.codec.warp.envelope import HOST_TAGS, NODE_TAGS, Envelope, decode, encode, header, join

__all__ = ["HOST_TAGS", "NODE_TAGS", "Envelope", "decode", "encode", "header", "join"]
