"""What PostgreSQL sees and allows: sealed contents, one schema a role, connections that break."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from keepsake.errors import KeepsakeError
from keepsake.key import Ring
from keepsake.record import Entity, Fact, Kind, Memory, Message, Share, Source
from keepsake.store.postgres import PostgresStore, PostgresStores
from keepsake.store.postgres.schema import name_of, password_of
from keepsake.store.seal import Seal

pytestmark = pytest.mark.slow

psycopg = pytest.importorskip("psycopg")


def fill(store: PostgresStore, body: str) -> None:
    with store.write() as writer:
        message, _ = writer.add_message(Message(f"canary:{store.head() + 1}", Kind.TEXT, 1.0, 1.0, body, "Canary"))
        memory = Memory(
            f"{message.id}#0", message.seq, 0, Kind.TEXT, body, 1.0, entities=(Entity("person", "Canary", 0, 1),),
            areas=(Share("canary", 1.0),), source=Source("canary"),
        )  # fmt: skip
        writer.put_memories([memory], np.array([[1.0, 0.0, 0.0]], np.float32), "toy")
        writer.put_fact(Fact("canary", "canary", "canary", "canary", memory.id, 1, 1.0, 1.0))
        writer.put_document("canary", "canary", b"canary")
        writer.append_record(b"canary")


def break_off(store: PostgresStore, end: Callable[[], object]) -> None:
    """A transaction in whose middle the connection ends."""
    with store.write() as writer:
        writer.put_document("a", "b", b"half")
        end()
        writer.put_document("a", "c", b"half")


@pytest.fixture
def stores(postgres: str, ring: Ring) -> PostgresStores:
    return PostgresStores(postgres, ring)


def test_the_server_reads_nothing(postgres: str, stores: PostgresStores) -> None:
    store = stores.open("ann")
    fill(store, "the canary sang")
    assert {"message", "memory", "fact", "document", "record", "word"} <= set(store.find("canary"))
    with psycopg.connect(postgres) as admin:
        tables = admin.execute("select tablename from pg_tables where schemaname = %s", (name_of("ann"),)).fetchall()
        assert len(tables) > 10
        for (table,) in tables:
            for (row,) in admin.execute(f'select t::text from {name_of("ann")}."{table}" t'):
                held = row.lower()
                assert "canary" not in held
                assert b"canary".hex() not in held
        (vector,) = admin.execute(f"select data::text from {name_of('ann')}.vector").fetchone()
        assert "1,0,0" not in vector
    store.close()
    stores.erase("ann")


def test_a_role_enters_no_other_schema(postgres: str, stores: PostgresStores, ring: Ring) -> None:
    for person in ("ann", "ben"):
        store = stores.open(person)
        fill(store, "the canary sang")
        store.close()
    password = password_of(ring.key("ben"))
    with psycopg.connect(postgres, user=name_of("ben"), password=password, autocommit=True) as ben:
        for question in ("select * from {}.message", "drop schema {} cascade", "set role {}", "create table {}.mine()"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                ben.execute(question.format(name_of("ann")))
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(postgres, user=name_of("ann"), password=password)
    for person in ("ann", "ben"):
        stores.erase(person)


def test_a_connection_that_broke_is_made_again(postgres: str, stores: PostgresStores) -> None:
    store = stores.open("ann")
    fill(store, "one")
    end = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = %s"
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute(end, (name_of("ann"),))
        assert [message.body for message in store.messages()] == ["one"]
        with pytest.raises(KeepsakeError, match="KS-STORE-008"):
            break_off(store, lambda: admin.execute(end, (name_of("ann"),)))
    assert store.documents("a") == []
    fill(store, "two")
    assert [message.body for message in store.messages()] == ["one", "two"]
    store.close()
    stores.erase("ann")


def test_a_row_given_for_another_is_refused(postgres: str, stores: PostgresStores) -> None:
    store = stores.open("ann")
    for body in ("one", "two"):
        fill(store, body)
    with psycopg.connect(postgres) as admin:
        schema = name_of("ann")
        admin.execute(
            f"update {schema}.message set body = (select body from {schema}.message where seq = 1) where seq = 2"
        )
    with pytest.raises(KeepsakeError, match="KS-KEY-002"):
        store.messages()
    store.close()
    stores.erase("ann")


def test_a_later_layout_is_refused(postgres: str, stores: PostgresStores, ring: Ring) -> None:
    stores.open("ann").close()
    later = Seal(ring.key("ann")).close(b"9", "about/layout")
    with psycopg.connect(postgres) as admin:
        admin.execute(f"update {name_of('ann')}.about set value = %s where name = 'layout'", (later,))
    with pytest.raises(KeepsakeError, match="KS-STORE-002"):
        stores.open("ann")
    stores.erase("ann")


def test_a_server_out_of_reach_is_told(tmp_path: Path, ring: Ring) -> None:
    with pytest.raises(KeepsakeError, match="KS-STORE-008"):
        PostgresStores(f"postgresql://postgres@/postgres?host={tmp_path}", ring).open("ann")


def test_a_driver_that_is_not_installed_is_told(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(KeepsakeError, match=r"KS-STORE-010.*keepsake\[postgres\]"):
        PostgresStores("postgresql://nowhere", ring).open("ann")


def test_turned_vectors_keep_their_cosines_and_hide_their_directions(ring: Ring) -> None:
    ann, ben = Seal(ring.key("ann")), Seal(ring.key("ben"))
    rows = np.random.default_rng(1).standard_normal((50, 64)).astype(np.float32)
    turned = ann.turn(rows)
    assert np.allclose(turned @ turned.T, rows @ rows.T, atol=1e-3)
    assert np.allclose(ann.turn_back(turned), rows, atol=1e-4)
    assert abs(np.corrcoef(turned.ravel(), rows.ravel())[0, 1]) < 0.1
    assert not np.allclose(turned, ben.turn(rows), atol=0.5)
    assert Seal(ring.key("ann")).turn(rows) == pytest.approx(turned)
