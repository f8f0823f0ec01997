"""Acknowledged commands and reads: what goes over, what is tried again, what is told."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import httpx
import pytest

from natant.client.address import parse
from natant.client.http import HttpSide
from natant.client.timing import MAX_ASK_TRIES, Timing
from natant.codec.recon.value import Absent, Record, Slot
from natant.errors import ClientError


class Site:
    """Answers requests by a script, and notes them and the waits between."""

    def __init__(self, *answers: Callable[[], httpx.Response]) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []
        self.side = HttpSide(
            parse("warp://host:9001"),
            Timing(now=lambda: 0.0, sleep=self._sleep, random=Random(1)),
            transport=httpx.MockTransport(self._answer),
        )

    async def _sleep(self, wait_s: float) -> None:
        self.waits.append(wait_s)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answers.pop(0)() if len(self.answers) > 1 else self.answers[0]()


def recon(text: str, status: int = 200) -> Callable[[], httpx.Response]:
    return lambda: httpx.Response(status, text=text, headers={"content-type": "application/recon"})


def json(value: Any, status: int = 200, **headers: str) -> Callable[[], httpx.Response]:
    return lambda: httpx.Response(status, json=value, headers=headers)


def broken() -> httpx.Response:
    raise httpx.ReadError("cut")


async def test_a_command_goes_over_as_recon_with_an_id() -> None:
    site = Site(recon("{x:1}"))
    assert await site.side.ask("/unit/%C3%A9#f", "set it", {"a": "two words"}, None) == Record([Slot("x", 1)])
    request = site.requests[0]

    assert request.method == "POST"
    assert str(request.url) == "http://host:9001/unit/%C3%A9?lane=set+it"
    assert request.content == b'{a:"two words"}'
    assert request.headers["content-type"] == "application/recon"
    assert len(request.headers["idempotency-key"]) == 32


async def test_the_same_command_is_sent_again_while_its_fate_is_unknown() -> None:
    site = Site(broken, json({"code": "X"}, 503, **{"retry-after": "4"}), recon(""))
    assert await site.side.ask("/a", "b", 1, "my-id") is Absent

    assert [request.headers["idempotency-key"] for request in site.requests] == ["my-id"] * 3
    assert len(site.waits) == 2
    assert site.waits[1] == 4.0


async def test_it_is_tried_a_bounded_number_of_times() -> None:
    site = Site(broken)
    with pytest.raises(ClientError, match="NT-CLIENT-007") as caught:
        await site.side.ask("/a", "b", 1, None)

    assert len(site.requests) == MAX_ASK_TRIES
    assert len(site.waits) == MAX_ASK_TRIES - 1
    assert "ReadError: cut" in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        json({"code": "NT-LINK-001", "message": "there is no such lane"}, 404),
        recon('{code:"NT-LINK-001",message:"there is no such lane"}', 404),
    ],
)
async def test_what_the_host_refuses_is_told_in_its_words(answer: Callable[[], httpx.Response]) -> None:
    site = Site(answer)
    with pytest.raises(ClientError, match="NT-CLIENT-005") as caught:
        await site.side.ask("/a", "b", 1, None)

    assert "NT-LINK-001  there is no such lane" in str(caught.value)
    assert caught.value.context["code_of_host"] == "NT-LINK-001"
    assert caught.value.context["http_status"] == 404
    assert len(site.requests) == 1


@pytest.mark.parametrize("text", ["not { recon", "plain", ""])
async def test_a_refusal_that_is_no_error_of_natant_is_quoted(text: str) -> None:
    site = Site(lambda: httpx.Response(500, text=text))
    with pytest.raises(ClientError, match="NT-CLIENT-005") as caught:
        await site.side.get("/a", "b")

    assert (text or "Internal Server Error") in str(caught.value)


async def test_lanes_and_nodes_are_read() -> None:
    site = Site(recon("@a{1}"))
    assert await site.side.get("swim:meta:host", "nodes") is not None
    assert str(site.requests[0].url) == "http://host:9001/swim:meta:host?lane=nodes"
    site = Site(json({"node": "/a"}))
    assert await site.side.describe("/a") == {"node": "/a"}


async def test_the_list_of_nodes_comes_page_by_page() -> None:
    site = Site(
        json({"nodes": [{"node": "/a/1"}, {"node": "/a/2"}], "next": "/a/2"}),
        json({"nodes": [{"node": "/a/3"}], "next": None}),
    )
    assert [found["node"] for found in await site.side.nodes("/a")] == ["/a/1", "/a/2", "/a/3"]

    assert "after" not in site.requests[0].url.params
    assert site.requests[1].url.params["after"] == "/a/2"
    await site.side.close()
