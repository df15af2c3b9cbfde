"""What is left of an answer once its person was erased: everything but the words.

Owns which members of our answers hold what people are or wrote. They are null where the thing
itself is read later, so a kept answer without them has a form that its reader knows already.
"""

from __future__ import annotations

import re
from typing import Any, Final

WORDS: Final = frozenset(
    {
        "answer",
        "contact",
        "info_answer",
        "link",
        "name",
        "note",
        "payment_url",
        "text",
        "tracking",
    }
)
_ID: Final = re.compile(r"[a-z]{2,4}_[0-9a-hjkmnp-tv-z]{26}")
"""An id may stand under a name of words: a note's own answer calls its id ``note``."""


def without_words(told: Any) -> Any:
    """A JSON value without what a person is or wrote."""
    if isinstance(told, dict):
        return {name: _member(name, value) for name, value in told.items()}
    if isinstance(told, list):
        return [without_words(each) for each in told]
    return told


def _member(name: str, value: Any) -> Any:
    if name in WORDS and isinstance(value, str) and not _ID.fullmatch(value):
        return None
    return without_words(value)
