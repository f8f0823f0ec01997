"""The contract on a chain in this process: anchors bind, proofs are checked by the chain, strangers change nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from keepsake.custody import Action, Log, chain, tree
from keepsake.custody.chain import ChainAnchor
from keepsake.errors import KeepsakeError
from keepsake.key import PersonKey, Ring
from keepsake.store.sqlite import SqliteStores

pytestmark = pytest.mark.slow

KEYS = ["0x" + f"{number:064x}" for number in (1, 2)]


@pytest.fixture(scope="module")
def web3() -> Any:
    from web3 import EthereumTesterProvider, Web3

    node = Web3(EthereumTesterProvider())
    rich = node.eth.accounts[0]
    for key in KEYS:
        account = node.eth.account.from_key(key)
        node.eth.send_transaction({"from": rich, "to": account.address, "value": node.to_wei(10, "ether")})
    return node


@pytest.fixture(scope="module")
def address(web3: Any) -> str:
    return chain.deploy(web3, KEYS[0])


class Person:
    """A person with a log in a store of their own."""

    def __init__(self, folder: Path, people: str = "people") -> None:
        self.ring = Ring(folder / "keys")
        self.key: PersonKey = self.ring.make("ann")
        self.store = SqliteStores(folder / people, self.ring).open("ann")
        self.log = Log(self.store, self.key, lambda: 1_700_000_000.0)

    def fill(self, count: int, word: str = "entry") -> None:
        with self.store.write() as writer:
            for number in range(count):
                self.log.append(writer, Action.STORED, f"diary:{word}{number}", by="ann")


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return Person(tmp_path)


def test_the_chain_holds_the_log_to_its_head_and_checks_proofs(web3: Any, address: str, person: Person) -> None:
    anchor = ChainAnchor(web3, address, KEYS[0])
    person.fill(13)
    proof = json.loads(anchor.put(person.log, person.log.checkpoint()))
    person.fill(300)
    anchor.put(person.log, person.log.checkpoint())

    assert proof["size"] == 13
    assert web3.eth.get_transaction_receipt("0x" + proof["transaction"].removeprefix("0x"))["status"] == 1
    for size in (13, 313):
        for index in (0, 7, size - 1):
            (record,) = person.store.records(index, 1)
            path = tree.inclusion(person.log._tiles.node, index, size)
            assert anchor.proves(person.log, size, index, record, path)
            assert not anchor.proves(person.log, size, index, b"forged", path)
            assert not anchor.proves(person.log, size, index, record, path[:-1])
            assert not anchor.proves(person.log, size, (index + 1) % size, record, path)
    assert not anchor.proves(person.log, 14, 0, record, [])


def test_another_history_is_refused(web3: Any, address: str, person: Person) -> None:
    anchor = ChainAnchor(web3, address, KEYS[0])
    person.fill(5)
    anchor.put(person.log, person.log.checkpoint())
    other = Person(person.ring.folder.parent, "rewritten")
    other.fill(9, "other")

    with pytest.raises(KeepsakeError, match="KS-CUSTODY-015"):
        anchor.put(other.log, other.log.checkpoint())


def test_a_stranger_cannot_go_on_with_somebodys_log(web3: Any, address: str, person: Person) -> None:
    person.fill(5)
    ChainAnchor(web3, address, KEYS[0]).put(person.log, person.log.checkpoint())
    person.fill(5)

    with pytest.raises(KeepsakeError, match="KS-CUSTODY-016"):
        ChainAnchor(web3, address, KEYS[1]).put(person.log, person.log.checkpoint())


def test_the_shipped_contract_is_what_its_source_compiles_to() -> None:
    from vyper import compile_code

    folder = Path(chain.__file__).parent
    shipped = json.loads((folder / "anchor.json").read_text("utf-8"))
    compiled = compile_code((folder / "anchor.vy").read_text("utf-8"), output_formats=["abi", "bytecode"])

    assert shipped["bytecode"] == compiled["bytecode"]
    assert shipped["abi"] == compiled["abi"]


def test_what_to_install_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "web3", None)

    with pytest.raises(KeepsakeError, match=r"KS-CUSTODY-017.*keepsake\[evm\]"):
        chain.connect("http://127.0.0.1:1")
