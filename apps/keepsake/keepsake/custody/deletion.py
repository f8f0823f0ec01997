"""Deletion: an order that every part has to carry out and confirm, then a search, then a signed certificate.

An order is written down before anything is removed, so that a process which dies leaves it open and another one goes on.  Parts
confirm in the person's log.  Whatever is still found afterwards keeps the order open: a deletion is over when nothing is left, not
when everybody says so.  The store itself refuses a message that was removed if it comes again (`Writer.remove_message`).

Documents: ``deletion`` (orders, by id), ``confirmation`` (``ID/PART``), ``sought`` (sealed, what to search for; removed at the end),
``certificate``.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Final, Protocol

from keepsake.custody.certificate import Signer, certify
from keepsake.custody.log import Log
from keepsake.custody.record import Action
from keepsake.errors import KeepsakeError
from keepsake.key import PersonKey
from keepsake.record import Message
from keepsake.store.contract import Blobs, Store
from keepsake.words.term import terms

__all__ = ["BlobPart", "Deletion", "Order", "Part"]

#: messages in one order
ORDER_MESSAGES: Final = 10_000

#: contents that are searched for when all parts have confirmed: the longest, since a search reads all that there is
SOUGHT: Final = 3

#: shorter contents ("yes", "see you") are said again and again and prove nothing
SOUGHT_CHARACTERS: Final = 12

#: memories that are looked at to see whether the same was said elsewhere
LOOKED_AT: Final = 50

PURPOSE: Final = "lane"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be deleted.

    :ivar messages: ids.
    :ivar sounds: names of recordings in the blob store.
    :ivar by: who ordered it.
    :ivar at: when, epoch milliseconds.
    :ivar key: names the person's key (`Log.key_digest`): another person may get the same id later.
    """

    id: str
    person: str
    messages: tuple[str, ...]
    sounds: tuple[str, ...]
    by: str
    at: int
    key: str = ""


class Part(Protocol):
    """Something that may hold what is to be deleted: a model, an index, an agent, a queue.

    :ivar name: its name in confirmations and certificates.
    """

    name: str

    def remove(self, order: Order) -> int:
        """Remove what was derived from the order's messages; gives how many things went.  Called again after a failure."""
        ...

    def find(self, text: str) -> list[str]:
        """Where the part still holds a text."""
        ...


class BlobPart:
    """Recordings in a blob store."""

    name = "blob"

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def remove(self, order: Order) -> int:
        """Remove the recordings."""
        for sound in order.sounds:
            self._blobs.remove(order.person, sound)
        return len(order.sounds)

    def find(self, text: str) -> list[str]:
        """Sealed bytes hold no text."""
        return []


class Deletion:
    """The orders of one person."""

    def __init__(self, store: Store, key: PersonKey, log: Log, now: Callable[[], float]) -> None:
        self._store = store
        self._key = key
        self._log = log
        self._now = now

    def order(self, messages: Sequence[str], *, by: str, id: str = "") -> Order:  # noqa: A002  the field's name
        """Write down what is to be deleted.  The same id again gives the order that is there.

        :raises KeepsakeError: ``KS-CUSTODY-008`` where it names nothing, or too much for one order.
        """
        known = self.find(id) if id else None
        if known is not None:
            return known
        if not 0 < len(messages) <= ORDER_MESSAGES:
            raise KeepsakeError(
                "KS-CUSTODY-008", f"a deletion names 1 to {ORDER_MESSAGES} messages, this one {len(messages)}; split it"
            )
        found = [message for name in messages if (message := self._store.message(name)) is not None]
        sounds = tuple(message.sound for message in found if message.sound)
        at = int(self._now() * 1000)
        name = id or secrets.token_hex(8)
        made = Order(name, self._key.person, tuple(messages), sounds, by, at, key=self._log.key_digest)
        sought = json.dumps(_sought(found)).encode()
        with self._store.write() as writer:
            writer.put_document("deletion", made.id, json.dumps(asdict(made)).encode())
            writer.put_document("sought", made.id, self._key.seal(sought, PURPOSE, f"sought:{made.id}"))
            self._log.append(writer, Action.ORDERED, f"deletion/{made.id}", by=by)
        return made

    def find(self, order: str) -> Order | None:
        """An order by its id."""
        data = self._store.document("deletion", order)
        if data is None:
            return None
        fields = json.loads(data)
        return Order(**(fields | {"messages": tuple(fields["messages"]), "sounds": tuple(fields["sounds"])}))

    def open(self) -> list[Order]:
        """Orders that are not carried out to the end; whoever starts goes on with them."""
        done = set(self._store.documents("certificate"))
        return [order for id in self._store.documents("deletion") if id not in done and (order := self.find(id))]  # noqa: A001

    def carry_out(self, order: Order, parts: Sequence[Part], signers: Sequence[Signer] = ()) -> bytes:
        """Remove, confirm, search, certify; gives the certificate (`keepsake.custody.certificate`).  Goes on where it was left.

        :param parts: all that may hold what came of the messages, besides the store; they are asked in this order.
        :param signers: who signs besides the person's own key.
        :raises KeepsakeError: ``KS-CUSTODY-009`` where something is still found; the order stays open.
        """
        known = self._store.document("certificate", order.id)
        if known is not None:
            return known
        self._empty_store(order)
        for part in parts:
            if self._confirmed(order, part.name) is None:
                self._confirm(order, part.name, part.remove(order))
        elsewhere = self._search(order, parts)
        return self._close(order, [part.name for part in parts], elsewhere, signers)

    def _confirmed(self, order: Order, part: str) -> dict[str, object] | None:
        data = self._store.document("confirmation", f"{order.id}/{part}")
        if data is None:
            return None
        found: dict[str, object] = json.loads(data)
        return found

    def _empty_store(self, order: Order) -> None:
        """Rows, words, vectors, facts and salts, and their confirmation, in one transaction."""
        if self._confirmed(order, "store") is not None:
            return
        with self._store.write() as writer:
            removed = 0
            for message in order.messages:
                removed += len(writer.remove_message(message))
                self._log.forget(writer, message)
            fields = {"part": "store", "removed": removed, "at": int(self._now() * 1000)}
            writer.put_document("confirmation", f"{order.id}/store", json.dumps(fields).encode())
            self._log.append(writer, Action.CONFIRMED, f"deletion/{order.id}/store", by="service/store")

    def _confirm(self, order: Order, part: str, removed: int) -> None:
        fields = {"part": part, "removed": removed, "at": int(self._now() * 1000)}
        with self._store.write() as writer:
            writer.put_document("confirmation", f"{order.id}/{part}", json.dumps(fields).encode())
            self._log.append(writer, Action.CONFIRMED, f"deletion/{order.id}/{part}", by=f"service/{part}")

    def _search(self, order: Order, parts: Sequence[Part]) -> int:
        """Look for the contents everywhere; gives how many of them were also said in messages that stay."""
        sealed = self._store.document("sought", order.id)
        assert sealed is not None, order.id
        elsewhere = 0
        for text in json.loads(self._key.open(sealed, PURPOSE, f"sought:{order.id}")):
            places = [f"store/{place}" for place in self._store.find(text)]
            places += [f"{part.name}/{place}" for part in parts for place in part.find(text)]
            if places and self._is_said_elsewhere(text):
                elsewhere += 1
            elif places:
                raise KeepsakeError(
                    "KS-CUSTODY-009",
                    f"the deletion {order.id} of {order.person} is not over: content is still found in {', '.join(places)}",
                )
        return elsewhere

    def _is_said_elsewhere(self, text: str) -> bool:
        wanted = " ".join(terms(text))
        for name, _ in self._store.search(text, limit=LOOKED_AT):
            memory = self._store.memory(name)
            if memory and (text.casefold() in memory.text.casefold() or wanted in " ".join(terms(memory.text))):
                return True
        return False

    def _close(self, order: Order, parts: Sequence[str], elsewhere: int, signers: Sequence[Signer]) -> bytes:
        """Certify within the transaction that ends the order."""
        confirmed = [self._confirmed(order, part) for part in ("store", *parts)]
        certificate = certify(
            {
                "what": "messages",
                "deletion": order.id,
                "person": order.person,
                "ordered_by": order.by,
                "ordered_at": order.at,
                "finished_at": int(self._now() * 1000),
                "messages": list(order.messages),
                "recordings": len(order.sounds),
                "parts": confirmed,
                "said_elsewhere": elsewhere,
            },
            [Signer(self._log.origin, self._key.signer()), *signers],
        )
        with self._store.write() as writer:
            writer.put_document("certificate", order.id, certificate)
            writer.remove_document("sought", order.id)
            self._log.append(writer, Action.DELETED, f"deletion/{order.id}", certificate, by=order.by)
        return certificate


def _sought(messages: Sequence[Message]) -> list[str]:
    """The longest contents: what has to be found nowhere."""
    bodies = {message.body.strip() for message in messages}
    return sorted((body for body in bodies if len(body) >= SOUGHT_CHARACTERS), key=len, reverse=True)[:SOUGHT]
