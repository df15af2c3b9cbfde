"""How a person's own words are brought to one form before they are compared or hashed.

Owns the two normal forms that intake and guest look-up must share: an order found by one of them
and stored by another would never be found. Refuses to own keyed hashes (``ports.sealing``), storage
and whether an address can receive mail.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

EMAIL_MAX: Final = 320
"""64 of local part, @, 255 of domain (RFC 3696 erratum 1690)."""

ORDER_NUMBER_MAX: Final = 64

_BEFORE_NUMBER: Final = re.compile(r"\A[\s#]+")


def normalise_email(text: str) -> str:
    """The one form of an e-mail address: no case, no invisible characters, no outer space.

    The local part is folded too: RFC 5321 lets it be case-sensitive, no shop platform treats it so.
    Dots and ``+tags`` stay, since they are different mailboxes at most providers.
    """
    return _fold(text)


def normalise_order_number(text: str) -> str:
    """The one form of an order number as a buyer types it: ``#1001``, `` 1001`` and ``1001``."""
    return _BEFORE_NUMBER.sub("", _fold(text))


def _fold(text: str) -> str:
    """Case folded between a decomposition and a composition, so that doing it twice adds nothing.

    Format characters (zero width, direction marks) come along when text is pasted from a mail.
    """
    visible = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    folded = unicodedata.normalize("NFD", visible).casefold()
    return unicodedata.normalize("NFC", folded).strip()
