"""``natant edge`` and the options of an edge: what is refused, and what is printed."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from natant.cli.edge import EdgeChoice
from natant.errors import EdgeError
from natant.fabric.nats.config import EngineSpec
from tests.support.command import here


def test_an_edge_is_added_once_listed_and_removed(tmp_path: Path) -> None:
    first = here("edge", "add", "truck-7", "--data", str(tmp_path), "--at", "hub.example.org:7422")
    again = here("edge", "add", "truck-7", "--data", str(tmp_path), "--at", "hub.example.org:7422", "--json")

    assert first.code == 0
    assert first.out.startswith("nats-leaf://truck-7:")
    assert first.out.endswith("@hub.example.org:7422\n")
    assert json.loads(again.out) == {"edge": "truck-7", "url": first.out.strip()}
    assert json.loads(here("edge", "ls", "--data", str(tmp_path), "--json").out) == {"edge": "truck-7"}
    assert here("edge", "rm", "truck-7", "--data", str(tmp_path)).code == 0
    gone = here("edge", "rm", "truck-7", "--data", str(tmp_path))
    assert (gone.code, "NT-EDGE-012" in gone.err) == (1, True)
    assert "no edge is let in" in here("edge", "ls", "--data", str(tmp_path)).err


def test_the_port_is_that_of_the_hub_where_it_has_run(tmp_path: Path) -> None:
    unknown = here("edge", "add", "e1", "--data", str(tmp_path))
    assert (unknown.code, "NT-EDGE-013" in unknown.err) == (1, True)

    (tmp_path / "nats" / "ports.json").write_text('{"leafs": 7422}')

    assert here("edge", "add", "e1", "--data", str(tmp_path)).out.endswith("@127.0.0.1:7422\n")
    assert here("edge", "add", "e1", "--data", str(tmp_path), "--at", "hub").out.endswith("@hub:7422\n")


def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    done = here("edge", "add", "a.b", "--data", str(tmp_path), "--at", "hub:1")

    assert (done.code, "NT-EDGE-007" in done.err) == (1, True)


@pytest.mark.parametrize(
    "words",
    [("--edge", "e1"), ("--copy", "/a", "b"), ("--edges", "here"), ("--edges", "1:99999"), ("--edge-store", "0")],
)
def test_options_that_do_not_fit_are_refused(words: tuple[str, ...]) -> None:
    done = here("run", "--port", "0", *words)

    assert done.code == 2


def test_the_engine_of_an_edge_and_of_a_hub(tmp_path: Path) -> None:
    assert EdgeChoice().engine("p", tmp_path) is None
    assert EdgeChoice().features() == []
    edge = EdgeChoice(leaf="nats-leaf://e1:x@hub:7422").engine("p", tmp_path)
    assert edge == EngineSpec(plane="p", folder=tmp_path / "nats", leaf="nats-leaf://e1:x@hub:7422")
    hub = EdgeChoice(listen="0.0.0.0:7422").engine("p", tmp_path)
    assert hub == EngineSpec(plane="p", folder=tmp_path / "nats", leafs=7422, leafs_host="0.0.0.0")
    shared = EngineSpec(plane="p", url="nats://cluster:4222")
    assert EdgeChoice(listen="external").engine("p", None, shared) == shared
    assert EdgeChoice(listen="0").engine("p", tmp_path) == EngineSpec(plane="p", folder=tmp_path / "nats", leafs=True)
    assert len(EdgeChoice(listen="0").features()) == 1


def test_a_url_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match="NT-EDGE-007"):
        EdgeChoice(leaf="http://hub").engine("p", tmp_path)


def test_a_hub_that_takes_tokens_needs_the_edges_name(tmp_path: Path) -> None:
    creds = tmp_path / "e1.creds"
    spec = EdgeChoice(leaf="nats-leaf://hub:7422", credentials=creds, name="e1").engine("p", tmp_path)
    assert spec is not None
    assert (spec.leaf, spec.leaf_credentials) == ("nats-leaf://hub:7422", creds)
    with pytest.raises(click.UsageError, match="--edge NAME"):
        EdgeChoice(leaf="nats-leaf://hub:7422", credentials=creds).features()
