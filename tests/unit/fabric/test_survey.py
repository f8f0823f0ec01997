"""What a durable plane has against servers."""

from __future__ import annotations

from typing import Any

import pytest

from natant.errors import FabricError
from natant.fabric.nats.survey import ServerFacts, complaints, facts_of, refuse_unsafe


def server(**facts: Any) -> ServerFacts:
    return ServerFacts(**{"name": "a", "version": "2.15.1", "is_synced": True, **facts})


@pytest.mark.parametrize(
    ("servers", "codes"),
    [
        ([server()], []),
        ([server(version="2.10.27")], ["bad NT-FABRIC-003"]),
        ([server(has_jetstream=False)], ["bad NT-FABRIC-005"]),
        ([server(has_jetstream=False, cluster="c")], ["note NT-FABRIC-005"]),
        ([server(is_synced=None)], ["note NT-FABRIC-009"]),
        ([server(is_synced=False, sync_s=120.0)], ["bad NT-FABRIC-009"]),
        ([server(is_synced=False, sync_s=120.0, cluster="c", cluster_size=3)], ["note NT-FABRIC-009"]),
        ([server(cluster="c", cluster_size=2)] * 2, ["bad NT-FABRIC-012"]),
        ([server(cluster="c", cluster_size=3)] * 3, []),
        ([server(cluster="c", cluster_size=4)] * 4, ["note NT-FABRIC-012"]),
    ],
)
def test_servers_are_judged(servers: list[ServerFacts], codes: list[str]) -> None:
    assert [f"{found.level} {found.code}" for found in complaints(servers)] == codes


def test_an_unsafe_server_is_refused_with_what_to_do() -> None:
    with pytest.raises(FabricError, match=r"NT-FABRIC-009.*120 s.*sync_interval: always"):
        refuse_unsafe([server(is_synced=False, sync_s=120.0)], "nats://x")


def test_what_is_only_worth_knowing_is_returned() -> None:
    assert [note.code for note in refuse_unsafe([server(is_synced=None)], "nats://x")] == ["NT-FABRIC-009"]


def test_general_information_of_a_server_is_read() -> None:
    stream = {"config": {"sync_interval": 120_000_000_000, "domain": "hub"}, "meta": {"cluster_size": 3}}

    assert facts_of({"server_name": "a", "version": "2.15.1", "cluster": {"name": "c"}, "jetstream": stream}) == (
        server(is_synced=False, sync_s=120.0, cluster="c", cluster_size=3, domain="hub")
    )
    assert facts_of({}) == ServerFacts(name="", version="", has_jetstream=False)
