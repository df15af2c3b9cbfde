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
        "city",
        "contact",
        "decision_note",
        "email",
        "info_answer",
        "info_request",
        "link",
        "name",
        "note",
        "payment_url",
        "phone",
        "postcode",
        "qr_url",
        "ruling",
        "street1",
        "street2",
        "text",
        "tracking",
        "url",
    }
)
_CODE: Final = re.compile(r"[a-z][a-z0-9_]*")
"""A reason that is a word of ours; any other one is somebody's own."""
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
    if name == "reason" and isinstance(value, str) and not _CODE.fullmatch(value):
        return None
    if name in WORDS and isinstance(value, str) and not _ID.fullmatch(value):
        return None
    return without_words(value)
