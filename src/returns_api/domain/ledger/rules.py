"""The accounts of a shop and the rules that move money between them, as one table.

A rule names the account it debits and the one it credits, so a posting made by a rule balances by
its very shape: one amount, taken from one account and put on another. A balance is debits minus
credits; what the shop has or may claim stands in debit, what it owes in credit. Whose an account is
(``OWNER``) makes balances per order, payment and store credit possible.

Refuses to own when a rule applies (``postings``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Account(StrEnum):
    """Who has or owes the money."""

    BUYER = "buyer"
    """What the shop owes the buyer of an order and has not reserved on a payment yet (credit)."""
    RESERVED = "reserved"
    """What is reserved on a payment for transfers that have not ended (credit)."""
    CLEARING = "clearing"
    """What is left of a payment at its provider (debit)."""
    DISPUTED = "disputed"
    """What a chargeback took from a payment, until it comes back (debit)."""
    MERCHANT = "merchant"
    """The shop's own result: sales less what went back (credit)."""
    GOODWILL = "goodwill"
    """Given without being owed (debit)."""
    ADVANCE = "advance"
    """Paid, or given in goods, for goods that have not come back yet (debit)."""
    WRITE_OFF = "write_off"
    """Advances that nobody will pay back (debit)."""
    CARRIER = "carrier"
    """What carriers owe for parcels that they lost or damaged (debit)."""
    INSURER = "insurer"
    """What insurers are to pay for return freight (debit)."""
    STORE_CREDIT = "store_credit"
    """What a buyer can still spend in the shop (credit)."""
    CASH = "cash"
    """What reached the shop by other ways than the payments of an order (debit)."""


OWNER: Final[Mapping[Account, str | None]] = {
    Account.BUYER: "order",
    Account.RESERVED: "payment",
    Account.CLEARING: "payment",
    Account.DISPUTED: "payment",
    Account.MERCHANT: None,
    Account.GOODWILL: None,
    Account.ADVANCE: "order",
    Account.WRITE_OFF: None,
    Account.CARRIER: None,
    Account.INSURER: None,
    Account.STORE_CREDIT: "store_credit",
    Account.CASH: None,
}
"""Whose each account is; None for the shop as a whole."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One named way for money to move. ``meaning`` is shown to people."""

    debit: Account
    credit: Account
    meaning: str


_A = Account
RULES: Final[Mapping[str, Rule]] = {
    "payment_captured": Rule(_A.CLEARING, _A.MERCHANT, "The buyer paid."),
    "capture_reduced": Rule(_A.MERCHANT, _A.CLEARING, "Less was captured than was told before."),
    "refund_owed": Rule(_A.MERCHANT, _A.BUYER, "A refund is due for what came back."),
    "goodwill_owed": Rule(_A.GOODWILL, _A.BUYER, "A refund was given without being owed."),
    "advance_owed": Rule(_A.ADVANCE, _A.BUYER, "A refund is due before the goods are back."),
    "deduction_kept": Rule(
        _A.BUYER, _A.MERCHANT, "Kept from a refund, as the accepted quote said."
    ),
    "refund_given_up": Rule(_A.BUYER, _A.MERCHANT, "What is missing of a refund was given up."),
    "goodwill_given_up": Rule(_A.BUYER, _A.GOODWILL, "What is missing of goodwill was given up."),
    "advance_given_up": Rule(_A.BUYER, _A.ADVANCE, "What is missing of an advance was given up."),
    "advance_applied": Rule(_A.BUYER, _A.ADVANCE, "The advance had paid it before."),
    "advance_paid_back": Rule(_A.CASH, _A.ADVANCE, "The buyer paid back what was advanced."),
    "advance_written_off": Rule(_A.WRITE_OFF, _A.ADVANCE, "Nobody is going to pay it back."),
    "advance_waived": Rule(_A.GOODWILL, _A.ADVANCE, "The buyer may keep what was advanced."),
    "write_off_undone": Rule(_A.ADVANCE, _A.WRITE_OFF, "The goods came after all."),
    "waiver_undone": Rule(_A.ADVANCE, _A.GOODWILL, "The goods came after all."),
    "goods_drawn": Rule(
        _A.BUYER, _A.MERCHANT, "New goods were given for what came back, in an exchange."
    ),
    "goods_advanced": Rule(
        _A.ADVANCE, _A.MERCHANT, "New goods were given before the old ones were back."
    ),
    "goods_recalled": Rule(
        _A.MERCHANT, _A.ADVANCE, "They were not sent, since their return had ended."
    ),
    "difference_paid": Rule(_A.CASH, _A.MERCHANT, "The buyer paid what new goods cost more."),
    "repair_paid": Rule(
        _A.CASH, _A.MERCHANT, "The buyer paid for a repair, as its accepted quote said."
    ),
    "transfer_reserved": Rule(_A.BUYER, _A.RESERVED, "Reserved on a payment, to be sent."),
    "transfer_released": Rule(_A.RESERVED, _A.BUYER, "It did not arrive: owed as before."),
    "transfer_succeeded": Rule(_A.RESERVED, _A.CLEARING, "The provider paid it back."),
    "transfer_reversed": Rule(_A.CLEARING, _A.BUYER, "It came back after it had arrived."),
    "transfer_credited": Rule(
        _A.RESERVED, _A.STORE_CREDIT, "Paid back as store credit; the money stays in the shop."
    ),
    "goodwill_credited": Rule(_A.BUYER, _A.STORE_CREDIT, "A present became store credit."),
    "bonus_granted": Rule(_A.GOODWILL, _A.STORE_CREDIT, "Added for taking store credit."),
    "credit_spent": Rule(_A.STORE_CREDIT, _A.MERCHANT, "The buyer paid with store credit."),
    "credit_given_back": Rule(_A.MERCHANT, _A.STORE_CREDIT, "Such a purchase was undone."),
    "credit_expired": Rule(_A.STORE_CREDIT, _A.MERCHANT, "Owed store credit expired."),
    "present_expired": Rule(_A.STORE_CREDIT, _A.GOODWILL, "Granted store credit expired."),
    "credit_recovered": Rule(
        _A.STORE_CREDIT, _A.MERCHANT, "Taken back for what the buyer owes the shop."
    ),
    "advance_recovered": Rule(
        _A.STORE_CREDIT, _A.ADVANCE, "Taken back for an advance on goods that did not come."
    ),
    "claim_accepted": Rule(_A.CARRIER, _A.MERCHANT, "A carrier answers for a parcel."),
    "claim_acceptance_undone": Rule(_A.MERCHANT, _A.CARRIER, "The carrier does not pay after all."),
    "claim_paid": Rule(_A.CASH, _A.CARRIER, "The carrier paid for a parcel."),
    "insurance_accepted": Rule(_A.INSURER, _A.MERCHANT, "An insurer answers for return freight."),
    "insurance_acceptance_undone": Rule(
        _A.MERCHANT, _A.INSURER, "The insurer does not pay after all."
    ),
    "insurance_paid": Rule(_A.CASH, _A.INSURER, "The insurer paid for return freight."),
    "refunded_elsewhere": Rule(_A.MERCHANT, _A.CLEARING, "Refunded without us."),
    "refund_elsewhere_undone": Rule(
        _A.CLEARING, _A.MERCHANT, "A refund made without us failed, or was of another payment."
    ),
    "dispute_withdrew": Rule(_A.DISPUTED, _A.CLEARING, "A chargeback took it."),
    "dispute_returned": Rule(
        _A.CLEARING, _A.DISPUTED, "A chargeback gave it back, or was of another payment."
    ),
}
"""Every rule by its name. A posting whose accounts are not its rule's is a breach (N6)."""

DEBT_OF: Final[Mapping[str, tuple[str, str]]] = {
    "return": ("refund_owed", "refund_given_up"),
    "manual": ("refund_owed", "refund_given_up"),
    "cancellation": ("refund_owed", "refund_given_up"),
    "goodwill": ("goodwill_owed", "goodwill_given_up"),
    "advance": ("advance_owed", "advance_given_up"),
}
"""By the kind of refund: the rule that makes it owed, and the one that takes that back."""
