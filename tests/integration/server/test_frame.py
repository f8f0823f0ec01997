"""Frames on a real socket: what a WARP peer may send, and how the connection ends for what it may not."""

from __future__ import annotations

import pytest

from natant.server import Limit
from tests.support.serving import serving, until
from tests.support.wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Wire, frame

SYNC = '@sync(node:"/unit/1",lane:info)'
LINKED = '@linked(node:"/unit/1",lane:info)'
SYNCED = [LINKED, '@event(node:"/unit/1",lane:info)', '@synced(node:"/unit/1",lane:info)']
LATE = frame("late", CONTINUATION)
SMALL = Limit(sweep_s=0.02, close_timeout_s=1.0, frame_bytes=1000, large_bytes=400)


async def test_binary_messages_are_taken_as_text() -> None:
    async with serving() as server:
        wire = await Wire.open(server.port)
        await wire.send_bytes(frame(SYNC, BINARY))
        assert await wire.texts(3) == SYNCED
        await wire.close()


async def test_fragments_with_a_ping_between_them() -> None:
    async with serving() as server:
        wire = await Wire.open(server.port)
        await wire.send_bytes(
            frame(SYNC[:9], TEXT, is_final=False)
            + frame("", CONTINUATION, is_final=False)
            + frame("here?", PING)
            + frame(SYNC[9:20], CONTINUATION, is_final=False)
            + frame(SYNC[20:], CONTINUATION)
        )
        pong = await wire.receive()
        assert pong is not None
        assert (pong.op, pong.payload) == (PONG, b"here?")
        assert await wire.texts(3) == SYNCED
        await wire.close()


async def test_a_character_may_be_split_between_fragments() -> None:
    async with serving() as server:
        wire = await Wire.open(server.port)
        data = '@command(node:"/unit/1",lane:info)"é"'.encode()
        at = data.index(b"\xc3") + 1
        await wire.send_bytes(frame(data[:at], TEXT, is_final=False) + frame(data[at:], CONTINUATION) + frame(SYNC))
        assert '@event(node:"/unit/1",lane:info) é' in await wire.texts(3)
        await wire.close()


async def test_an_unasked_pong_is_ignored() -> None:
    async with serving() as server:
        wire = await Wire.open(server.port)
        await wire.send_bytes(frame("x", PONG) + frame(SYNC))
        assert await wire.texts(3) == SYNCED
        await wire.close()


@pytest.mark.parametrize("payload", [b"", b"\x03\xe8", b"\x03\xe8bye", b"\x0f\xa0own", b"\x03\xe9"])
async def test_a_close_frame_is_answered_1000(payload: bytes) -> None:
    async with serving() as server:
        wire = await Wire.open(server.port)
        await wire.send_bytes(frame(payload, CLOSE))
        close = await wire.receive()
        assert close is not None
        assert (close.op, close.code, close.reason) == (CLOSE, 1000, "")
        assert await wire.at_end()
        await wire.close()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(SYNC, is_masked=False), 1002),
        (frame(SYNC, reserved=4), 1002),
        (frame(SYNC, reserved=1), 1002),
        (frame(SYNC, 3), 1002),
        (frame(SYNC, 11), 1002),
        (frame("x" * 126, PING), 1002),
        (frame("x", PING, is_final=False), 1002),
        (LATE, 1002),
        (frame("@sync", is_final=False) + frame(SYNC), 1002),
        (frame(b"\x03", CLOSE), 1002),
        (frame(b"\x03\xed", CLOSE), 1002),
        (frame(b"\x13\x88", CLOSE), 1002),
        (frame(b"\x03\xe8\xff", CLOSE), 1007),
        (frame(b'@command(node:"/unit/1",lane:info)"\xff\xfe"'), 1007),
        (frame(b"\xed\xa0\x80"), 1007),
        (frame(b"\xc3", is_final=False) + frame(b"(", CONTINUATION), 1007),
    ],
)
async def test_a_frame_against_the_rules_ends_the_connection(data: bytes, code: int) -> None:
    async with serving() as server:
        wire = await Wire.open(server.port)
        await wire.send_bytes(data)
        close = await wire.until_close()
        assert close is not None
        assert close.code == code, close
        if data == LATE:
            assert close.reason.startswith("NT-SERVER-014")
        assert await wire.at_end()
        await wire.close()
        await until(lambda: not server.counters["connections_open"])
        assert server.counters["protocol_errors"] == 1
        other = await Wire.open(server.port)  # nobody else is harmed
        await other.send(SYNC)
        assert await other.texts(3) == SYNCED
        await other.close()


@pytest.mark.parametrize(
    "message",
    [
        "",
        " ",
        "garbage",
        "42",
        "@",
        "@link()",
        "@link(lane:info)",
        '@link(node:"/unit/1")',
        '@command(node:"/unit/1",lane:info',
        "@sync(node:/unit/1,lane:info)",
        '@SYNC(node:"/unit/1",lane:info)',
        '@shout(node:"/unit/1",lane:info)',
        '@sync(node:"/unit/a b",lane:info)',
        '@command(node:"/unit/1",lane:info)' + "{a:" * 5000,
        "@" * 50_000,
        "[" * 50_000,
    ],
)
async def test_a_message_that_is_no_envelope_ends_the_connection(message: str) -> None:
    async with serving() as server:
        wire = await Wire.open(server.port)
        await wire.send(message)
        close = await wire.until_close()
        assert close is not None
        assert close.code == 1002
        assert close.reason.startswith("NT-")
        assert len(close.reason.encode()) <= 123
        assert await wire.at_end()
        await wire.close()


async def test_a_long_reason_is_cut_between_characters() -> None:
    async with serving() as server:
        wire = await Wire.open(server.port)
        await wire.send("é" * 300)
        close = await wire.until_close()
        assert close is not None
        assert close.code == 1002
        assert len(close.payload) <= 125
        await wire.close()


async def test_what_comes_behind_a_bad_message_is_not_done() -> None:
    async with serving() as server:
        wire = await Wire.open(server.port)
        await wire.send("garbage", '@command(node:"/unit/1",lane:info) done')
        await wire.until_close()
        await wire.close()
        assert await server.host.read("/unit/1", "info") != "done"


@pytest.mark.parametrize(
    "message",
    [
        '@command(node:"/nope/1",lane:info) 1',
        '@command(node:"/unit/1",lane:nope) 1',
        '@command(node:"/unit/1",lane:count) text',
        '@command(node:"/unit/1",lane:speeds) 5',
        '@command(node:"/unit/1",lane:fail)',
        '@unlink(node:"/unit/9",lane:info)',
        '@event(node:"/unit/1",lane:info) 1',
        "@deauthed",
        "@auth",
    ],
)
async def test_a_message_that_cannot_be_done_leaves_the_connection_open(message: str) -> None:
    async with serving() as server:
        wire = await Wire.open(server.port)
        await wire.send(message, '@sync(node:"/unit/2",lane:info)')
        seen = [await wire.text()]
        while not seen[-1].startswith("@synced"):
            seen.append(await wire.text())
        await wire.close()


async def test_a_message_over_the_limit_ends_the_connection() -> None:
    async with serving(limit=SMALL) as server:
        for data in (
            frame("x" * 1001),
            frame("x" * 600, is_final=False) + frame("x" * 401, CONTINUATION),
            b"\x81\xff" + (1 << 40).to_bytes(8, "big") + b"mask",
            frame("x" * 3_000_000),
        ):
            wire = await Wire.open(server.port)
            await wire.send_bytes(data)
            close = await wire.until_close()
            assert close is not None
            assert close.code == 1009
            await wire.close()
        await until(lambda: not server.counters["connections_open"])
        assert server.counters["messages_too_big"] == 4
        assert server.service.table.received_bytes == 0


async def test_a_message_at_the_limit_is_taken() -> None:
    async with serving(limit=SMALL) as server:
        wire = await Wire.open(server.port)
        text = '@command(node:"/unit/1",lane:info)'
        await wire.send(text + "x" * (1000 - len(text)))
        await wire.send('@sync(node:"/unit/1",lane:info)')
        assert len((await wire.texts(3))[1]) > 900
        await wire.close()


async def test_memory_for_large_messages_is_shared_and_bounded() -> None:
    limit = Limit(
        sweep_s=0.02, close_timeout_s=1.0, frame_bytes=1 << 20, large_bytes=32 * 1024, receive_memory_bytes=300 * 1024
    )
    async with serving(limit=limit) as server:
        table = server.service.table
        first = await Wire.open(server.port)
        await first.send_bytes(frame("x" * 900_000)[:200_000])
        await until(lambda: table.received_bytes > 0)
        second = await Wire.open(server.port)
        await second.send_bytes(
            frame("x" * 150_000, is_final=False) + frame("x" * 200_000, CONTINUATION, is_final=False)
        )
        close = await second.until_close()
        assert close is not None
        assert close.code == 1013
        assert close.reason.startswith("NT-SERVER-013")
        assert table.received_bytes <= 300 * 1024
        await first.close()
        await second.close()
        await until(lambda: not table.members)
        assert table.received_bytes == 0


async def test_a_large_message_goes_both_ways() -> None:
    async with serving() as server:
        wire = await Wire.open(server.port)
        await wire.send('@link(node:"/unit/1",lane:info)')
        assert await wire.text() == LINKED
        await wire.send('@command(node:"/unit/1",lane:info)' + "x" * 1_000_000)
        assert await wire.text() == '@event(node:"/unit/1",lane:info) ' + "x" * 1_000_000
        await wire.close()
