"""Whether a sentence speaks of what was or of what is to come, which is how "on Friday" is understood.

Sentences come here in lower case.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["direction"]

_AHEAD: Final = re.compile(
    r"\b(?:will|shall|won['\u2019]?t|gonna|going to|about to|plan(?:s|ning)?|planned for|hop(?:e|es|ing)|intend|tomorrow|next|"
    r"upcoming|coming up|soon|look(?:s|ing)? forward|can['\u2019]?t wait|excited (?:for|about|to)|ready for|prepar(?:e|ing)|"
    r"schedul\w+|due|deadline|see you|let['\u2019]?s|should|want(?:s)? to|need(?:s)? to|have to|has to|remind|starts?|leaves?|"
    r"arrives?|book(?:ed)? for|appointment|invite[sd]?)\b|\w['\u2019]ll\b",
)
_BEHIND: Final = re.compile(
    r"\b(?:was|were|did|had|went|saw|got|made|took|came|told|said|met|gave|found|bought|ate|spent|felt|began|ran|wrote|read|"
    r"heard|left|won|lost|sang|drove|flew|brought|thought|taught|caught|kept|held|built|sent|fell|hit|put|ago|been|just|last|"
    r"\w{3,}ed)\b",
)
_PRESENT: Final = re.compile(
    r"\b(?:is|are|am|have|has|meeting|going|coming|visiting|having|flying|leaving)\b|\w['\u2019](?:s|re|m)\b"
)


def direction(sentence: str) -> int:
    """1 for what is to come ("I'll see her on Friday", "The exam is on Friday"), -1 for what was, 0 where it is not seen."""
    ahead, behind = _AHEAD.search(sentence), _BEHIND.search(sentence)
    if ahead and behind:
        return 1 if ahead.start() < behind.start() else -1
    if ahead or behind:
        return 1 if ahead else -1
    return 1 if _PRESENT.search(sentence) else 0
