"""Made anew from the messages, all that is derived is as it was; killed on the way, it goes on where it was."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from support.person import Bags

from keepsake.bench.people import SyntheticPerson
from keepsake.key import Ring
from keepsake.pipeline import rebuild as rebuilding
from keepsake.pipeline.house import House
from keepsake.pipeline.read import keep
from keepsake.pipeline.rebuild import rebuild
from keepsake.pipeline.shelf import Desk
from keepsake.record import Fact, Memory
from keepsake.store.contract import Store
from keepsake.store.sqlite import SqliteStores
from keepsake.words import Reader

SIZE = 700


@pytest.fixture
def house() -> House:
    return cast(House, SimpleNamespace(reader=Reader(), embedder=Bags()))


@pytest.fixture
def desk(tmp_path: Path, house: House) -> Desk:
    ring = Ring(tmp_path / "keys")
    ring.make("ada")
    desk = Desk("ada", ring, SqliteStores(tmp_path / "people", ring).open("ada"), house.embedder)
    messages = list(SyntheticPerson(size=SIZE).messages())
    for start in range(0, SIZE, 100):
        keep(
            desk.store,
            messages[start : start + 100],
            reader=house.reader,
            embedder=house.embedder,
            model=desk.model,
            log=desk.log,
            folder=desk.folder,
            by="test",
        )
    return desk


def derived(store: Store) -> tuple[list[Memory], list[Fact], dict[str, Any]]:
    """Everything that is made of messages."""
    vectors = {
        name: row.tolist()
        for names, _, rows in store.vectors(Bags.model)
        for name, row in zip(names, np.round(rows, 2), strict=True)
    }
    return store.memories(limit=10 * SIZE), sorted(store.facts(as_of=1e11), key=lambda fact: fact.id), vectors


def test_all_is_as_it_was(house: House, desk: Desk) -> None:
    before = derived(desk.store)
    records = desk.store.record_count()
    seen: list[float] = []

    assert rebuild(house, desk, lambda share, what: seen.append(share)) == SIZE
    assert derived(desk.store) == before
    assert desk.store.record_count() == records
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_killed_on_the_way_it_goes_on_where_it_was(house: House, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "PAGE", 64)
    before = derived(desk.store)

    def kill(share: float, what: str) -> None:
        if share > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(house, desk, kill)
    seen: list[float] = []
    rebuild(house, desk, lambda share, what: seen.append(share))

    assert min(seen) > 0.4
    assert derived(desk.store) == before


def test_a_message_that_comes_meanwhile_is_read_once(house: House, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "PAGE", 64)
    late = [SyntheticPerson(size=SIZE + 1).message(SIZE + 1)]

    def capture(share: float, what: str) -> None:
        if late:
            keep(
                desk.store,
                [late.pop()],
                reader=house.reader,
                embedder=house.embedder,
                model=desk.model,
                log=desk.log,
                folder=desk.folder,
                by="test",
            )

    assert rebuild(house, desk, capture) == SIZE
    assert desk.store.head() == SIZE + 1
    assert {memory.seq for memory in desk.store.memories(limit=10 * SIZE)} == set(range(1, SIZE + 2))
