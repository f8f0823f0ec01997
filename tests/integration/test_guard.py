"""The guarded plane of the documents: clients and the command line show who they are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import natant.client
from natant.client import blocking
from natant.errors import ClientError
from tests.support.command import here
from tests.support.process import ROOT, ServerProcess


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ServerProcess(ROOT / "examples" / "guard" / "plane.py") as server:
        yield server.uri


async def test_the_token_of_a_client_goes_with_links_commands_and_reads(url: str) -> None:
    async with natant.client.connect(url, auth={"token": "token-of-ann"}) as ann:
        pages = await ann.list("/diary/ann", "pages", str).synced()
        changes = pages.changes()
        await ann.ask("/diary/ann", "write", "today")
        assert (await anext(changes)).new == "today"
        assert await ann.get("/diary/ann", "pages", list[str]) == ["today"]
        with pytest.raises(ClientError) as refusal:
            await ann.ask("/diary/bob", "write", "hello bob")
        assert refusal.value.context["code_of_host"] == "NT-LINK-008"


def test_who_shows_no_token_is_nobody(url: str) -> None:
    with blocking.connect(url) as nobody:
        assert nobody.get("/diary/cleo", "size") == 0
        with pytest.raises(ClientError, match="NT-LINK-008"):
            nobody.get("/diary/cleo", "pages")


def test_commands_show_the_token_of_the_environment(url: str) -> None:
    bob = {"NATANT_TOKEN": "token-of-bob"}

    assert here("command", "/diary/bob", "write", "tea", "--at", url, environment=bob).code == 0
    assert here("link", "/diary/bob", "size", "--once", "--at", url, environment=bob).out == "1\n"
    assert "tea" in here("link", "/diary/bob", "pages", "--once", "--at", url, environment=bob).out
    assert here("get", "/diary/bob", "pages", "--at", url).code == 1
    assert (
        "NT-SERVER-019" in here("get", "/diary/bob", "size", "--at", url, environment={"NATANT_TOKEN": "made-up"}).err
    )


async def test_nobody_learns_of_nodes_that_the_policy_does_not_show(url: str) -> None:
    async with (
        natant.client.connect(url, auth={"token": "token-of-ann"}) as ann,
        natant.client.connect(url, auth={"token": "token-of-bob"}) as bob,
    ):
        await ann.ask("/diary/ann", "write", "today")
        assert [found["node"] for found in await ann.nodes("/diary/ann")] == ["/diary/ann"]
        assert (await ann.describe("/diary/ann"))["agent"] == "Diary"
        for prefix in ("/", "/diary/", "/diary/ann"):
            assert "ann" not in str(await bob.nodes(prefix))
        with pytest.raises(ClientError) as refusal:
            await bob.describe("/diary/ann")
        assert refusal.value.context["code_of_host"] == "NT-LINK-008"
