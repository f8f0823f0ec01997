"""What is counted of all journals of a process."""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["JournalCounts"]


@dataclass(slots=True)
class JournalCounts:
    """Counts since the start; what each means is told in ``docs/reference/metrics.md``."""

    journal_openings: int = 0
    journal_refusals: int = 0
    journal_records: int = 0
    journal_bytes: int = 0
    journal_barriers: int = 0
    journal_retries: int = 0
    journal_failures: int = 0
    journal_deposed: int = 0
    journal_repeats: int = 0
    journal_snapshots: int = 0
    journal_snapshot_failures: int = 0
    journal_marks: int = 0

    def as_dict(self) -> dict[str, int]:
        """For metrics."""
        return asdict(self)
