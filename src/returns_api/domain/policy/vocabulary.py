"""The closed vocabulary of the policy language: every word that a document may use as a value.

Owns the enumerations that the document, the law packs, decisions and the rest of the service share.
Refuses to own their meaning (``terms``, ``evaluate``) and their translation (``texts``).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

PPM: Final = 1_000_000
"""One whole, in parts per million: percentages are integers of these, never floats."""

DEFAULT_TIER: Final = "standard"
"""The tier of a buyer whom no declared tier takes."""


class Grade(StrEnum):
    """How a unit is: claimed by the buyer beforehand, found by the warehouse afterwards."""

    SEALED = "sealed"
    OPENED_UNUSED = "opened_unused"
    USED_LIKE_NEW = "used_like_new"
    USED_WORN = "used_worn"
    DAMAGED_BUYER = "damaged_buyer"
    DAMAGED_TRANSIT = "damaged_transit"
    DEFECTIVE = "defective"
    INCOMPLETE = "incomplete"
    WRONG_ITEM = "wrong_item"
    COUNTERFEIT_SUSPECTED = "counterfeit_suspected"
    EMPTY_BOX = "empty_box"


REFUSED_BY_NATURE: Final = frozenset(
    {Grade.WRONG_ITEM, Grade.COUNTERFEIT_SUSPECTED, Grade.EMPTY_BOX}
)
"""What came back is not what was sold: refused unless the document says otherwise."""

UNKNOWN_CONDITION: Final = "unknown"
"""Word for "the buyer made no statement about the condition" in a rule."""


class ResolutionKind(StrEnum):
    """What a buyer can get."""

    REFUND = "refund"
    EXCHANGE = "exchange"
    REPLACEMENT = "replacement"
    REPAIR = "repair"
    STORE_CREDIT = "store_credit"
    PARTIAL_REFUND = "partial_refund"


class MethodKind(StrEnum):
    """How the goods travel back; ``keep`` means that they do not."""

    POST = "post"
    DROPOFF = "dropoff"
    PICKUP = "pickup"
    IN_STORE = "in_store"
    LOCKER = "locker"
    KEEP = "keep"


class StartEvent(StrEnum):
    """What a window can be counted from."""

    DELIVERED = "delivered"
    FULFILLED = "fulfilled"
    PLACED = "placed"


class RefundAt(StrEnum):
    """When the refund falls due; the earlier, the kinder, and the riskier."""

    REQUEST = "request"
    FIRST_SCAN = "first_scan"
    RECEIPT = "receipt"
    INSPECTION = "inspection"


class OnSilence(StrEnum):
    """What becomes of a request that nobody answered in time."""

    APPROVE = "approve"
    REJECT = "reject"


class Payer(StrEnum):
    BUYER = "buyer"
    MERCHANT = "merchant"


class EvidenceKind(StrEnum):
    """What a buyer can be asked to show."""

    PHOTO = "photo"
    VIDEO = "video"
    SERIAL_NUMBER = "serial_number"
    DESCRIPTION = "description"
    PROOF_OF_PURCHASE = "proof_of_purchase"


class RepairCost(StrEnum):
    """Who pays for a repair: ``free`` for the buyer, or by a quote the buyer accepts first."""

    FREE = "free"
    QUOTED = "quoted"


class Listed(StrEnum):
    """A list of a shop that a buyer is on."""

    ALLOW = "allow"
    BLOCK = "block"


class Severity(StrEnum):
    """``error`` forbids publishing, ``warning`` needs a nod, ``info`` only tells."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
