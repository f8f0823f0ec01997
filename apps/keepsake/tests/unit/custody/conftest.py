"""A store in memory with the parts of the contract that custody needs, and a clock that a test moves."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import pytest
from hypothesis import settings

from keepsake.custody import Log
from keepsake.key import PersonKey
from keepsake.record import Message
from keepsake.store.contract import Store, Writer

# how long an example takes is the machine's affair
settings.register_profile("calm", deadline=None)
settings.load_profile("calm")


class MemoryStore:
    """Documents, records and messages; a transaction that fails leaves nothing."""

    def __init__(self, person: str) -> None:
        self.person = person
        self.kept: dict[tuple[str, str], bytes] = {}
        self.log: list[bytes] = []
        self.told: dict[str, Message] = {}

    @contextmanager
    def write(self) -> Iterator[Writer]:
        before = copy.copy((self.kept, self.log, self.told))
        self.kept, self.log, self.told = dict(self.kept), list(self.log), dict(self.told)
        try:
            yield cast(Writer, self)
        except BaseException:
            self.kept, self.log, self.told = before
            raise

    def add_message(self, message: Message) -> tuple[Message, bool]:
        is_new = message.id not in self.told
        return self.told.setdefault(message.id, message), is_new

    def remove_message(self, message: str) -> tuple[str, ...]:
        return (f"{message}#0",) if self.told.pop(message, None) else ()

    def message(self, message: str) -> Message | None:
        return self.told.get(message)

    def put_document(self, kind: str, name: str, data: bytes) -> None:
        self.kept[kind, name] = data

    def remove_document(self, kind: str, name: str) -> None:
        self.kept.pop((kind, name), None)

    def append_record(self, record: bytes) -> int:
        self.log.append(record)
        return len(self.log) - 1

    def document(self, kind: str, name: str) -> bytes | None:
        return self.kept.get((kind, name))

    def documents(self, kind: str) -> list[str]:
        return sorted(name for its, name in self.kept if its == kind)

    def records(self, start: int = 0, limit: int = 1000) -> list[bytes]:
        return self.log[start : start + limit]

    def record_count(self) -> int:
        return len(self.log)

    def find(self, needle: str) -> list[str]:
        wanted = needle.encode()
        found = ["documents"] if any(wanted in data for data in self.kept.values()) else []
        found += ["messages"] if any(needle in message.body for message in self.told.values()) else []
        return found + (["records"] if any(wanted in record for record in self.log) else [])


class Clock:
    """Time as a test wants it."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def key() -> PersonKey:
    return PersonKey("ann", bytes(range(32)))


@pytest.fixture
def make_store() -> Callable[[str], Store]:
    return lambda person: cast(Store, MemoryStore(person))


@pytest.fixture
def store(make_store: Callable[[str], Store]) -> Store:
    return make_store("ann")


@pytest.fixture
def log(store: Store, key: PersonKey, clock: Clock) -> Log:
    return Log(store, key, clock)
