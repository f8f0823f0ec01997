"""What can go wrong, each with a code that the catalogue (``keepsake/catalogue``) explains."""

from __future__ import annotations

__all__ = ["KeepsakeError"]


class KeepsakeError(Exception):
    """Something that a user can understand and often mend.

    :ivar code: ``KS-AREA-123``, stable; ``keepsake errors CODE`` explains it.
    :ivar message: what was wrong, where, what was expected.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}  {message}")
        self.code = code
        self.message = message
