"""What a queue promises.  Declared by ``plane.queue``; it stands in the metadata of the queue's stream, so that workers need nothing but its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from natant.errors import QueueError

__all__ = ["MARK", "QueuePolicy", "QueueSpec", "admit"]

F = TypeVar("F", bound=Callable[..., Any])

#: attribute that marks a function as the worker of a queue
MARK: Final = "__natant_queue__"

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """The figures of a queue.

    :ivar attempts: how often a job is tried before it is parked.
    :ivar backoff: seconds until the second attempt, and the longest; in between it doubles.
    :ivar timeout_s: an attempt that takes longer has failed; 0: no limit.
    :ivar limit: jobs that the queue holds; more are refused to whoever submits them.
    :ivar lost_s: a job whose worker was not heard of for so long is given to another.
    :ivar target_s: what waits should be done within this time; the suggested number of workers follows from it.
    :ivar least: the fewest workers that are ever suggested, and ``most`` the largest number.
    """

    attempts: int = 5
    backoff: tuple[float, float] = (1.0, 60.0)
    timeout_s: float = 0.0
    limit: int = 1_000_000
    lost_s: float = 10.0
    target_s: float = 60.0
    least: int = 0
    most: int = 100

    def __post_init__(self) -> None:
        first_s, longest_s = self.backoff
        wrong = (
            (self.attempts < 1, "attempts is at least 1"),
            (not 0 <= first_s <= longest_s, "backoff is (first, longest) in seconds, such as (1, 60)"),
            (self.timeout_s < 0, "timeout is a number of seconds, 0 for none"),
            (self.limit < 1, "limit is at least 1"),
            (self.lost_s < 1, "lost is at least 1 s"),
            (self.target_s <= 0, "target is a number of seconds above 0"),
            (not 0 <= self.least <= self.most, "workers is (fewest, most), such as (0, 8)"),
        )
        for is_wrong, rule in wrong:
            if is_wrong:
                raise QueueError("NT-QUEUE-006", f"a queue cannot be declared so: {rule}")

    def delay_s(self, attempt: int) -> float:
        """How long to wait after attempt number ``attempt`` has failed."""
        first_s, longest_s = self.backoff
        return float(min(longest_s, first_s * 2.0 ** min(attempt - 1, 60)))

    def as_metadata(self) -> dict[str, str]:
        """As the metadata of a stream."""
        return {
            "natant.attempts": str(self.attempts),
            "natant.backoff": f"{self.backoff[0]!r} {self.backoff[1]!r}",
            "natant.timeout_s": repr(self.timeout_s),
            "natant.limit": str(self.limit),
            "natant.lost_s": repr(self.lost_s),
            "natant.target_s": repr(self.target_s),
            "natant.workers": f"{self.least} {self.most}",
        }

    @classmethod
    def of_metadata(cls, data: Mapping[str, str]) -> QueuePolicy:
        """What :meth:`as_metadata` wrote.

        :raises QueueError: ``NT-QUEUE-007`` where that is not there.
        """
        try:
            first, longest = data["natant.backoff"].split()
            least, most = data["natant.workers"].split()
            return cls(
                attempts=int(data["natant.attempts"]),
                backoff=(float(first), float(longest)),
                timeout_s=float(data["natant.timeout_s"]),
                limit=int(data["natant.limit"]),
                lost_s=float(data["natant.lost_s"]),
                target_s=float(data["natant.target_s"]),
                least=int(least),
                most=int(most),
            )
        except (KeyError, ValueError) as error:
            raise QueueError(
                "NT-QUEUE-007",
                f"the stream of the queue does not say what the queue promises ({error}); a plane makes it, do not make it by hand",
            ) from error


@dataclass(slots=True, eq=False)
class QueueSpec:
    """A queue as a plane declares it; as a decorator it marks the function that does its jobs.

    :ivar figures: how the queue is doing, as this process knows it; None where it does not.
    """

    name: str
    plane: str
    policy: QueuePolicy = field(default_factory=QueuePolicy)
    functions: list[Callable[..., Any]] = field(default_factory=list)
    figures: Any = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise QueueError(
                "NT-QUEUE-006",
                f"{self.name!r} cannot be the name of a queue; take up to 64 letters, digits, '-' and '_', beginning with a letter or digit",
            )

    def __call__(self, function: F) -> F:
        """Decorator: ``function(job)`` does the jobs of this queue, in ``natant worker FILE:FUNCTION``."""
        setattr(getattr(function, "__func__", function), MARK, self)  # a method's mark is on its function
        self.functions.append(function)
        return function


def admit(spec: QueueSpec | None, name: str, held: int, size: int, size_limit: int) -> None:
    """See that a queue takes one more job.

    :param held: jobs it has, as far as is known, and ``size``: bytes of the new one.
    :raises QueueError: ``NT-QUEUE-002``, ``-003`` or ``-004``.
    """
    if spec is None:
        raise QueueError(
            "NT-QUEUE-002", f'there is no queue "{name}" here; declare it: plane.queue("{name}")', http_status=404
        )
    if held >= spec.policy.limit:
        raise QueueError(
            "NT-QUEUE-003",
            f'queue "{name}" is full: {held} jobs wait, and its limit is {spec.policy.limit}; try again later, or add workers',
            http_status=429,
        )
    if size > size_limit:
        raise QueueError(
            "NT-QUEUE-004",
            f'a job for queue "{name}" takes {size} bytes and a message {size_limit}; put what is large into an object store and '
            "submit its name",
            http_status=413,
        )
