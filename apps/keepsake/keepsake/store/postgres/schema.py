"""A person's schema and role, and the connection that enters no other one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from keepsake.errors import KeepsakeError
from keepsake.key import PersonKey
from keepsake.store.codec import digest
from keepsake.store.postgres.halves import register
from keepsake.store.seal import Seal

if TYPE_CHECKING:
    import psycopg

__all__ = ["Connection", "drop", "make", "name_of", "psycopg_of"]

SCHEMA: Final = 1

CONNECT_TIMEOUT_S: Final = 10

#: how long one transaction waits for another one of the same person
LOCK_TIMEOUT_MS: Final = 30_000

_TABLES: Final = """
create table about(name text primary key, value bytea not null);
create table message(seq bigint primary key, name bytea not null unique, body bytea not null);
create table removed(name bytea primary key);
create table memory(
    row bigint primary key, name bytea not null unique, stream bytea not null, said_at float8 not null,
    folds bigint, body bytea not null);
create index on memory(said_at, row);
create index on memory(folds) where folds is not null;
create table label(name bytea not null, row bigint not null, primary key(name, row));
create index on label(row);
create table word(
    term bigint not null, row bigint not null, count integer not null, length integer not null, primary key(term, row));
create index on word(row);
create table model(number integer generated always as identity primary key, name text not null unique, dimension integer not null);
create table vector(model integer not null, row bigint not null, data public.halfvec not null, primary key(model, row));
create table fact(
    name bytea primary key, message bytea not null, subject bytea not null, seq bigint not null, said_at float8 not null,
    since float8 not null, ended float8, ender bytea, body bytea not null);
create index on fact(message);
create index on fact(ender) where ender is not null;
create table document(kind bytea not null, name bytea not null, label bytea not null, data bytea not null, primary key(kind, name));
create table record(number bigint primary key, body bytea not null);
create table mark(part text primary key, seq bigint not null);
"""


def psycopg_of() -> Any:
    """The driver.

    :raises KeepsakeError: ``KS-STORE-010`` where it is not installed.
    """
    try:
        import psycopg
    except ImportError:
        raise KeepsakeError(
            "KS-STORE-010", "a store in PostgreSQL needs psycopg: pip install 'keepsake[postgres]'"
        ) from None
    return psycopg


def name_of(person: str) -> str:
    """What a person's role and schema are called."""
    return f"keepsake_{digest(person)}"


def password_of(key: PersonKey) -> str:
    """The password of a person's role: whoever has not the key cannot enter as the person."""
    return key.derive("postgres").hex()


@contextlib.contextmanager
def translated(place: str) -> Iterator[None]:
    """Errors of PostgreSQL as coded ones."""
    driver = psycopg_of()
    try:
        yield
    except (driver.errors.LockNotAvailable, driver.errors.QueryCanceled) as fault:
        raise KeepsakeError(
            "KS-STORE-007", f"{place} is held by another transaction for more than {LOCK_TIMEOUT_MS // 1000} s: {fault}"
        ) from None
    except driver.errors.InvalidSchemaName:
        raise gone(place) from None
    except driver.errors.UndefinedTable:
        raise gone(place) from None
    except driver.Error as fault:
        raise KeepsakeError("KS-STORE-008", f"{place} cannot be written or read: {fault}; nothing was stored") from None


def gone(place: str) -> KeepsakeError:
    """The error of a store that is no more."""
    return KeepsakeError("KS-STORE-006", f"{place} was erased while it was open; nothing was stored")


class Connection:
    """A person's own connection.  One that broke is made again, outside of a transaction."""

    def __init__(self, url: str, seal: Seal) -> None:
        self.place = f"the schema {name_of(seal.key.person)}"
        self._url = url
        self._seal = seal
        self._was_open = False
        self._connection = self._connect()
        self._was_open = True
        self.is_writing = False

    def _connect(self) -> psycopg.Connection[Any]:
        driver = psycopg_of()
        name = name_of(self._seal.key.person)
        options = f"-c search_path={name},public -c synchronous_commit=on -c lock_timeout={LOCK_TIMEOUT_MS}"
        try:
            connection = driver.connect(
                self._url,
                user=name,
                password=password_of(self._seal.key),
                options=options,
                autocommit=True,
                connect_timeout=CONNECT_TIMEOUT_S,
            )
            register(connection)
            return connection  # type: ignore[no-any-return]
        except driver.OperationalError as fault:
            if "authentication failed" in str(fault) or "not permitted to log in" in str(fault):
                raise self._refusal() from None
            raise KeepsakeError("KS-STORE-008", f"PostgreSQL cannot be reached: {fault}") from None

    def _refusal(self) -> KeepsakeError:
        """The server knows no such role, or another password of it; it does not say which."""
        if self._was_open:
            return gone(self.place)
        return KeepsakeError("KS-STORE-001", f"{self.place} cannot be opened with the person's key")

    def _run(self, question: str, values: Any) -> psycopg.Cursor[Any]:
        driver = psycopg_of()
        if self._connection.closed and not self.is_writing:
            self._connection = self._connect()
        with translated(self.place):
            try:
                return self._connection.execute(question, values, binary=True)
            except driver.OperationalError:
                if not self._connection.closed or self.is_writing:
                    raise
        self._connection = self._connect()
        with translated(self.place):
            return self._connection.execute(question, values, binary=True)

    def all(self, question: str, values: Any = ()) -> list[tuple[Any, ...]]:
        """All rows that answer."""
        return self._run(question, values).fetchall()

    def one(self, question: str, values: Any = ()) -> tuple[Any, ...] | None:
        """The first row that answers."""
        return self._run(question, values).fetchone()

    def do(self, command: str, values: Any = ()) -> int:
        """Change something; gives how many rows were changed."""
        return self._run(command, values).rowcount

    def many(self, command: str, values: list[tuple[Any, ...]]) -> None:
        """The same change for many values, sent together."""
        if values:
            with translated(self.place), self._connection.cursor() as cursor:
                cursor.executemany(command, values)

    def begin(self) -> None:
        """Begin a transaction; another one of the same person waits for its end."""
        self.do("begin")
        self.is_writing = True
        try:
            self.do("lock table message in share row exclusive mode")
        except BaseException:
            self.rollback()
            raise

    def commit(self) -> None:
        """End it, durably."""
        self.do("commit")
        self.is_writing = False

    def rollback(self) -> None:
        """Undo it."""
        self.is_writing = False
        if not self._connection.closed:
            with contextlib.suppress(psycopg_of().Error):
                self._connection.rollback()

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()


def make(admin: Any, seal: Seal) -> None:
    """Make a person's role and schema, where they are not there, whole or not at all."""
    from psycopg import sql

    name = name_of(seal.key.person)
    role, password = sql.Identifier(name), sql.Literal(password_of(seal.key))
    with admin.transaction():
        admin.execute("select pg_advisory_xact_lock(hashtext('keepsake'))")
        admin.execute("create extension if not exists vector schema public")
        if admin.execute("select 1 from pg_namespace where nspname = %s", (name,)).fetchone():
            return
        if not admin.execute("select 1 from pg_roles where rolname = %s", (name,)).fetchone():
            admin.execute(sql.SQL("create role {} login noinherit").format(role))
        admin.execute(sql.SQL("alter role {} password {}").format(role, password))
        admin.execute(sql.SQL("grant {} to current_user with inherit true, set true").format(role))
        admin.execute(sql.SQL("create schema {} authorization {}").format(role, role))
        admin.execute(sql.SQL("set local role {}").format(role))
        admin.execute(sql.SQL("set local search_path = {}").format(role))
        admin.execute(_TABLES)
        probe = seal.close(b"%d" % SCHEMA, "about/layout")
        admin.execute("insert into about values('layout', %s), ('seq', '0')", (probe,))
        admin.execute("reset role")


def drop(admin: Any, person: str) -> None:
    """End the person's connections, and remove schema and role."""
    from psycopg import sql

    name = name_of(person)
    role = sql.Identifier(name)
    with admin.transaction():
        admin.execute("select pg_advisory_xact_lock(hashtext('keepsake'))")
        if admin.execute("select 1 from pg_roles where rolname = %s", (name,)).fetchone():
            admin.execute(sql.SQL("alter role {} nologin").format(role))
    admin.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = %s", (name,))
    with admin.transaction():
        admin.execute("select pg_advisory_xact_lock(hashtext('keepsake'))")
        admin.execute(sql.SQL("drop schema if exists {} cascade").format(role))
        admin.execute(sql.SQL("drop role if exists {}").format(role))
