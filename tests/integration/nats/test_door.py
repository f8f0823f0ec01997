"""Any NATS client commands, reads, lists and follows a plane by subject."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as RequestTimeoutError

from natant.link.identity import Identity
from natant.server.nats import NatsLimit
from tests.integration.nats.plane import GATES, WAIT_S, Stand, app, stand, standing
from tests.support.nats import NatsServer


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.005)


def code_of(message: Any) -> str:
    found: str = json.loads(message.data)["code"]
    assert message.headers["Natant-Error"] == found
    assert message.headers["Nats-Service-Error"] == found
    return found


async def test_a_command_is_answered_after_its_commit_and_a_repeated_id_is_not_done_again() -> None:
    async with stand() as at:
        body = b'{"lat":59.3,"lon":18.1}'
        first = await at.ask("command", "report", "/vehicle/7", body, Natant_Command_Id="a")
        again = await at.ask("command", "report", "/vehicle/7", body, Natant_Command_Id="a")
        position = await at.ask("get", "position", "/vehicle/7")
        count = await at.ask("get", "count", "/vehicle/7")

    assert json.loads(first.data)["value"] == 1
    assert int(first.headers["Natant-Sequence"]) >= 1
    assert again.headers["Natant-Duplicate"] == "true"
    assert json.loads(position.data) == {"lat": 59.3, "lon": 18.1}
    assert count.data == b"1"


async def test_what_is_published_without_reply_is_done_in_order() -> None:
    async with stand() as at:
        subject = at.engine.subjects.ask("command", "notes", "/vehicle/7")
        for number in range(500):
            await at.client.publish(subject, b'{"op":"update","index":%d,"value":"n%d"}' % (number, number))
        await at.client.flush()
        await until(lambda: at.door.counters["commands"] == 500)
        notes = await at.ask("get", "notes", "/vehicle/7")

    assert json.loads(notes.data) == [f"n{number}" for number in range(500)]


async def test_maps_are_read_by_key_and_by_page() -> None:
    async with stand() as at:
        for key in range(5):
            await at.ask("command", "speeds", "/vehicle/7", b'{"op":"update","key":%d,"value":%d.5}' % (key, key))
        whole = await at.ask("get", "speeds", "/vehicle/7")
        one = await at.ask("get", "speeds", "/vehicle/7", b'{"key":"3"}')
        page = await at.ask("get", "speeds", "/vehicle/7", b'{"limit":2,"after":"1"}')
        missing = await at.ask("get", "speeds", "/vehicle/7", b'{"key":"9"}')
        wrong = await at.ask("get", "count", "/vehicle/7", b'{"key":"9"}')
        small = await at.ask("get", "speeds", "/vehicle/7", b'{"limit":0}')
        text = await at.ask("get", "speeds", "/vehicle/7", b'{"after":7}')

    assert json.loads(whole.data) == {str(key): key + 0.5 for key in range(5)}
    assert one.data == b"3.5"
    assert json.loads(page.data) == {"2": 2.5, "3": 3.5}
    assert page.headers["Natant-Next"] == "3"
    assert code_of(missing) == "NT-SERVER-011"
    assert [code_of(message) for message in (wrong, small, text)] == ["NT-SERVER-016"] * 3


async def test_agents_are_listed_and_described() -> None:
    async with stand() as at:
        for number in range(3):
            await at.ask("command", "count", f"/vehicle/{number}", b"1")
        root = at.engine.subjects.root
        listed = await at.client.request(f"{root}.in.list", b'{"prefix":"/vehicle/","limit":2}', timeout=WAIT_S)
        described = await at.client.request(f"{root}.in.describe.-.vehicle.1", timeout=WAIT_S)
        health = await at.client.request(f"{root}.in.health", timeout=WAIT_S)

    assert [node["node"] for node in json.loads(listed.data)["nodes"]] == ["/vehicle/0", "/vehicle/1"]
    assert json.loads(listed.data)["next"] == "/vehicle/1"
    assert json.loads(described.data)["agent"] == "Vehicle"
    assert json.loads(health.data)["ready"] is True


@pytest.mark.parametrize(
    ("subject", "body", "headers", "code"),
    [
        ("in.dance.x.vehicle.7", b"", {}, "NT-SERVER-030"),
        ("in.command.report", b"", {}, "NT-SERVER-030"),
        ("in.list.more", b"", {}, "NT-SERVER-030"),
        ("in.command.report.vehicle.%zz", b"", {}, "NT-SERVER-030"),
        ("at.3.get.count", b"", {}, "NT-SERVER-030"),
        ("in.command.report.ship.7", b"{}", {}, "NT-PLANE-004"),
        ("in.command.no.vehicle.7", b"{}", {}, "NT-LINK-001"),
        ("in.command.count.vehicle.7", b'"fast"', {}, "NT-FORM-002"),
        ("in.command.count.vehicle.7", b"\xff\xfe", {}, "NT-FORM-009"),
        ("in.command.speeds.vehicle.7", b"7", {}, "NT-SERVER-016"),
        ("in.command.alarms.vehicle.7", b'"x"', {}, "NT-SERVER-016"),
        ("in.command.refuse.vehicle.7", b"", {}, "NT-TURN-010"),
        ("in.command.count.vehicle.7", b"1" * 2000, {}, "NT-SERVER-009"),
        ("in.command.count.vehicle.7", b"1", {"Natant-Command-Id": "x" * 201}, "NT-SERVER-031"),
        ("in.follow.count.vehicle.7", b"", {"Natant-Lease": "soon"}, "NT-SERVER-031"),
        ("in.follow.count.vehicle.7", b"", {"Natant-Lease": "99999"}, "NT-SERVER-031"),
        ("in.list", b"[1]", {}, "NT-SERVER-016"),
        ("in.list", b'{"limit":"all"}', {}, "NT-SERVER-016"),
    ],
)
async def test_bad_requests_are_refused_with_their_code(
    subject: str, body: bytes, headers: dict[str, str], code: str
) -> None:
    async with stand(limit=NatsLimit(body_bytes=1000)) as at:
        answer = await at.client.request(
            f"{at.engine.subjects.root}.{subject}", body, timeout=WAIT_S, headers=headers or None
        )
        again = await at.ask("command", "count", "/vehicle/7", b"1")

    assert code_of(answer) == code
    assert json.loads(again.data)["sequence"] >= 1, "the next one is served as ever"


async def test_errors_of_what_was_published_are_counted_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with stand() as at:
        await at.client.publish(f"{at.engine.subjects.root}.in.dance", b"")
        await until(lambda: at.door.counts()["nats_unanswered_errors"] == 1)

    assert "NT-SERVER-030" in caplog.text


async def test_what_is_under_way_is_bounded_in_all_and_for_each_agent() -> None:
    GATES["a"] = asyncio.Event()
    async with stand(limit=NatsLimit(requests=4, node_requests=3)) as at:
        under_way = [asyncio.ensure_future(at.ask("command", "wait", "/vehicle/1", b'"a"')) for _ in range(3)]
        await until(lambda: at.door.counts()["nats_under_way"] == 3)
        of_node = await at.ask("command", "wait", "/vehicle/1", b'"a"')
        under_way.append(asyncio.ensure_future(at.ask("command", "wait", "/vehicle/2", b'"a"')))
        await until(lambda: at.door.counts()["nats_under_way"] == 4)
        in_all = await at.ask("get", "count", "/vehicle/3")
        GATES["a"].set()
        answers = await asyncio.gather(*under_way)
        after = await at.ask("get", "count", "/vehicle/3")

    assert "to /vehicle/1" in json.loads(of_node.data)["message"]
    assert [code_of(of_node), code_of(in_all)] == ["NT-SERVER-032"] * 2
    assert in_all.headers["Nats-Service-Error-Code"] == "503"
    assert all("Natant-Error" not in answer.headers for answer in answers)
    assert after.data == b"0"


async def test_a_lane_is_followed_by_subject_after_one_request_without_a_gap() -> None:
    async with stand() as at:
        events = await at.client.subscribe("natant.transit.ev.count.vehicle.7")
        await at.ask("command", "count", "/vehicle/7", b"5")
        state = await at.ask("follow", "count", "/vehicle/7")
        for number in (6, 7):
            await at.ask("command", "count", "/vehicle/7", b"%d" % number)
        first, second = [await events.next_msg(WAIT_S) for _ in range(2)]
        renewed = await at.ask("follow", "count", "/vehicle/7", Natant_Life=state.headers["Natant-Life"])

    assert state.data == b"5"
    assert state.headers["Natant-Subject"] == "natant.transit.ev.count.vehicle.7"
    headers: list[dict[str, str]] = [message.headers or {} for message in (state, first, second)]
    assert [int(found["Natant-Sequence"]) for found in headers] == [0, 1, 2]
    assert first.data == b'{"op":"set","value":6}'
    assert len({found["Natant-Life"] for found in headers}) == 1
    assert renewed.data == b""
    assert renewed.headers["Natant-Sequence"] == "2"


async def test_state_and_events_of_a_list_and_a_map_fit_each_other() -> None:
    async with stand() as at:
        events = await at.client.subscribe("natant.transit.ev.*.vehicle.7")
        for index in range(3):
            await at.ask("command", "notes", "/vehicle/7", b'{"op":"update","index":%d,"value":"%d"}' % (index, index))
        await at.ask("follow", "notes", "/vehicle/7")
        for body in (
            b'{"op":"move","from":0,"to":2}',
            b'{"op":"remove","index":0}',
            b'{"op":"update","index":0,"value":"new"}',
        ):
            await at.ask("command", "notes", "/vehicle/7", body)
        seen = [json.loads((await events.next_msg(WAIT_S)).data) for _ in range(3)]
        notes = await at.ask("follow", "notes", "/vehicle/7")
        fresh = await at.ask("get", "notes", "/vehicle/7")
        await at.ask("follow", "speeds", "/vehicle/7")
        for body in (
            b'{"op":"update","key":2,"value":1}',
            b'{"op":"update","key":10,"value":2}',
            b'{"op":"take","n":1}',
        ):
            await at.ask("command", "speeds", "/vehicle/7", body)
        speeds = await at.ask("follow", "speeds", "/vehicle/7")

    assert [event["op"] for event in seen] == ["move", "remove", "update"]
    assert json.loads(notes.data) == json.loads(fresh.data)
    assert notes.headers["Natant-Sequence"] == "3"
    assert json.loads(speeds.data) == {"2": 1.0}


async def test_published_lanes_need_no_request_and_take_wildcards() -> None:
    async with stand() as at:
        events = await at.client.subscribe("natant.transit.ev.heading.vehicle.*")
        await at.client.flush()
        for number in (1, 2):
            await at.ask("command", "turn", f"/vehicle/{number}", b"90")
        subjects = sorted([(await events.next_msg(WAIT_S)).subject for _ in range(2)])

    assert subjects == ["natant.transit.ev.heading.vehicle.1", "natant.transit.ev.heading.vehicle.2"]


async def test_a_lease_ends_and_says_so() -> None:
    async with stand(limit=NatsLimit(sweep_s=0.05, follows=1)) as at:
        events = await at.client.subscribe("natant.transit.ev.>")
        await at.ask("follow", "count", "/vehicle/7", Natant_Lease="1")
        too_many = await at.ask("follow", "position", "/vehicle/7")
        last = await events.next_msg(WAIT_S)
        assert len(at.door.follows) == 0

    assert code_of(too_many) == "NT-SERVER-034"
    assert json.loads(last.data) == {"op": "end", "reason": "the lease is over"}


async def test_large_states_are_asked_for_page_by_page() -> None:
    async with stand(limit=NatsLimit(reply_bytes=200)) as at:
        for key in range(40):
            await at.ask("command", "speeds", "/vehicle/7", b'{"op":"update","key":%d,"value":1.25}' % key)
        whole = await at.ask("get", "speeds", "/vehicle/7")
        page = await at.ask("get", "speeds", "/vehicle/7", b'{"limit":5}')

    assert code_of(whole) == "NT-SERVER-033"
    assert len(json.loads(page.data)) == 5


async def test_a_follower_whose_link_cannot_be_had_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stand() as at:

        class Refusing:
            """A session that ends every link."""

            def __init__(self, session: Any, sink: Any) -> None:
                self._session = session
                self._sink = sink

            def __getattr__(self, name: str) -> Any:
                return getattr(self._session, name)

            def receive(self, payload: bytes) -> None:
                self._sink.write([b"@unlinked(node:x,lane:y)@nodeNotFound"])

        def connect(sink: Any, **_: Any) -> Any:
            return Refusing(connect_really(sink, **_), sink)

        connect_really = at.host.connect
        monkeypatch.setattr(at.host, "connect", connect)
        answer = await at.ask("follow", "count", "/vehicle/7")

    assert code_of(answer) == "NT-LINK-511"
    assert "nodeNotFound" in json.loads(answer.data)["message"]


async def test_what_raises_on_this_side_is_told_and_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stand() as at:
        monkeypatch.setattr(at.host, "health", lambda: {"strange": object()})
        answer = await at.client.request(f"{at.engine.subjects.root}.in.health", b"", timeout=WAIT_S)

    assert code_of(answer) == "NT-SERVER-035"
    assert "TypeError" in caplog.text


async def test_tokens_and_policies_hold_here_too() -> None:
    def authenticate(credentials: Any, uri: str) -> Identity | None:
        return Identity("anna") if credentials.get("token") == "right" else None

    def allow(identity: Identity, verb: str, node: str, lane_name: str) -> bool:
        return identity.name == "anna"

    async with stand(app(authenticator=authenticate, policy=allow)) as at:
        anonymous = await at.ask("get", "count", "/vehicle/7")
        follower = await at.ask("follow", "count", "/vehicle/7")
        wrong = await at.ask("get", "count", "/vehicle/7", Authorization="Bearer wrong")
        right = await at.ask("get", "count", "/vehicle/7", Authorization="Bearer right")

    assert [code_of(message) for message in (anonymous, follower)] == ["NT-LINK-008"] * 2
    assert code_of(wrong) == "NT-SERVER-019"
    assert right.data == b"0"


async def is_unanswered(at: Stand) -> bool:
    """Whether nobody answers what is asked of an agent."""
    try:
        await at.client.request(at.engine.subjects.ask("get", "count", "/vehicle/7"), b"", timeout=3)
    except (NoRespondersError, RequestTimeoutError):
        return True
    return False


async def test_partitions_are_owned_and_disowned() -> None:
    async with stand() as at:
        await at.door._unsubscribe(f"{at.engine.subjects.root}.at.>")
        assert await is_unanswered(at)
        for partition in range(64):
            await at.door.own(partition)
        owned = await at.ask("get", "count", "/vehicle/7")
        for partition in range(64):
            await at.door.disown(partition)
        assert await is_unanswered(at)
        deep = await at.client.request(f"{at.engine.subjects.root}.in.get.count." + "x." * 9 + "y", b"", timeout=WAIT_S)

    assert owned.data == b"0"
    assert code_of(deep) == "NT-PLANE-004", "what is too long for the mapping is taken by any worker"


async def test_a_server_that_comes_back_finds_the_door_open(tmp_path: Path) -> None:
    with NatsServer(tmp_path / "server", {"jetstream": {"store_dir": tmp_path / "store"}}) as server:
        async with standing(server.url()) as at:
            state = await at.ask("follow", "count", "/vehicle/7")
            server.kill()
            await at.host.command("/vehicle/7", "count", 5)
            server.start()
            client = await nats.connect(server.url())
            async with asyncio.timeout(WAIT_S):
                again = None
                while again is None or again.data != b"5":  # links conflate while the server is away, and go on then
                    with contextlib.suppress(NoRespondersError, RequestTimeoutError):
                        again = await client.request(
                            at.engine.subjects.ask("follow", "count", "/vehicle/7"), b"", timeout=1
                        )
                    await asyncio.sleep(0.05)
            await client.close()

    assert state.data == b"0"
    assert int((again.headers or {})["Natant-Sequence"]) > int(state.headers["Natant-Sequence"])
