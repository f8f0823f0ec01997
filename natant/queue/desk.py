"""Where reports of workers come in: each becomes a turn of the agent that asked.

Sans-io: whoever brings a report gives a function that takes the answer.  An answer after which a queue may forget a job (``over``,
``cancelled``, ``unknown``) is given only once all it rests on is durable, and the store is known to be ours still: an owner that was deposed
does not know what its successor was asked.  ``go`` is given as soon as the turn has ended, so that work begins while its beginning is being journaled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from natant.errors import NatantError, QueueError, Refused
from natant.kernel.call import call
from natant.kernel.kernel import Kernel
from natant.kernel.turn import Outcome, Work
from natant.queue.message import Answer, Report, encode

__all__ = ["deliver"]

#: answers after which the queue forgets the job
_FINAL = frozenset(("over", "cancelled", "unknown"))
_METHOD = "_job_report"


def deliver(kernel: Kernel, report: Report, respond: Callable[[Answer], None]) -> None:
    """Give ``report`` to its agent; ``respond`` is called once, now or later."""
    refusal = kernel.admit()
    if refusal is not None:
        respond(Answer("later", why=str(refusal)))
        return
    try:
        cell = kernel.find(report.node)
    except NatantError as error:  # the store cannot be read
        respond(Answer("later", why=str(error)))
        return
    if cell is None or not hasattr(cell, _METHOD):
        _make_sure(kernel, Answer("unknown", why=f"no agent lives at {report.node!r}"), respond)
        return
    has_answered = False
    is_unchanged = False

    def answer_once(answer: Answer) -> None:
        nonlocal has_answered
        if not has_answered:
            has_answered = True
            respond(answer)

    def run(agent: Any, values: tuple[Any, ...]) -> Answer:
        try:
            answer: Answer = call(agent, _METHOD, values)
        except Refused as error:  # nothing is parked then, and the outcome of the job would be lost
            raise QueueError(
                "NT-QUEUE-010", f"{agent.node} refused what became of job {report.id}: {error.message}"
            ) from error
        nonlocal is_unchanged
        is_unchanged = not agent._turn.records
        if answer.kind == "go":
            agent._turn.then(lambda: answer_once(answer))
        return answer

    def reply(outcome: Outcome | None, error: NatantError | None) -> None:
        if outcome is not None and is_unchanged and outcome.value.kind in _FINAL:
            _make_sure(kernel, outcome.value, answer_once)
        elif outcome is not None:
            answer_once(outcome.value)
        elif error is not None:
            # what is parked is durable, with the report: the agent has it, and does it again when somebody says so
            answer_once(Answer("over" if "parked" in error.context else "later", why=str(error)))

    values = (encode(report).decode(),)
    kernel.deliver(cell, Work(run, values, f"job:{report.kind}", again=("call", _METHOD), reply=reply))
    kernel.drain()


def _make_sure(kernel: Kernel, answer: Answer, respond: Callable[[Answer], None]) -> None:
    """Give an answer that rests on what nobody has just written."""
    barrier = getattr(kernel.store, "barrier", None)
    if barrier is None:  # a store that nobody else can take over
        respond(answer)
    else:
        barrier(lambda error: respond(answer if error is None else Answer("later", why=str(error))))
