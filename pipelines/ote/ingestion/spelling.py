"""What spellings of one name have in common.

Belongs here: the key of a spelling. Does not belong here: which names there are.
"""

import re


def spelling_key(spelling: str) -> str:
    """A spelling without case, spaces and punctuation, as sql/macros.sql has it."""
    return re.sub(r"[^A-Za-z0-9]+", "", spelling).lower()
