"""What must be true of the state after any number of kills; the checker knows nothing of processes, files or HTTP.

1. Every acknowledged command is in the state exactly once, every other at most once, and nothing is there that nobody sent.
2. A turn is in the state whole or not at all: count, sum, list and timers of a ledger agree.
3. Within a ledger the commands of each writer stand in the order in which they were sent.
4. What was sent between agents arrived exactly once, over both hops.
5. Each timer that was set rang exactly once.
6. The source's numbers came once each, in order, without a hole.
7. Of commands that were acknowledged, the answers were right: no two with the same count of one ledger.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["History", "Sent", "State", "audit"]

#: complaints of one kind that are listed
LISTED: Final = 5


@dataclass
class Sent:
    """One command that a writer sent; ``answer`` is what was acknowledged, None where nothing was."""

    key: str
    ledger: int
    number: int
    amount: int
    answer: int | None = None


@dataclass
class History:
    """What the writers saw."""

    sent: dict[str, Sent] = field(default_factory=dict)
    #: answers to a command that came again which differ from the first
    contradictions: list[str] = field(default_factory=list)

    @property
    def acknowledged(self) -> int:
        """How many commands were."""
        return sum(sent.answer is not None for sent in self.sent.values())


@dataclass
class State:
    """What the agents hold: per agent its lanes, as JSON gives them."""

    ledgers: dict[int, dict[str, Any]]
    accounts: dict[int, dict[str, Any]]
    feeds: dict[int, dict[str, Any]]
    total: dict[str, Any]


class _Complaints:
    def __init__(self) -> None:
        self._kinds: dict[str, list[str]] = {}

    def add(self, kind: str, what: str) -> None:
        self._kinds.setdefault(kind, []).append(what)

    def lines(self) -> list[str]:
        return [
            f"{kind}: {', '.join(whats[:LISTED])}" + (f" and {len(whats) - LISTED} more" if len(whats) > LISTED else "")
            for kind, whats in self._kinds.items()
        ]


def audit(history: History, state: State, *, may_come_late: bool = False) -> list[str]:
    """What is wrong; empty where all is well.

    :param may_come_late: a command that its writer gave up may take effect after later ones: a worker that was held up goes on with it.
    """
    complaints = _Complaints()
    for key in history.contradictions:
        complaints.add("answered differently the second time", key)
    for number, ledger in state.ledgers.items():
        _check_ledger(complaints, history, number, ledger, may_come_late)
    _check_presence(complaints, history, state)
    _check_sends(complaints, history, state)
    for number, feed in state.feeds.items():
        _check_feed(complaints, number, feed, len(state.feeds))
    _check_feeds(complaints, state.feeds)
    return complaints.lines()


def _check_presence(complaints: _Complaints, history: History, state: State) -> None:
    found = Counter[str]()
    for number, ledger in state.ledgers.items():
        for key in ledger["entries"]:
            found[key] += 1
            sent = history.sent.get(key)
            if sent is None or sent.ledger != number:
                complaints.add("in the state though nobody sent it there", f"{key} of ledger {number}")
    answers: dict[tuple[int, int], str] = {}
    for key, sent in history.sent.items():
        if found[key] > 1:
            complaints.add("done more than once", f"{key} ({found[key]} times)")
        if sent.answer is None:
            continue
        if not found[key]:
            complaints.add("acknowledged and lost", key)
        other = answers.setdefault((sent.ledger, sent.answer), key)
        if other != key:
            complaints.add("two commands have the same answer", f"{other} and {key}")
        elif sent.answer > len(state.ledgers[sent.ledger]["entries"]) or (
            found[key] == 1 and state.ledgers[sent.ledger]["entries"][sent.answer - 1] != key
        ):
            complaints.add("stands at another place than was acknowledged", key)


def _check_ledger(
    complaints: _Complaints, history: History, number: int, ledger: dict[str, Any], may_come_late: bool
) -> None:
    log: list[str] = ledger["entries"]
    amounts = sum(history.sent[key].amount for key in log if key in history.sent)
    if ledger["count"] != len(log) or ledger["sum"] != amounts:
        complaints.add(
            "a turn is there in part",
            f"ledger {number} counts {ledger['count']} and sums {ledger['sum']}, its list has {len(log)} that sum to {amounts}",
        )
    newest: dict[str, int] = {}
    for key in dict.fromkeys(log):
        if may_come_late and key in history.sent and history.sent[key].answer is None:
            continue
        writer, _, place = key.partition("-")
        if int(place) < newest.get(writer, 0):
            complaints.add("out of order", f"{key} in ledger {number}")
        newest[writer] = max(newest.get(writer, 0), int(place))
    for key, times in ledger["armed"].items():
        rang = ledger["ripe"].get(key, 0)
        if rang != times:
            complaints.add("a timer was set and did not ring as often", f"{key} ({times} and {rang})")
    for key in ledger["ripe"].keys() - ledger["armed"].keys():
        complaints.add("a timer rang that was not set", key)


def _check_sends(complaints: _Complaints, history: History, state: State) -> None:
    done = Counter(key for ledger in state.ledgers.values() for key in ledger["entries"])
    credited = Counter[str]()
    for number, account in state.accounts.items():
        balance = 0
        for key, times in account["credits"].items():
            credited[key] += times
            balance += times * (history.sent[key].amount if key in history.sent else 0)
        if balance != account["balance"]:
            complaints.add(
                "a turn is there in part", f"account {number} holds {account['balance']}, its credits sum to {balance}"
            )
    for key in done.keys() | credited.keys():
        if done[key] > credited[key]:
            complaints.add("sent to an account and lost", key)
        elif done[key] < credited[key]:
            complaints.add("arrived at an account more often than it was sent", f"{key} ({credited[key]} times)")
    count, amount = credited.total(), sum(account["balance"] for account in state.accounts.values())
    if (state.total["count"], state.total["sum"]) != (count, amount):
        complaints.add(
            "sender and receiver do not agree",
            f"accounts sent {count} that sum to {amount}, /total has {state.total['count']} that sum to {state.total['sum']}",
        )


def _check_feed(complaints: _Complaints, number: int, feed: dict[str, Any], feeds: int) -> None:
    if feed["back"]:
        complaints.add("the source went back", f"{feed['back']} times in feed {number}")
    numbers = range(number or feeds, feed["last"] + 1, feeds)
    if feed["count"] != len(numbers) or feed["sum"] != sum(numbers):
        complaints.add(
            "the source lost or doubled numbers",
            f"feed {number} has {feed['count']} that sum to {feed['sum']}, expected {len(numbers)} that sum to {sum(numbers)}",
        )


def _check_feeds(complaints: _Complaints, feeds: dict[int, dict[str, Any]]) -> None:
    lasts = sorted(feed["last"] for feed in feeds.values())
    if lasts and lasts[-1] - lasts[0] >= len(feeds):
        complaints.add("the source lost or doubled numbers", f"the feeds end at {lasts}")
