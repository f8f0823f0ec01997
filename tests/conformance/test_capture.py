"""The captured frames of a SwimOS server, replayed against natant: the same answers, but for differences that are listed with their reasons.

Answers to one group of client frames are compared as multisets: a server may hand out the entries of a map in another order, and
links are independent of each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest

from natant.codec import recon
from natant.codec.recon.value import Attr, Record, Slot
from tests.conformance.difference import DIFFERENCES, PREPARED, REPEATING, Difference
from tests.conformance.replay import Answer, Exchange, Replay, bodies, scenarios
from tests.support.process import ServerProcess

CAPTURE = scenarios()
BURSTS = {
    name for name, exchanges in CAPTURE.items() for exchange in exchanges for row in exchange.sent if "batch" in row
}
PLAIN = [name for name in CAPTURE if "meta." not in name and "/" not in name and name not in BURSTS]
AUTH = [name for name in CAPTURE if "authenticator/" in name]
META = [name for name in CAPTURE if name.startswith("meta.")]
NO_META = [name for name in CAPTURE if name.startswith("no_meta_kernel/")]

#: how often more is waited for where an answer takes turns of several agents
MORE = 30
#: codes with which natant ends a connection: protocol error, bad text, forbidden, too big
CODES = {1002, 1007, 1008, 1009}


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess() as running:
        yield running


def frames(exchange: Exchange) -> list[str]:
    """The client frames, each after its connection where that is not the first; of requests, the first line."""
    texts = [row["text"].partition(" HTTP/1.1")[0].partition("\r")[0] for row in exchange.sent]
    return [f"{row['conn']} {text}" if "conn" in row else text for row, text in zip(exchange.sent, texts, strict=True)]


def expected(scenario: str, exchange: Exchange) -> tuple[Counter[Answer], list[Difference]]:
    """What natant answers, and the differences that this takes into account."""
    answers = Counter(exchange.answers)
    sent = frames(exchange)
    found = [known for known in DIFFERENCES if known.scenario == scenario and known.sent in sent]
    for known in found:
        missing = Counter(known.missing)
        assert missing <= answers, f"{scenario}: the capture has no {known.missing}"
        answers = answers - missing + Counter(known.instead)
    return answers, found


async def replay(name: str, port: int) -> set[Difference]:
    """Replay one scenario and compare; the differences that were met."""
    player = Replay(port)
    met: set[Difference] = set()
    if name in PREPARED:
        await player.prepare(PREPARED[name])
    try:
        for exchange in CAPTURE[name]:
            wanted, found = expected(name, exchange)
            got = Counter(await player.play(exchange, is_slow=name in REPEATING))
            if name in REPEATING:
                for _ in range(MORE):
                    if set(wanted) <= set(got):
                        break
                    got += Counter(await player.more())
                got, wanted = Counter(set(got)), Counter(set(wanted))
                # the value that y has before it is set may be told before or after the sync
                got = Counter({answer: 1 for answer in got if answer in wanted or not answer[2].endswith("(key:y)")})
            assert got == wanted, f"after {frames(exchange)}"
            met.update(found)
    finally:
        await player.close()
    assert {code for code, _ in player.closes} <= CODES
    assert all(reason for _, reason in player.closes), player.closes
    return met


@pytest.mark.parametrize("name", PLAIN)
async def test_a_scenario_is_answered_as_captured(name: str, server: ServerProcess) -> None:
    met = await replay(name, server.port)

    assert met == {known for known in DIFFERENCES if known.scenario == name}, "a listed difference did not happen"


async def test_authentication_is_answered_as_captured() -> None:
    for name in AUTH:
        environment = {"NATANT_TEST_AUTH": "1"} if name.startswith("with_") else {}
        with ServerProcess(environment=environment) as running:
            await replay(name, running.port)


async def test_wrong_credentials_end_the_connection() -> None:
    with ServerProcess(environment={"NATANT_TEST_AUTH": "1"}) as running:
        for token, wanted in (("wrong", "Unauthorized"), ("forbid", "Forbidden")):
            player = Replay(running.port)
            row = {"op": "text", "text": f"@auth{{token:{token}}}"}
            answers = await player.play(Exchange([row], [], set()))
            assert [text for _, kind, text in answers if kind == "text"] in (["@deauthed"], [])
            assert player.closes == [(1008, wanted)]
            await player.close()


async def test_without_meta_nodes_there_are_none() -> None:
    with ServerProcess(environment={"NATANT_TEST_META": "0"}) as running:
        for name in NO_META:
            await replay(name, running.port)


# ---------------------------------------------------------------------------- bursts


def is_subsequence(part: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(item in rest for item in part)


async def burst(name: str, port: int) -> tuple[list[str], list[str]]:
    """Replay a scenario up to its burst; what was sent in it, and the bodies of the events that came."""
    player = Replay(port)
    try:
        for exchange in CAPTURE[name]:
            got = await player.play(exchange)
            if "batch" in exchange.sent[-1]:
                sent = [row["text"].partition(")")[2].strip() for row in exchange.sent]
                address = exchange.answers[-1][2].partition("(")[2].partition(")")[0]
                return sent, list(bodies(got, address))
            assert Counter(got) == Counter(exchange.answers)
    finally:
        await player.close()
    raise AssertionError(f"{name} has no burst")


async def test_a_burst_of_values_may_be_thinned_out_but_ends_right(server: ServerProcess) -> None:
    sent, events = await burst("value.burst_conflates", server.port)

    assert events[-1] == sent[-1]
    assert is_subsequence(events, sent)


async def test_a_burst_of_map_changes_keeps_the_order_of_each_key(server: ServerProcess) -> None:
    sent, events = await burst("map.burst_conflates", server.port)

    assert events[-2:] == sent[-2:] == ["@clear", "@update(key:z) 1"]
    for key in ("0", "1", "2"):
        mark = f"(key:{key})"
        assert is_subsequence([event for event in events if mark in event], [body for body in sent if mark in body])


async def test_a_burst_of_supplied_values_comes_whole_and_in_order(server: ServerProcess) -> None:
    sent, events = await burst("supply.push", server.port)

    assert events == sent
    assert all(int(one) < int(other) for one, other in pairwise(events))


# ---------------------------------------------------------------------------- meta nodes


def slot_names(body: str) -> set[str]:
    value = recon.decode(body) if body else Record()
    items = value.items if isinstance(value, Record) else ()
    return {item.key for item in items if isinstance(item, Slot)} | {
        f"@{item.name}" for item in items if isinstance(item, Attr)
    }


def outline(answers: list[Answer]) -> tuple[set[str], dict[str, set[str]]]:
    """The replies that are no events, and for each lane the names of what its events tell."""
    replies: set[str] = set()
    events: dict[str, set[str]] = {}
    for _, _, text in answers:
        head, _, body = text.partition(")")
        if head.startswith("@event("):
            events.setdefault(head, set()).update(slot_names(body))
        else:
            replies.add(text)
    return replies, events


@pytest.mark.parametrize("name", META)
async def test_meta_nodes_answer_as_captured(name: str, server: ServerProcess) -> None:
    """The same replies, and events with the same slots; what they count is another at each run."""
    player = Replay(server.port)
    await player.prepare(['@command(node:"/unit/meta1",lane:info) 1', '@command(node:"/zoo/h1",lane:value) 1'])
    try:
        for exchange in CAPTURE[name]:
            replies, events = outline(await player.play(exchange))
            wanted_replies, wanted_events = outline(exchange.answers)
            assert replies == wanted_replies
            for lane, names in wanted_events.items():
                if "lane:pulse" not in lane:
                    assert events.get(lane) == names, f"after {frames(exchange)}"
                elif "lane:pulse" in frames(exchange)[-1].replace('"', ""):
                    assert {"agents", "uplinks"} <= events.get(lane, set())
    finally:
        await player.close()
