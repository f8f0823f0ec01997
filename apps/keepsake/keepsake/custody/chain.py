"""A contract on an EVM chain as anchor: sizes and roots that nobody can take back, and proofs that the chain itself checks.

``anchor.vy`` is the contract, ``anchor.json`` what its compiler makes of it.  A log is named on the chain by the SHA-256 of the key that
signs it, which tells nothing of the person.  Any JSON-RPC node will do; the tests run a chain in their own process.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from keepsake.custody import note
from keepsake.custody.anchor import check_grown
from keepsake.custody.log import Log
from keepsake.custody.tree import leaf_hash
from keepsake.errors import KeepsakeError

if TYPE_CHECKING:
    from web3 import Web3

__all__ = ["ChainAnchor", "connect", "deploy"]

#: until a transaction is in a block
WAIT_S: Final = 120.0

_COMPILED: Final = Path(__file__).with_name("anchor.json")


def _contract(web3: Web3, address: str | None = None) -> Any:
    compiled = json.loads(_COMPILED.read_text("utf-8"))
    known = {} if address is None else {"address": web3.to_checksum_address(address)}
    return web3.eth.contract(abi=compiled["abi"], bytecode=compiled["bytecode"], **known)


def connect(url: str) -> Web3:
    """A node by its JSON-RPC address.

    :raises KeepsakeError: ``KS-CUSTODY-017`` where the library is not installed.
    """
    try:
        from web3 import Web3 as Node
    except ImportError:
        raise KeepsakeError(
            "KS-CUSTODY-017", "an EVM chain as anchor needs the package web3: pip install 'keepsake[evm]'"
        ) from None
    return Node(Node.HTTPProvider(url))


def _send(web3: Web3, key: str, call: Any) -> Any:
    """Sign a transaction here, send it, wait for its block; gives the receipt."""
    sender = web3.eth.account.from_key(key)
    built = call.build_transaction(
        {"from": sender.address, "nonce": web3.eth.get_transaction_count(sender.address, "pending")}
    )
    signed = sender.sign_transaction(built)
    receipt = web3.eth.wait_for_transaction_receipt(
        web3.eth.send_raw_transaction(signed.raw_transaction), timeout=WAIT_S
    )
    if receipt["status"] != 1:
        raise ValueError(f"the transaction {receipt['transactionHash'].hex()} was reverted")
    return receipt


def deploy(web3: Web3, key: str) -> str:
    """Put the contract on the chain; gives its address.

    :param key: the private key of the account that pays, in hex.
    """
    return str(_send(web3, key, _contract(web3).constructor())["contractAddress"])


class ChainAnchor:
    """Notes heads in the contract.

    :param address: of the contract.
    :param key: the private key of the account that pays, in hex.  The first one to anchor a log is the only one who goes on with it.
    """

    name = "evm"

    def __init__(self, web3: Web3, address: str, key: str) -> None:
        self._web3 = web3
        self._address = address
        self._contract = _contract(web3, address)
        self._key = key

    @staticmethod
    def origin(log: Log) -> bytes:
        """The log's name on the chain."""
        return hashlib.sha256(log.public).digest()

    def put(self, log: Log, checkpoint: str) -> str:
        """Contract and transaction, as JSON."""
        new = note.verify(checkpoint, log.public, origin=log.origin)
        name = self.origin(log)
        try:
            latest = self._contract.functions.latest(name).call()
            if latest:
                known = self._contract.functions.root(name, latest).call()
                check_grown(log, note.Checkpoint(log.origin, latest, known, ""), new)
            proof = {"chain": self._web3.eth.chain_id, "contract": self._address, "log": name.hex(), "size": new.size}
            if latest < new.size:
                receipt = _send(self._web3, self._key, self._contract.functions.anchor(name, new.size, new.root))
                proof |= {"transaction": receipt["transactionHash"].hex(), "block": receipt["blockNumber"]}
        except KeepsakeError:
            raise
        except Exception as fault:  # each provider has errors of its own
            raise KeepsakeError("KS-CUSTODY-016", f"the chain did not take the anchor: {str(fault)[:300]}") from None
        return json.dumps(proof, sort_keys=True)

    def proves(self, log: Log, size: int, index: int, record: bytes, path: list[bytes]) -> bool:
        """Whether the chain finds a record in an anchored head, by an inclusion proof."""
        found = self._contract.functions.verify(self.origin(log), size, index, leaf_hash(record), path).call()
        return bool(found)
