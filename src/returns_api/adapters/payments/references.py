"""Our own references among the texts that providers hand back.

Owns how a reference of ours looks. Providers without a field of our own (PayPal, Adyen, Shopify)
give back whatever stands there: a merchant's order number, a colleague's note. Taking such a text
for a reference would make a stranger's refund look like ours.
"""

from __future__ import annotations

import re
from typing import Final

_OURS: Final = re.compile(r"trf_[0-9a-z]{20,40}")


def ours(text: str | None) -> str | None:
    """``text`` when it is the public id of a transfer, by its form; else None."""
    return text if text is not None and _OURS.fullmatch(text) else None
