"""What servers are told about edges."""

from __future__ import annotations

from pathlib import Path

import pytest

from natant.errors import EdgeError
from natant.fabric.nats import leaf
from natant.fabric.nats.leaf import Edges, edge_of, edge_user, leaf_remote, leaf_url


def test_the_planes_subjects_do_not_cross_the_cable() -> None:
    remote = leaf_remote("nats-leaf://e1:x@hub:7422, nats-leaf://e1:x@hub2:7422", None)

    assert remote["urls"] == ["nats-leaf://e1:x@hub:7422", "nats-leaf://e1:x@hub2:7422"]
    assert {"natant.>", "$KV.>", "$O.>"} <= set(remote["deny_imports"]) == set(remote["deny_exports"])


def test_an_edge_may_do_little() -> None:
    rights = edge_user("natant-edge.p", "e1", "x")["permissions"]

    assert rights == {
        "publish": ["natant-edge.p.in.e1", "natant-edge.p.new.e1", "natant-edge.p.ask.e1"],
        "subscribe": ["natant-edge.p.ack.e1.>"],
    }


def test_the_url_names_the_edge() -> None:
    assert edge_of(leaf_url("e1", "a/b:c@d", "hub:7422")) == "e1"
    assert edge_of("nats-leaf://hub:7422") == ""


@pytest.mark.parametrize(
    "url", ["", "hub:7422", "http://hub:7422", "nats-leaf://", "nats-leaf://e:secret@hub:x", "nats-leaf://[::1"]
)
def test_what_is_no_hub_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(EdgeError, match="NT-EDGE-007") as caught:
        leaf_remote(url, None)

    assert "secret" not in str(caught.value)


def test_edges_are_kept_for_their_owners_eyes_only(tmp_path: Path) -> None:
    edges = Edges(tmp_path)
    assert edges.all() == {}
    assert edges.look() == (0, {})

    password = edges.add("e1")

    assert edges.add("e1") == password != edges.add("e2")
    assert list(Edges(tmp_path).all()) == ["e1", "e2"]
    assert edges.path.stat().st_mode & 0o777 == 0o600
    assert list(edges.look()[1]) == ["e1", "e2"]
    assert edges.remove("e1")
    assert not edges.remove("e1")
    assert list(edges.all()) == ["e2"]


@pytest.mark.parametrize("text", ["", "[]", '{"e1": 7}', "{"])
def test_a_list_of_edges_that_was_changed_by_hand_is_refused(tmp_path: Path, text: str) -> None:
    edges = Edges(tmp_path)
    edges.path.write_text(text)

    with pytest.raises(EdgeError, match="NT-EDGE-011"):
        edges.all()


def test_there_is_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaf, "EDGE_LIMIT", 1)
    edges = Edges(tmp_path)
    edges.add("e1")

    with pytest.raises(EdgeError, match="NT-EDGE-011"):
        edges.add("e2")
    assert edges.add("e1")
