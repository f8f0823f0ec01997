"""What the function of a worker is given, and how it is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Generic, TypeVar, get_args

from natant.codec.form import Form, form, hints
from natant.errors import QueueError
from natant.lane.base import to_value
from natant.queue.message import Envelope

__all__ = ["Call", "Job"]

T = TypeVar("T")


class Job(Generic[T]):
    """One attempt at a job.

    :ivar id: the job's name, the same in each attempt; ``node``: the agent that asked; ``queue``, ``key``, ``about``: as submitted.
    :ivar input: what the agent asks for, of the declared type.
    :ivar submitted: when, in epoch seconds.
    :ivar attempt: from 1; ``attempts``: the last one.
    """

    def __init__(
        self, envelope: Envelope, value: T, attempt: int, attempts: int, tell: Callable[[float | None, str], None]
    ) -> None:
        self.id = envelope.id
        self.node = envelope.node
        self.queue = envelope.queue
        self.key = envelope.key
        self.about = envelope.about
        self.submitted = envelope.at
        self.input = value
        self.attempt = attempt
        self.attempts = attempts
        self.is_cancelled = False
        self._tell = tell

    @property
    def cancelled(self) -> bool:
        """True where nobody wants the result any more; an ``async`` function gets ``CancelledError`` at its next ``await`` besides."""
        return self.is_cancelled

    def progress(self, fraction: float | None, note: str = "") -> None:
        """Show in the agent's lane how far this is; may be called from any thread and as often as you like: the newest counts.

        :param fraction: from 0 to 1; None where that is not known.
        """
        self._tell(fraction, note)

    def __repr__(self) -> str:
        return f"<Job {self.id} of {self.queue}, attempt {self.attempt} of {self.attempts}>"


class Call:
    """A worker's function with the types it declares: ``async def asr(job: Job[Clip]) -> Transcript``.

    A plain function is run in a thread.

    :raises QueueError: ``NT-QUEUE-006`` where it does not take one job.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        parameters = list(inspect.signature(function).parameters.values())
        if len(parameters) != 1 or parameters[0].kind not in (
            inspect.Parameter.POSITIONAL_ONLY,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
        ):
            raise QueueError(
                "NT-QUEUE-006",
                f"{function.__qualname__} cannot do jobs: it takes one argument, as in async def asr(job: Job[Clip]) -> Transcript",
            )
        self.function = function
        self.name = function.__name__
        self.is_async = inspect.iscoroutinefunction(function)
        types = hints(function)
        declared = get_args(types.get(parameters[0].name, Any))
        self.input_form: Form[Any] = form(declared[0] if declared else Any)
        self._result_form: Form[Any] | None = form(types["return"]) if "return" in types else None

    def result_value(self, result: Any) -> Any:
        """A result as a Recon value.

        :raises FormError: where it is not what the function says it returns.
        """
        return to_value(result) if self._result_form is None else self._result_form.encode(result)
